// What goes out: source, route, header, size (RFC 1122 §3.2.1, §3.3.1, §3.3.3).
import { IPV4_BROADCAST, ip, PacketBuffer, prefix } from "@netstrata/core";
import { expect, test } from "vitest";
import type { IpSendOptions } from "../src/index.ts";
import { Bench, octets, RecordingInterface } from "./bench-host.ts";

function payload(bench: Bench, length = 100): PacketBuffer {
  const packet = PacketBuffer.allocate(bench.layer.headroom, length);
  packet.set(octets(length));
  return packet;
}

function options(more: Partial<IpSendOptions> = {}): IpSendOptions {
  return { source: ip("192.0.2.1"), destination: ip("192.0.2.2"), protocol: 17, ...more };
}

/** A bench with a default router. */
function routed(): Bench {
  const bench = new Bench();
  bench.layer.routes.add({ prefix: prefix("0.0.0.0/0"), interface: bench.link, nextHop: ip("192.0.2.254") });
  return bench;
}

test("1122-3.3.1.1-1, 1122-3.2.1.3-1: the mask decides whether a datagram goes to its destination or to a router", () => {
  const bench = routed();
  expect(bench.layer.send(payload(bench), options())).toBe("sent");
  expect(bench.layer.send(payload(bench), options({ destination: ip("192.0.3.2") }))).toBe("sent");
  expect(bench.link.take().map(({ nextHop }) => nextHop)).toEqual(["192.0.2.2", "192.0.2.254"]);
});

test("1122-3.3.1.1-2: without any router the neighbours can be reached, and the rest is unreachable at once", () => {
  const bench = new Bench();
  expect(bench.layer.send(payload(bench), options())).toBe("sent");
  expect(bench.layer.send(payload(bench), options({ destination: ip("203.0.113.5") }))).toBe("network-unreachable");
  expect(bench.layer.ipv4.counters).toMatchObject({ OutRequests: 2, OutNoRoutes: 1 });
  expect(bench.layer.sourceFor(ip("203.0.113.5"))).toBeUndefined();
});

test("the header says what was asked for", () => {
  const bench = new Bench();
  const asked = { timeToLive: 7, trafficClass: 0xb8, dontFragment: true, options: Uint8Array.of(148, 4, 0, 0) };
  bench.layer.send(payload(bench), options(asked));
  const [{ header, payload: sent, bytes }] = bench.link.take();
  expect(header).toMatchObject({ timeToLive: 7, trafficClass: 0xb8, dontFragment: true, headerLength: 24, totalLength: 124, protocol: 17 });
  expect(bytes.slice(20, 24)).toEqual(asked.options);
  expect(sent).toEqual(octets(100));
});

test("1122-3.2.1.6-1, 1122-3.2.1.7-3, 1122-3.2.1.8-1, 1122-3.4-1: TOS, TTL and options are the transport's to choose; TTL 64 is the default", () => {
  const bench = new Bench({ timeToLive: 99 });
  bench.layer.send(payload(bench), options());
  bench.layer.send(payload(bench), options({ timeToLive: 5, trafficClass: 4, options: new Uint8Array(4).fill(1) }));
  expect(bench.link.take().map(({ header }) => [header.timeToLive, header.trafficClass, header.headerLength])).toEqual([
    [99, 0, 20],
    [5, 4, 24],
  ]);
  const plain = new Bench();
  plain.layer.send(payload(plain), options());
  expect(plain.link.take()[0].header.timeToLive).toBe(64);
});

test("1122-3.2.1.7-1, 1812-4.2.2.9-1: a TTL of 0 is refused, and so are options that no header holds", () => {
  const bench = new Bench();
  // 256 would be written as 0.
  for (const timeToLive of [0, -1, 256, Number.NaN])
    expect(() => bench.layer.send(payload(bench), options({ timeToLive })), `TTL ${timeToLive}`).toThrow(RangeError);
  expect(() => bench.layer.send(payload(bench), options({ options: new Uint8Array(3) }))).toThrow(RangeError);
  expect(() => bench.layer.send(payload(bench), options({ options: new Uint8Array(44) }))).toThrow(RangeError);
});

test("1122-3.2.1.8c-4, 1812-4.2.2.1-3: a second source route is refused", () => {
  const bench = new Bench();
  const twice = Uint8Array.of(131, 7, 4, 203, 0, 113, 7, 1, 137, 7, 4, 203, 0, 113, 7, 1);
  expect(() => bench.layer.send(payload(bench), options({ options: twice }))).toThrow(RangeError);
  expect(bench.layer.send(payload(bench), options({ options: twice.slice(0, 8) }))).toBe("sent");
});

test("1122-3.2.1.3-2, 1122-3.3.6-1, 1812-4.2.2.11-1: only an own address is a source", () => {
  const bench = routed();
  for (const source of ["192.0.2.7", "192.0.2.255", "255.255.255.255", "224.0.0.1", "0.0.0.0", "127.0.0.1"]) {
    expect(bench.layer.send(payload(bench), options({ source: ip(source) })), source).toBe("address-not-available");
  }
  expect(bench.link.take()).toEqual([]);
  expect(bench.takeDrops()).toEqual(new Array(6).fill("foreign-source"));
});

