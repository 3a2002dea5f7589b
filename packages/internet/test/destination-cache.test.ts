// The route cache, dead routers and the path MTU (RFC 1122 §3.3.1, RFC 1191 §6).
import { formatIp, type IpAddress, ip, PacketBuffer, prefix } from "@netstrata/core";
import { prependTcp, SYN, Tcp } from "@netstrata/transport";
import { expect, test } from "vitest";
import { DEFAULT_DESTINATION_LIMIT } from "../src/index.ts";
import { MAX_SUSPECTS, NextHopHealth } from "../src/next-hop-health.ts";
import { Bench, datagram, icmp, octets, RecordingInterface } from "./bench-host.ts";

const FAR = ip("203.0.113.9");

function withRouters(...routers: string[]): Bench {
  const bench = new Bench();
  for (const [metric, router] of routers.entries()) {
    bench.layer.routes.add({ prefix: prefix("0.0.0.0/0"), interface: bench.link, nextHop: ip(router), metric });
  }
  return bench;
}

/** Who a datagram to `destination` is given to. */
function nextHop(bench: Bench, destination: IpAddress = FAR): string {
  const source = bench.layer.sourceFor(destination) ?? ip("192.0.2.1");
  bench.layer.send(PacketBuffer.allocate(bench.layer.headroom, 8), { source, destination, protocol: 17 });
  return bench.link.take()[0]?.nextHop ?? "nobody";
}

test("1122-3.3.1.2-1, 1122-3.3.1.3-1: the way to a destination is worked out once and kept", () => {
  const bench = withRouters("192.0.2.254");
  const first = bench.layer.destinations.lookup(FAR);
  nextHop(bench, ip("203.0.113.10"));
  expect(bench.layer.destinations.lookup(FAR)).toBe(first);
  expect(bench.layer.destinations.size).toBe(2);
});

test("1122-3.3.1.6-1, 1122-3.3.1.2-4: a change of routes or addresses counts from the next datagram on", () => {
  const bench = withRouters("192.0.2.254");
  expect(nextHop(bench)).toBe("192.0.2.254");
  bench.layer.routes.add({ prefix: prefix("203.0.113.9/32"), interface: bench.link, nextHop: ip("192.0.2.7") });
  expect(nextHop(bench)).toBe("192.0.2.7");
  bench.layer.addAddress(bench.link, prefix("203.0.113.1/24"));
  bench.layer.routes.remove((route) => route.prefix.length === 32);
  expect(nextHop(bench)).toBe("203.0.113.9");
  bench.layer.removeAddress(bench.link, ip("203.0.113.1"));
  expect(nextHop(bench)).toBe("192.0.2.254");
});

test("the cache is bounded: the oldest destination makes room, and is found again", () => {
  const bench = new Bench({ destinations: 100 });
  bench.layer.routes.add({ prefix: prefix("0.0.0.0/0"), interface: bench.link, nextHop: ip("192.0.2.254") });
  for (let count = 0; count < 1000; count += 1) nextHop(bench, (0x0a000000 + count) as IpAddress);
  expect(bench.layer.destinations.size).toBe(100);
  expect(bench.layer.destinations.evictions).toBe(900);
  expect(nextHop(bench, 0x0a000000 as IpAddress)).toBe("192.0.2.254");
  expect(DEFAULT_DESTINATION_LIMIT).toBe(4096);
  expect(() => new Bench({ destinations: Number.NaN })).toThrow(RangeError);
});

test("1122-3.3.1.2-3: of several default routers the one with the smallest metric is used", () => {
  expect(nextHop(withRouters("192.0.2.254", "192.0.2.253"))).toBe("192.0.2.254");
});

test("1122-3.3.1.5-1, 1122-3.3.1.4-1, 1122-3.3.1.4-4: a router reported dead by a transport is left for another", () => {
  const bench = withRouters("192.0.2.254", "192.0.2.253");
  bench.layer.adviseUnreachable(FAR);
  expect(nextHop(bench)).toBe("192.0.2.253");
  expect(nextHop(bench, ip("8.8.8.8"))).toBe("192.0.2.253");
  bench.layer.adviseUnreachable(FAR);
  // Both are suspect: better a doubtful router than none.
  expect(nextHop(bench)).toBe("192.0.2.254");
});

