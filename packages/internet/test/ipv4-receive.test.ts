// What comes in: the checks of RFC 1122 §3.2.1 and RFC 1812 §5.2.2, and delivery.
import { prefix } from "@netstrata/core";
import { expect, test } from "vitest";
import { Bench, datagram, icmpOf, octets } from "./bench-host.ts";

/** The datagram with some octets of its header changed, and the checksum made right again unless told otherwise. */
function damaged(changes: Readonly<Record<number, number>>, { checksum = true } = {}): Uint8Array {
  const bytes = datagram().slice();
  for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
  if (!checksum) return bytes;
  bytes.set([0, 0], 10);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.set([(~sum >>> 8) & 0xff, ~sum & 0xff], 10);
  return bytes;
}

/** Nothing heard above, nothing sent below, one drop for the reason. */
function expectSilence(bench: Bench, reason: string): void {
  expect(bench.takeDrops()).toEqual([reason]);
  expect(bench.udp.received).toEqual([]);
  expect(bench.link.take()).toEqual([]);
}

test("a datagram for us reaches its transport with header, payload and the way it came", () => {
  const bench = new Bench();
  bench.link.deliver(datagram({ trafficClass: 0xb8, timeToLive: 3 }));
  expect(bench.udp.received).toHaveLength(1);
  const [{ header, payload, cast, interface: name }] = bench.udp.received;
  expect(header).toMatchObject({ version: 4, protocol: 17, timeToLive: 3, headerLength: 20 });
  expect(payload).toEqual(octets(16));
  expect([cast, name]).toEqual(["unicast", "eth0"]);
  expect(bench.layer.ipv4.counters).toMatchObject({ InReceives: 1, InDelivers: 1 });
});

test("RFC 3168 §5: arrivals are counted by their ECN field", () => {
  const bench = new Bench();
  for (const trafficClass of [0, 1, 0xb9, 2, 3, 3, 3]) bench.link.deliver(datagram({ trafficClass }));
  expect(bench.layer.ipv4.counters).toMatchObject({ InNoECTPkts: 1, InECT1Pkts: 2, InECT0Pkts: 1, InCEPkts: 3 });
});

test("1122-3.2.1.6-2: the received TOS is handed up", () => {
  const bench = new Bench();
  bench.link.deliver(datagram({ trafficClass: 0xb9 }));
  expect(bench.udp.received[0].header.trafficClass).toBe(0xb9);
});

test("1122-3.2.1.1-1: a version other than 4 is dropped in silence", () => {
  for (const version of [0, 3, 5, 15]) {
    const bench = new Bench();
    bench.link.deliver(damaged({ 0: (version << 4) | 5 }));
    expectSilence(bench, "bad-version");
    expect(bench.layer.ipv4.counters.InHdrErrors).toBe(1);
  }
});

test("what says that it is IPv6 is for the IPv6 module to judge, and counts as nothing of IPv4", () => {
  const bench = new Bench();
  bench.link.deliver(damaged({ 0: 0x60 }));
  expectSilence(bench, "truncated");
  expect(bench.layer.ipv6.counters.InHdrErrors).toBe(1);
  expect(bench.layer.ipv4.counters.InReceives).toBe(0);
});

test("1122-3.2.1.2-1, 1812-4.2.2.5-1: a wrong header checksum is dropped in silence", () => {
  for (let bit = 0; bit < 16; bit += 1) {
    const bench = new Bench();
    const bytes = datagram().slice();
    bytes[10 + (bit >> 3)] ^= 1 << (bit & 7);
    bench.link.deliver(bytes);
    expectSilence(bench, "bad-checksum");
  }
});

test("1812-5.2.2-1: header and total length must be possible", () => {
  const cases: [string, Uint8Array][] = [
    ["truncated", datagram().slice(0, 19)],
    ["bad-header-length", damaged({ 0: 0x44 })],
    ["truncated", damaged({ 0: 0x4f })],
    ["bad-total-length", damaged({ 2: 0, 3: 19 })],
  ];
  for (const [reason, bytes] of cases) {
    const bench = new Bench();
    bench.link.deliver(bytes);
    expectSilence(bench, reason);
  }
});

test("1812-5.2.2-3: a datagram that is shorter than it says is dropped", () => {
  const bench = new Bench();
  bench.link.deliver(datagram().slice(0, 35));
  expectSilence(bench, "bad-total-length");
});

test("link padding behind the datagram is cut off", () => {
  const bench = new Bench();
  const frame = new Uint8Array(46);
  frame.set(datagram({}, octets(2)).slice());
  bench.link.deliver(frame);
  expect(bench.udp.received[0].payload).toEqual(octets(2));
});