test("a source that was good is not when its address has gone", () => {
  const bench = new Bench();
  bench.layer.addAddress(bench.link, prefix("192.0.2.9/24"));
  const again = options({ source: ip("192.0.2.9") });
  expect(bench.layer.send(payload(bench), again)).toBe("sent");
  bench.layer.removeAddress(bench.link, ip("192.0.2.9"));
  expect(bench.layer.send(payload(bench), again)).toBe("address-not-available");
});

test("nothing is sent to 0.0.0.0/8 (RFC 1122 §3.2.1.3 a, b), whatever the default route says", () => {
  const bench = routed();
  for (const destination of ["0.0.0.0", "0.1.2.3"].map(ip)) {
    expect(bench.layer.send(payload(bench), options({ destination }))).toBe("network-unreachable");
    expect(bench.layer.send(payload(bench), options({ destination, interface: bench.link }))).toBe("network-unreachable");
    expect(bench.layer.sourceFor(destination)).toBe(undefined);
  }
  expect(bench.link.take()).toEqual([]);
  expect(bench.layer.destinations.size).toBe(0);
});

test("who has no address yet may call everybody as 0.0.0.0", () => {
  const bench = new Bench();
  bench.layer.removeAddress(bench.link, ip("192.0.2.1"));
  const call = options({ source: ip("0.0.0.0"), destination: IPV4_BROADCAST });
  expect(bench.layer.send(payload(bench), call)).toBe("sent");
  expect(bench.link.take()[0].nextHop).toBe("255.255.255.255");
});

test("1122-3.3.6-3: broadcasts of every form go out as link broadcasts, and nothing else does", () => {
  const bench = routed();
  for (const destination of ["255.255.255.255", "192.0.2.255", "192.0.2.0", "192.0.2.2", "203.0.113.255"]) {
    bench.layer.send(payload(bench), options({ destination: ip(destination) }));
  }
  expect(bench.link.take().map(({ nextHop }) => nextHop)).toEqual([
    "255.255.255.255",
    "255.255.255.255",
    "255.255.255.255",
    "192.0.2.2",
    "192.0.2.254",
  ]);
  expect(bench.layer.isBroadcast(ip("192.0.2.255"))).toBe(true);
  expect(bench.layer.isBroadcast(ip("203.0.113.255"))).toBe(false);
});

test("1122-3.3.7-1: multicasts are sent to the link with TTL 1, not to a router", () => {
  const bench = routed();
  bench.layer.send(payload(bench), options({ destination: ip("239.1.2.3") }));
  expect(bench.link.take()).toMatchObject([{ nextHop: "239.1.2.3", header: { timeToLive: 1 } }]);
});

test("an interface can be named, whatever the routes say", () => {
  const bench = routed();
  const other = bench.addLink("eth1", "198.51.100.1/24");
  const from = { source: ip("198.51.100.1"), interface: other };
  for (const destination of ["255.255.255.255", "239.1.2.3", "203.0.113.5"]) {
    expect(bench.layer.send(payload(bench), options({ ...from, destination: ip(destination) }))).toBe("sent");
  }
  expect(other.take().map(({ nextHop }) => nextHop)).toEqual(["255.255.255.255", "239.1.2.3", "203.0.113.5"]);
  expect(bench.link.take()).toEqual([]);
});

test("1122-3.3.4.2-2: the source is the application's choice; without one it is the address in the next hop's network", () => {
  const bench = routed();
  bench.layer.addAddress(bench.link, prefix("198.51.100.1/24"));
  const other = bench.addLink("eth1", "203.0.113.1/24");
  expect(bench.layer.sourceFor(ip("192.0.2.5"))).toBe(ip("192.0.2.1"));
  expect(bench.layer.sourceFor(ip("198.51.100.5"))).toBe(ip("198.51.100.1"));
  expect(bench.layer.sourceFor(ip("203.0.113.5"))).toBe(ip("203.0.113.1"));
  expect(bench.layer.sourceFor(ip("8.8.8.8"))).toBe(ip("192.0.2.1"));
  bench.layer.routes.add({ prefix: prefix("8.0.0.0/8"), interface: other, nextHop: ip("203.0.113.9"), source: ip("198.51.100.1") });
  expect(bench.layer.sourceFor(ip("8.8.8.8"))).toBe(ip("198.51.100.1"));
  expect(bench.layer.send(payload(bench), options({ source: ip("198.51.100.1"), destination: ip("203.0.113.5") }))).toBe("sent");
});

test("1812-4.2.2.11-3: what is for ourselves, or for 127/8, comes back by the loopback interface, not within the call", () => {
  const bench = new Bench();
  expect(bench.layer.send(payload(bench), options({ destination: ip("192.0.2.1") }))).toBe("sent");
  const inside = options({ source: ip("127.0.0.1"), destination: ip("127.8.9.10") });
  expect(bench.layer.send(payload(bench), inside)).toBe("sent");
  expect(bench.udp.received).toEqual([]);
  bench.clock.runUntilIdle();
  expect(bench.udp.received).toMatchObject([{ interface: "lo" }, { interface: "lo" }]);
  expect(bench.link.take()).toEqual([]);
});