test("1122-3.3.1.5-1: so is one whose link address cannot be found", () => {
  const bench = withRouters("192.0.2.254", "192.0.2.253");
  const lost = icmp({ type: 8, code: 0, rest: 0 }, octets(8), { source: "192.0.2.1", destination: "203.0.113.9" });
  bench.layer.unresolved(lost, bench.link, ip("192.0.2.254"));
  expect(nextHop(bench)).toBe("192.0.2.253");
});

test("1122-3.3.1.4-2: no suspicion lasts for ever, and none outlasts a proof of life", () => {
  const health = new NextHopHealth(new Bench().clock);
  const bench = new Bench();
  const timed = new NextHopHealth(bench.clock);
  timed.suspect(FAR);
  expect(timed.isGood(FAR)).toBe(false);
  bench.clock.advance(60_000);
  expect(timed.isGood(FAR)).toBe(true);
  expect(health.suspect(FAR)).toBe(true);
  expect(health.suspect(FAR)).toBe(false);
  expect(health.absolve(FAR)).toBe(true);
  expect(health.isGood(FAR)).toBe(true);
});

test("suspicions are bounded: the oldest is forgotten", () => {
  const health = new NextHopHealth(new Bench().clock);
  for (let count = 0; count <= MAX_SUSPECTS; count += 1) health.suspect((0x0a000000 + count) as IpAddress);
  expect(health.isGood(0x0a000000 as IpAddress)).toBe(true);
  expect(health.isGood(0x0a000001 as IpAddress)).toBe(false);
});

test("a neighbour on the link that does not answer casts no suspicion: there is no other way to it", () => {
  const bench = withRouters("192.0.2.254");
  const before = bench.layer.destinations.lookup(FAR);
  const lost = icmp({ type: 8, code: 0, rest: 0 }, octets(8), { source: "192.0.2.1", destination: "192.0.2.9" });
  bench.layer.unresolved(lost, bench.link, ip("192.0.2.9"));
  bench.layer.adviseUnreachable(ip("192.0.2.9"));
  bench.layer.adviseUnreachable(ip("127.0.0.1"));
  expect(bench.layer.destinations.lookup(FAR)).toBe(before);
});

test("1122-3.3.1.4-3: progress heard by a transport confirms the next hop, so that nobody need ask it", () => {
  const bench = withRouters("192.0.2.254", "192.0.2.253");
  bench.layer.confirmReachability(FAR);
  bench.layer.confirmReachability(ip("192.0.2.2"));
  bench.layer.confirmReachability(ip("127.0.0.1"));
  expect(bench.link.confirmed).toEqual(["192.0.2.254", "192.0.2.2"]);
});

test("a forged SYN, whose answer nobody acknowledges, does not speak against a router; a connection of our own does", () => {
  const bench = withRouters("192.0.2.254", "192.0.2.253");
  const tcp = new Tcp(bench.host, bench.layer);
  tcp.listen({ address: ip("0.0.0.0"), port: 80 }, { acceptable: () => {} });
  const packet = PacketBuffer.allocate(20);
  const fields = { sourcePort: 5000, destinationPort: 80, seq: 1, ack: 0, flags: SYN, window: 1000, urgentPointer: 0 };
  prependTcp(packet, fields, 0, FAR, ip("192.0.2.1"));
  bench.link.deliver(datagram({ source: "203.0.113.9", protocol: 6 }, packet.slice()));
  bench.clock.advance(20_000);
  expect(bench.link.take().length).toBeGreaterThan(3);
  expect(nextHop(bench)).toBe("192.0.2.254");
  tcp.open({ address: FAR, port: 9 }, {});
  bench.clock.advance(20_000);
  bench.link.take();
  expect(nextHop(bench)).toBe("192.0.2.253");
});

// Path MTU

test("RFC 1191 §3: a smaller path MTU holds at once for its destination and no other", () => {
  const bench = withRouters("192.0.2.254");
  bench.layer.pathMtuReduced(FAR, 1400);
  expect(bench.layer.maxSendSize(FAR)).toBe(1380);
  expect(bench.layer.maxSendSize(ip("203.0.113.10"))).toBe(1480);
});

