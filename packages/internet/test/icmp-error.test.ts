// When no ICMP error may be sent (RFC 1122 §3.2.2), rule by rule.
import { prefix } from "@netstrata/core";
import { expect, test } from "vitest";
import { type Ipv4Header, readUncheckedIpv4Header, reasonForSilence } from "../src/index.ts";
import { LocalAddresses } from "../src/local-addresses.ts";
import { type DatagramFields, datagram, icmp, octets, RecordingInterface } from "./bench-host.ts";

const link = new RecordingInterface("eth0");
link.addAddress(prefix("192.0.2.1/24"));
const addresses = new LocalAddresses();
addresses.interfaces = [link];
addresses.refresh();

function reason(packet: ReturnType<typeof datagram>, cast: "unicast" | "multicast" | "broadcast" = "unicast"): string | undefined {
  return reasonForSilence(packet, readUncheckedIpv4Header(packet) as Ipv4Header, cast, addresses);
}

function reasonFor(fields: DatagramFields): string | undefined {
  return reason(datagram(fields));
}

test("a datagram from one host to another may be answered", () => {
  expect(reasonFor({})).toBeUndefined();
  expect(reasonFor({ moreFragments: true })).toBeUndefined();
  expect(reason(icmp({ type: 8, code: 0, rest: 0 }))).toBeUndefined();
  expect(reason(icmp({ type: 18, code: 0, rest: 0 }))).toBeUndefined();
});

test("1122-3.2.2-6: not an ICMP error, nor what cannot be told from one", () => {
  for (const type of [3, 4, 5, 11, 12, 19, 255]) expect(reason(icmp({ type, code: 0, rest: 0 }))).toBe("error-about-error");
  expect(reason(datagram({ protocol: 1 }, octets(0)))).toBe("error-about-error");
  expect(reason(datagram({ protocol: 1, fragmentOffset: 8 }))).toBe("error-about-error");
});

test("1122-3.2.2-7: not a datagram to an IP broadcast or multicast, even in a unicast frame", () => {
  for (const destination of ["255.255.255.255", "192.0.2.255", "192.0.2.0", "224.0.0.1", "239.255.255.255"]) {
    expect(reasonFor({ destination }), destination).toBe("error-about-broadcast");
  }
});

test("1122-3.2.2-8: not what came as a link broadcast or multicast", () => {
  expect(reason(datagram(), "broadcast")).toBe("error-about-broadcast");
  expect(reason(datagram(), "multicast")).toBe("error-about-broadcast");
});

test("1122-3.2.2-9: not a fragment other than the first", () => {
  expect(reasonFor({ fragmentOffset: 8 })).toBe("error-about-fragment");
});

test("1122-3.2.2-10: not to a source that is no single host", () => {
  for (const source of ["0.0.0.0", "0.9.9.9", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.255"]) {
    expect(reasonFor({ source }), source).toBe("error-to-no-host");
  }
  const withLoopback = new LocalAddresses();
  withLoopback.loopback = link;
  const packet = datagram({ source: "127.0.0.1" });
  expect(reasonForSilence(packet, readUncheckedIpv4Header(packet) as Ipv4Header, "unicast", withLoopback)).toBeUndefined();
});