test("without a loopback interface there is no way to ourselves", () => {
  const bench = new Bench();
  bench.layer.removeInterface(bench.loopback);
  expect(bench.layer.send(payload(bench), options({ destination: ip("192.0.2.1") }))).toBe("network-unreachable");
});

test("RFC 6864 §4: identifications of datagrams that may be fragmented differ; those of atomic ones mean nothing", () => {
  const bench = new Bench();
  for (let count = 0; count < 1000; count += 1) bench.layer.send(payload(bench, 1), options());
  const identifications = bench.link.take().map(({ header }) => header.identification);
  expect(new Set(identifications).size).toBe(1000);
  bench.layer.send(payload(bench), options({ dontFragment: true }));
  expect(bench.link.take()[0].header.identification).toBe(0);
});

test("1122-3.3.3-1, 1122-3.3.2-3: the transport can learn how much it can send and receive", () => {
  const bench = new Bench({}, new RecordingInterface("eth0", 1400));
  expect(bench.layer.maxSendSize(ip("192.0.2.2"))).toBe(1380);
  expect(bench.layer.maxSendSize(ip("127.0.0.1"))).toBe(65515);
  // No route: what every host takes.
  expect(bench.layer.maxSendSize(ip("203.0.113.1"))).toBe(556);
  expect(bench.layer.maxReceiveSize(ip("192.0.2.2"))).toBe(65515);
});

test("1122-3.3.3-2: what is too long for the link leaves in fragments, unless that was forbidden", () => {
  const bench = new Bench();
  expect(bench.layer.send(payload(bench, 4000), options({ dontFragment: true }))).toBe("message-too-long");
  expect(bench.link.take()).toEqual([]);
  expect(bench.layer.send(payload(bench, 4000), options())).toBe("sent");
  expect(bench.link.take().map(({ header }) => [header.fragmentOffset, header.totalLength, header.moreFragments])).toEqual([
    [0, 1500, true],
    [1480, 1500, true],
    [2960, 1060, false],
  ]);
  expect(bench.layer.ipv4.counters).toMatchObject({ FragOKs: 1, FragCreates: 3, FragFails: 1 });
  expect(bench.layer.send(payload(bench, 65516), options())).toBe("message-too-long");
  expect(bench.layer.send(payload(bench, 65515), options())).toBe("sent");
});

test("a packet with too little headroom is copied, not refused", () => {
  const bench = new Bench();
  expect(bench.layer.send(PacketBuffer.wrap(octets(50)), options())).toBe("sent");
  expect(bench.link.take()[0].payload).toEqual(octets(50));
});

test("an IPv6 destination is unreachable while no interface has an IPv6 address, and never spoken to from an IPv4 one", () => {
  const bench = new Bench();
  const send = () => bench.layer.send(payload(bench), options({ destination: ip("2001:db8::1") }));
  expect(bench.layer.sourceFor(ip("2001:db8::1"))).toBeUndefined();
  expect(send()).toBe("network-unreachable");
  bench.layer.addAddress(bench.link, prefix("2001:db8::2/64"));
  expect(bench.layer.sourceFor(ip("2001:db8::1"))).toBe(ip("2001:db8::2"));
  expect(send()).toBe("address-not-available");
});

test("a partial checksum is finished for an interface that does not do it, and left to one that does", () => {
  const plain = new Bench();
  const capable = new Bench({}, new RecordingInterface("eth0", 1500, { checksum: true, segmentation: 0 }));
  for (const bench of [plain, capable]) {
    const packet = PacketBuffer.allocate(bench.layer.headroom, 8);
    packet.set(Uint8Array.of(0, 1, 0, 2, 0, 8, 0x12, 0x34));
    packet.checksum = "partial";
    bench.layer.send(packet, options());
  }
  // 0001 + 0002 + 0008 + 1234 = 123f, complemented.
  expect(plain.link.take()[0].payload.slice(6)).toEqual(Uint8Array.of(0xed, 0xc0));
  expect(capable.link.take()[0].payload.slice(6)).toEqual(Uint8Array.of(0x12, 0x34));
});

test("a super-segment passes whole where the device takes it", () => {
  const bench = new Bench({}, new RecordingInterface("eth0", 1500, { checksum: true, segmentation: 65535 }));
  expect(bench.layer.maxSuperSegment(ip("192.0.2.2"))).toBe(65515);
  const packet = payload(bench, 30_000);
  packet.segmentSize = 1460;
  expect(bench.layer.send(packet, options({ protocol: 6, dontFragment: true }))).toBe("sent");
  expect(bench.link.take()).toMatchObject([{ segmentSize: 1460, header: { totalLength: 30_020 } }]);
  expect(new Bench().layer.maxSuperSegment(ip("192.0.2.2"))).toBe(0);
});