test("RFC 1191 §3: a message never raises the estimate, and never lowers it below 68", () => {
  const bench = withRouters("192.0.2.254");
  bench.layer.pathMtuReduced(FAR, 9000);
  expect(bench.layer.maxSendSize(FAR)).toBe(1480);
  bench.layer.pathMtuReduced(FAR, 1000);
  bench.layer.pathMtuReduced(FAR, 1200);
  expect(bench.layer.maxSendSize(FAR)).toBe(980);
  for (const mtu of [0, 1, 67]) {
    bench.layer.pathMtuReduced(FAR, mtu);
    expect(bench.layer.maxSendSize(FAR)).toBe(48);
  }
});

test("RFC 1191 §6.3: after ten minutes a larger one is tried again", () => {
  const bench = withRouters("192.0.2.254");
  bench.layer.pathMtuReduced(FAR, 1000);
  bench.clock.advance(599_999);
  expect(bench.layer.maxSendSize(FAR)).toBe(980);
  bench.clock.advance(1);
  expect(bench.layer.maxSendSize(FAR)).toBe(1480);
});

test("what was learnt outlives a change elsewhere, but not a change of the way itself", () => {
  const bench = withRouters("192.0.2.254");
  bench.layer.pathMtuReduced(FAR, 1000);
  bench.layer.addAddress(bench.link, prefix("10.0.0.1/8"));
  expect(bench.layer.maxSendSize(FAR)).toBe(980);
  bench.layer.routes.add({ prefix: prefix("203.0.113.0/24"), interface: bench.link, nextHop: ip("192.0.2.1") });
  expect(bench.layer.maxSendSize(FAR)).toBe(1480);
});

test("datagrams follow the path MTU: cut where that is allowed, refused where not", () => {
  const bench = withRouters("192.0.2.254");
  bench.layer.pathMtuReduced(FAR, 600);
  const send = (dontFragment: boolean): string => {
    const packet = PacketBuffer.allocate(bench.layer.headroom, 1000);
    return bench.layer.send(packet, { source: ip("192.0.2.1"), destination: FAR, protocol: 17, dontFragment });
  };
  expect(send(true)).toBe("message-too-long");
  expect(send(false)).toBe("sent");
  expect(bench.link.take().map(({ header }) => header.totalLength)).toEqual([596, 444]);
});

test("an echo client's path MTU follows the errors about its own requests", () => {
  const bench = withRouters("192.0.2.254");
  const errors: string[] = [];
  const client = bench.layer.echo.open({
    reply: () => {},
    error: ({ kind, mtu, from }) => errors.push(`${kind} ${mtu} ${formatIp(from)}`),
  });
  client.send({ destination: FAR, sequence: 1, payload: octets(1400), dontFragment: true });
  const [{ bytes }] = bench.link.take();
  bench.link.deliver(icmp({ type: 3, code: 4, rest: 1300 }, bytes.slice(0, 28), { source: "198.51.100.1" }));
  expect(errors).toEqual(["packet-too-big 1300 198.51.100.1"]);
  expect(bench.layer.maxSendSize(FAR)).toBe(1280);
});

test("RFC 5927 §7.2: what might have been fragmented was never too big, so that such an error about it teaches nothing", () => {
  const bench = withRouters("192.0.2.254");
  const errors: string[] = [];
  const client = bench.layer.echo.open({ reply: () => {}, error: ({ kind, mtu }) => errors.push(`${kind} ${mtu}`) });
  client.send({ destination: ip("203.0.113.10"), sequence: 1, payload: octets(100), dontFragment: true });
  client.send({ destination: FAR, sequence: 2, payload: octets(100) });
  const [, { bytes }] = bench.link.take();
  bench.link.deliver(icmp({ type: 3, code: 4, rest: 68 }, bytes.slice(0, 28), { source: "198.51.100.1" }));
  expect(errors).toEqual(["packet-too-big 68"]);
  expect(bench.layer.maxSendSize(FAR)).toBe(1480);
});

test("1812-5.3.12.3-1: when an interface goes, so do its routes, and the alternates are used", () => {
  const bench = withRouters("192.0.2.254");
  const other = new RecordingInterface("eth1");
  bench.layer.addInterface(other);
  bench.layer.addAddress(other, prefix("198.51.100.1/24"));
  bench.layer.routes.add({ prefix: prefix("203.0.113.0/24"), interface: other, nextHop: ip("198.51.100.2") });
  expect(nextHop(bench)).toBe("nobody");
  expect(other.take()[0].nextHop).toBe("198.51.100.2");
  bench.layer.removeInterface(other);
  expect(nextHop(bench)).toBe("192.0.2.254");
});