test("1122-3.2.1.3-3: a host drops in silence what is not for it, also when its options are broken", () => {
  const bench = new Bench();
  bench.link.deliver(datagram({ destination: "192.0.2.99" }));
  expectSilence(bench, "not-for-us");
  bench.link.deliver(datagram({ destination: "192.0.2.99", options: Uint8Array.of(7, 99, 4, 0) }));
  expectSilence(bench, "not-for-us");
  expect(bench.layer.ipv4.counters.InAddrErrors).toBe(2);
});

test("1122-3.2.1.3-4, 1812-4.2.2.11-4: a source that is no single host is dropped in silence", () => {
  const sources = ["255.255.255.255", "192.0.2.255", "192.0.2.0", "224.0.0.1", "239.1.2.3", "240.0.0.1", "0.0.0.0", "0.1.2.3"];
  for (const source of sources) {
    const bench = new Bench();
    bench.link.deliver(datagram({ source }));
    expectSilence(bench, "martian-source");
  }
});

test("1812-4.2.2.11-3: 127/8 from outside is dropped, as source and as destination; so is our own address as source", () => {
  const bench = new Bench();
  bench.link.deliver(datagram({ source: "127.0.0.1" }));
  expectSilence(bench, "martian-source");
  bench.link.deliver(datagram({ destination: "127.0.0.1" }));
  expectSilence(bench, "martian-destination");
  bench.link.deliver(datagram({ source: "192.0.2.1" }));
  expectSilence(bench, "martian-source");
});

test("a neighbour without an address yet is heard when it calls everybody", () => {
  const bench = new Bench();
  bench.link.deliver(datagram({ source: "0.0.0.0", destination: "255.255.255.255" }), "broadcast");
  expect(bench.udp.received).toHaveLength(1);
});

test("1122-3.3.6-2, 1812-4.2.3.1-1: all forms of broadcast are recognized, and handed up as such", () => {
  const bench = new Bench();
  for (const destination of ["255.255.255.255", "192.0.2.255", "192.0.2.0", "0.0.0.0"]) {
    bench.link.deliver(datagram({ destination }), "broadcast");
  }
  expect(bench.udp.received.map(({ cast }) => cast)).toEqual(["broadcast", "broadcast", "broadcast", "broadcast"]);
});

test("a broadcast is one for the transport also when the frame was not", () => {
  const bench = new Bench();
  bench.link.deliver(datagram({ destination: "192.0.2.255" }), "unicast");
  expect(bench.udp.received[0].cast).toBe("broadcast");
});

test("each datagram is handed up with its own way of coming, whatever came before", () => {
  const bench = new Bench();
  const other = bench.addLink("eth1", "198.51.100.1/24");
  const seen: string[] = [];
  for (const [link, destination] of [
    [bench.link, "192.0.2.1"],
    [bench.link, "192.0.2.255"],
    [other, "192.0.2.255"],
    [other, "198.51.100.1"],
    [bench.link, "198.51.100.1"],
  ] as const) {
    link.deliver(datagram({ destination }));
    const [{ interface: name, cast }] = bench.udp.received.splice(0);
    seen.push(`${name} ${cast}`);
  }
  expect(seen).toEqual(["eth0 unicast", "eth0 broadcast", "eth1 broadcast", "eth1 unicast", "eth0 unicast"]);
});

test("RFC 3021: both addresses of a /31 are hosts, and a /32 has no broadcast", () => {
  const bench = new Bench();
  const pair = bench.addLink("ppp0", "10.0.0.0/31");
  bench.layer.addAddress(pair, prefix("10.0.9.9/32"));
  pair.deliver(datagram({ source: "10.0.0.1", destination: "10.0.0.0" }));
  pair.deliver(datagram({ source: "10.0.0.1", destination: "10.0.9.9" }));
  expect(bench.udp.received.map(({ cast }) => cast)).toEqual(["unicast", "unicast"]);
  for (const { address } of [prefix("10.0.0.0"), prefix("10.0.0.1"), prefix("10.0.9.9")])
    expect(bench.layer.isBroadcast(address)).toBe(false);
});

test("1122-3.3.6-4, 1812-5.3.4-2: a unicast datagram in a broadcast frame is dropped in silence", () => {
  for (const cast of ["broadcast", "multicast"] as const) {
    const bench = new Bench();
    bench.link.deliver(datagram(), cast);
    expectSilence(bench, "unicast-in-link-broadcast");
  }
});

