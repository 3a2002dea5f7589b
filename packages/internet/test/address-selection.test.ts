// RFC 6724: the examples of §10 and each rule by itself.
import { formatIp, type IpAddress, ip, prefix } from "@netstrata/core";
import { expect, test } from "vitest";
import { type AddressAttributes, commonPrefixLength, orderDestinations, selectSource } from "../src/index.ts";

function source(destination: string, candidates: string[], attributes: Record<string, Partial<AddressAttributes>> = {}): string {
  const attributesOf = (address: IpAddress): AddressAttributes | undefined => {
    const found = attributes[formatIp(address)];
    return found && { deprecated: false, temporary: false, ...found };
  };
  // The order in which they stand must not matter.
  const chosen = [candidates, [...candidates].reverse()].map((list) =>
    selectSource(list.map(prefix), ip(destination) as never, attributesOf),
  );
  expect(chosen[0]?.address).toBe(chosen[1]?.address);
  return formatIp(chosen[0]?.address as IpAddress);
}

test("RFC 6724 §5 rule 1: the destination itself", () => {
  expect(source("2001:db8:1::1", ["2001:db8:1::1/64", "2001:db8:1::2/64"])).toBe("2001:db8:1::1");
});

test("RFC 6724 §5 rule 2, §10.1: a scope that reaches far enough, and no further than it must", () => {
  expect(source("2001:db8:1::1", ["2001:db8:3::1/64", "fe80::1/64"])).toBe("2001:db8:3::1");
  expect(source("ff05::1", ["2001:db8:3::1/64", "fe80::1/64"])).toBe("2001:db8:3::1");
  expect(source("fe80::9", ["fe80::1/64", "2001:db8:3::1/64"])).toBe("fe80::1");
  expect(source("ff02::1", ["fe80::1/64", "2001:db8:3::1/64"])).toBe("fe80::1");
});

test("RFC 6724 §5 rule 3: a deprecated address is avoided, but not when it is the only one", () => {
  const deprecated = { "2001:db8:1::2": { deprecated: true } };
  expect(source("2001:db8:1::1", ["2001:db8:1::2/64", "2001:db8:3::2/64"], deprecated)).toBe("2001:db8:3::2");
  expect(source("2001:db8:1::1", ["2001:db8:1::2/64"], deprecated)).toBe("2001:db8:1::2");
});

test("RFC 6724 §5 rule 6, §10.1: the label of the destination", () => {
  expect(source("2002:c633:6401::1", ["2002:c633:6401::d5e3:7953:13eb:22e8/64", "2001:db8:1::2/64"])).toBe(
    "2002:c633:6401:0:d5e3:7953:13eb:22e8",
  );
  expect(source("fc00::9", ["fc00:1::1/64", "2001:db8:1::2/64"])).toBe("fc00:1::1");
});

test("RFC 6724 §5 rule 7: a temporary address before a public one", () => {
  const temporary = { "2001:db8:1:0:d5e3::1": { temporary: true } };
  expect(source("2001:db8:1::1", ["2001:db8:1::2/64", "2001:db8:1::d5e3:0:0:1/64"], temporary)).toBe("2001:db8:1:0:d5e3::1");
});

test("RFC 6724 §5 rule 8, §2.2: the longest matching prefix, within the source's own", () => {
  expect(source("2001:db8:1::1", ["2001:db8:1::2/64", "2001:db8:3::2/64"])).toBe("2001:db8:1::2");
  const [a, b] = [ip("2001:db8::1"), ip("2001:db8::3")] as [never, never];
  expect([commonPrefixLength(a, b), commonPrefixLength(a, b, 64), commonPrefixLength(a, a)]).toEqual([126, 64, 128]);
});

function order(destinations: string[], sources: Record<string, string>): string[] {
  const sourceFor = (to: IpAddress): IpAddress | undefined => {
    const from = sources[formatIp(to)];
    return from === undefined ? undefined : ip(from);
  };
  return orderDestinations(destinations.map(ip), sourceFor).map(formatIp);
}

test("RFC 6724 §6, §10.2: which destination to try first", () => {
  // Unreachable ones last; then the scope of the source; then labels; then precedence; then the smaller scope.
  expect(order(["2001:db8:1::1", "198.51.100.121"], { "198.51.100.121": "198.51.100.117" })).toEqual(["198.51.100.121", "2001:db8:1::1"]);
  expect(order(["2001:db8:1::1", "198.51.100.121"], { "2001:db8:1::1": "2001:db8:1::2", "198.51.100.121": "169.254.13.78" })).toEqual([
    "2001:db8:1::1",
    "198.51.100.121",
  ]);
  expect(order(["2001:db8:1::1", "198.51.100.121"], { "2001:db8:1::1": "fe80::1", "198.51.100.121": "198.51.100.117" })).toEqual([
    "198.51.100.121",
    "2001:db8:1::1",
  ]);
  expect(order(["10.1.2.3", "2001:db8:1::1"], { "2001:db8:1::1": "2001:db8:1::2", "10.1.2.3": "10.1.2.4" })).toEqual([
    "2001:db8:1::1",
    "10.1.2.3",
  ]);
  expect(order(["2001:db8:1::1", "fe80::1"], { "2001:db8:1::1": "2001:db8:1::2", "fe80::1": "fe80::2" })).toEqual([
    "fe80::1",
    "2001:db8:1::1",
  ]);
  expect(
    order(["2001:db8:1::1", "2001:db8:3ffe::1"], { "2001:db8:1::1": "2001:db8:3f44::2", "2001:db8:3ffe::1": "2001:db8:3f44::2" }),
  ).toEqual(["2001:db8:3ffe::1", "2001:db8:1::1"]);
  expect(
    order(["2001:db8:1::1", "2002:c633:6401::1"], { "2001:db8:1::1": "2002:c633:6401::2", "2002:c633:6401::1": "2002:c633:6401::2" }),
  ).toEqual(["2002:c633:6401::1", "2001:db8:1::1"]);
});
