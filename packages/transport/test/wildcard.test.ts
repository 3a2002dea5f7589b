import { ip } from "@netstrata/core";
import { expect, test } from "vitest";
import { type Binding, bindingsOverlap, fitOf } from "../src/wildcard.ts";

const bound = (address: string, ipv6Only = false): Binding => ({ address: ip(address), ipv6Only });

test("RFC 3493 §5.3: '::' is for both families, unless it is for IPv6 only", () => {
  const fits = (binding: Binding): number[] => ["192.0.2.1", "2001:db8::1"].map((address) => fitOf(binding, ip(address)));
  expect(fits(bound("::"))).toEqual([1, 2]);
  expect(fits(bound("::", true))).toEqual([0, 2]);
  expect(fits(bound("0.0.0.0"))).toEqual([2, 0]);
  expect(fits(bound("192.0.2.1"))).toEqual([3, 0]);
  expect(fits(bound("192.0.2.2"))).toEqual([0, 0]);
  expect(fits(bound("2001:db8::1"))).toEqual([0, 3]);
});

test("two bindings overlap when one datagram could be for both", () => {
  const all = [bound("::"), bound("::", true), bound("0.0.0.0"), bound("192.0.2.1"), bound("2001:db8::1")];
  const overlapping = all.map((a) => all.map((b) => Number(bindingsOverlap(a, b))).join(""));
  expect(overlapping).toEqual(["11111", "11001", "10110", "10110", "11001"]);
});