test("1122-3.3.7-1, 1812-4.2.2.11-5: multicasts reach us in all-hosts and in the groups joined on that interface", () => {
  const bench = new Bench();
  const other = bench.addLink("eth1", "198.51.100.1/24");
  const group = datagram({ destination: "239.1.2.3" });
  bench.link.deliver(datagram({ destination: "224.0.0.1" }), "multicast");
  expect(bench.udp.received).toMatchObject([{ cast: "multicast" }]);
  bench.link.deliver(group, "multicast");
  expect(bench.takeDrops()).toEqual(["not-a-group-of-ours"]);
  bench.layer.joinGroup(prefix("239.1.2.3").address, bench.link);
  bench.link.deliver(group, "multicast");
  expect(bench.udp.received).toHaveLength(2);
  other.deliver(datagram({ source: "198.51.100.2", destination: "239.1.2.3" }), "multicast");
  expect(bench.takeDrops()).toEqual(["not-a-group-of-ours"]);
  bench.layer.leaveGroup(prefix("239.1.2.3").address, bench.link);
  bench.link.deliver(group, "multicast");
  expect(bench.takeDrops()).toEqual(["not-a-group-of-ours"]);
});

test("1122-3.1-3: a host answers to each of its addresses, on every interface", () => {
  const bench = new Bench();
  const other = bench.addLink("eth1", "198.51.100.1/24");
  bench.layer.addAddress(bench.link, prefix("203.0.113.1/24"));
  for (const destination of ["192.0.2.1", "203.0.113.1", "198.51.100.1"]) bench.link.deliver(datagram({ destination }));
  other.deliver(datagram({ source: "198.51.100.2", destination: "192.0.2.1" }));
  expect(bench.udp.received.map((received) => received.interface)).toEqual(["eth0", "eth0", "eth0", "eth1"]);
  bench.layer.removeAddress(bench.link, prefix("203.0.113.1").address);
  bench.link.deliver(datagram({ destination: "203.0.113.1" }));
  expect(bench.takeDrops()).toEqual(["not-for-us"]);
});

test("1122-3.2.1.7-2, 1812-4.2.2.9-2: the TTL of what is for us does not matter", () => {
  const bench = new Bench();
  bench.link.deliver(datagram({ timeToLive: 1 }));
  bench.link.deliver(datagram({ timeToLive: 0 }));
  expect(bench.udp.received).toHaveLength(2);
});

test("1122-3.2.2.1-1: a protocol that nobody handles is answered with code 2", () => {
  const bench = new Bench();
  bench.link.deliver(datagram({ protocol: 99 }));
  expect(bench.takeDrops()).toEqual(["unknown-protocol"]);
  const [error] = bench.link.take();
  expect(icmpOf(error)).toMatchObject({ type: 3, code: 2, rest: 0 });
  expect(error.nextHop).toBe("192.0.2.2");
  expect(bench.layer.ipv4.counters.InUnknownProtos).toBe(1);
});

test("1122-3.2.2.1-1, 1122-3.2.2-3: a port nobody listens on is answered with code 3, quoting the datagram as it came", () => {
  const bench = new Bench();
  bench.udp.answer = "port-unreachable";
  const original = datagram({ identification: 77, trafficClass: 8, options: Uint8Array.of(148, 4, 0, 0) }, octets(100));
  const bytes = original.slice();
  bench.link.deliver(original);
  const error = icmpOf(bench.link.take()[0]);
  expect(error).toMatchObject({ type: 3, code: 3 });
  expect(error.body).toEqual(bytes);
});

test("removing an interface takes its addresses and routes, and its datagrams no longer count", () => {
  const bench = new Bench();
  bench.layer.removeInterface(bench.link);
  bench.link.deliver(datagram());
  expect(bench.udp.received).toEqual([]);
  expect(bench.layer.isLocal(prefix("192.0.2.1").address)).toBe(false);
  expect(bench.layer.routes.list().map((route) => route.interface.name)).toEqual(["lo"]);
  expect(bench.layer.interfaces.map(({ name }) => name)).toEqual(["lo"]);
});

test("1122-3.1-8: each drop is counted under its reason and told to the observer with its clause", () => {
  const bench = new Bench();
  bench.link.deliver(datagram({ source: "127.0.0.1" }));
  expect(bench.drops).toEqual([{ layer: "ipv4", kind: "drop", reason: "martian-source", clause: "RFC 1122 §3.2.1.3", packet: undefined }]);
  expect(bench.layer.ipv4.drops.counters["martian-source"]).toBe(1);
});
