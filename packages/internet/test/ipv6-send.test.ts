// What goes out over IPv6 (RFC 8200 §3, RFC 6437, RFC 6724).
import { formatIp, ip, PacketBuffer, prefix } from "@netstrata/core";
import { expect, test } from "vitest";
import { octets } from "./bench-host.ts";
import { Ipv6Bench, type SentV6 } from "./ipv6-bench.ts";

function send(bench: Ipv6Bench, options: object = {}, payload = octets(16)) {
  const packet = PacketBuffer.allocate(bench.layer.headroom, payload.length);
  packet.set(payload);
  return bench.layer.send(packet, { source: ip("2001:db8::1"), destination: ip("2001:db8::2"), protocol: 17, ...options });
}

function sent(bench: Ipv6Bench): SentV6 {
  const [first, ...rest] = bench.eth.takeV6();
  expect(rest).toEqual([]);
  return first;
}

test("RFC 8200 §3: hop limit 64, traffic class and everything else as asked; a group's hop limit is 1 (RFC 3493 §5.2)", () => {
  const bench = new Ipv6Bench();
  send(bench, { trafficClass: 0xb8 });
  expect(sent(bench).header).toMatchObject({ timeToLive: 64, trafficClass: 0xb8, protocol: 17, payloadLength: 16 });
  send(bench, { timeToLive: 255 });
  expect(sent(bench).header.timeToLive).toBe(255);
  send(bench, { destination: ip("ff02::5") });
  expect(sent(bench)).toMatchObject({ header: { timeToLive: 1 }, nextHop: "ff02::5" });
  expect(() => send(bench, { timeToLive: 0 })).toThrow(RangeError);
});

test("RFC 6437 §3: one flow has one label that is not 0; another port or destination has another", () => {
  const bench = new Ipv6Bench();
  const label = (ports: number[], options: object = {}): number => {
    send(bench, options, Uint8Array.from([...ports, 0, 8, 0, 0]));
    return sent(bench).header.flowLabel;
  };
  const one = label([0, 1, 0, 2]);
  expect(one).toBeGreaterThan(0);
  expect(label([0, 1, 0, 2])).toBe(one);
  // A change of the routes does not change it.
  bench.layer.routes.add({ prefix: prefix("2001:db8:9::/64"), interface: bench.eth });
  expect(label([0, 1, 0, 2])).toBe(one);
  const labels = Array.from({ length: 500 }, (_, port) => label([port >> 8, port & 0xff, 0, 2]));
  expect(new Set(labels).size).toBeGreaterThan(495);
  expect(label([0, 1, 0, 2], { destination: ip("2001:db8::3") })).not.toBe(one);
});

test("only an address of ours is spoken from; '::' to a group only (RFC 4291 §2.5.2); ::1 only to ourselves", () => {
  const bench = new Ipv6Bench();
  const from = (source: string, destination = "2001:db8::2") => send(bench, { source: ip(source), destination: ip(destination) });
  expect(from("2001:db8::7")).toBe("address-not-available");
  expect(from("::1")).toBe("address-not-available");
  expect(from("::")).toBe("address-not-available");
  expect(from("::", "ff02::1")).toBe("sent");
  expect(from("::1", "::1")).toBe("sent");
  expect(from("192.0.2.1")).toBe("address-not-available");
});

test("what is for ourselves goes round through the loopback, by ::1 and by every other address", () => {
  const bench = new Ipv6Bench();
  for (const address of ["::1", "2001:db8::1"]) {
    send(bench, { source: ip(address), destination: ip(address) });
    bench.clock.advance(1);
    expect(bench.udp.received.pop()).toMatchObject({ interface: "lo", payload: octets(16) });
  }
  expect(bench.eth.takeV6()).toEqual([]);
});

test("RFC 8200 §4.3: hop-by-hop options stand in a header of their own, also in front of fragments", () => {
  const bench = new Ipv6Bench();
  const options = Uint8Array.of(5, 2, 0, 0, 1, 0);
  send(bench, { options, destination: ip("ff02::5"), timeToLive: 1 });
  expect([...sent(bench).bytes.subarray(40, 48)]).toEqual([17, 0, ...options]);
  send(bench, { options }, octets(2000));
  for (const { bytes } of bench.eth.takeV6()) expect([...bytes.subarray(40, 49)]).toEqual([44, 0, ...options, 17]);
  expect(() => send(bench, { options: octets(5) })).toThrow(RangeError);
});

test("RFC 6724 §5: the source is chosen for the destination, among the addresses of the way out", () => {
  const bench = new Ipv6Bench();
  const sourceFor = (destination: string) => formatIp(bench.layer.sourceFor(ip(destination)) ?? ip("::"));
  bench.layer.addAddress(bench.eth, prefix("fe80::1/64"));
  bench.layer.addAddress(bench.eth, prefix("fd00::1/64"));
  bench.layer.routes.add({ prefix: prefix("::/0"), interface: bench.eth, nextHop: ip("fe80::9") });
  expect(["2001:db8::2", "2606:4700::1", "fe80::9", "fd00:1::1", "ff02::1", "::1"].map(sourceFor)).toEqual([
    "2001:db8::1",
    "2001:db8::1",
    "fe80::1",
    "fd00::1",
    "fe80::1",
    "::1",
  ]);
  send(bench, { destination: ip("2606:4700::1") });
  expect(sent(bench).nextHop).toBe("fe80::9");
});
