// The packet filter: which rule decides, what the sender hears, and what its text says.
import { ip, PacketBuffer, prefix } from "@netstrata/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type FilterRule,
  formatRule,
  type InternetOptions,
  PacketFilter,
  parseRule,
  prependIcmpv6,
  prependIpv6,
  readUncheckedIpv6Header,
} from "../../src/index.ts";
import { address, Bench, icmp, icmpOf, octets } from "../bench-host.ts";
import { ACK, checksumOf, endsOf, gatewayBench, INNER, RST, SERVER, SYN, tcp, udp } from "./gateway-bench.ts";

const US = { to: "192.0.2.1" };

test("the first rule that matches decides; where none does, the packet is accepted; each rule counts", () => {
  const { bench, gateway, outside } = gatewayBench({ filter: { input: ["accept udp from 192.0.2.0/24 to any port 80", "drop udp"] } });
  outside.deliver(udp({ ...US, from: "192.0.2.7" }));
  outside.deliver(udp({ ...US, from: "192.0.2.7", toPort: 81 }));
  outside.deliver(udp({ ...US, from: "198.51.100.7" }));
  outside.deliver(icmp({ type: 8, code: 0, rest: 1 }, octets(8)));
  expect(bench.udp.received).toHaveLength(1);
  expect(outside.take()).toHaveLength(1);
  expect(bench.takeDrops()).toEqual(["filtered", "filtered"]);
  expect(gateway.filter.input.rules.map(({ packets, octets: sum }) => [packets, sum])).toEqual([
    [1, 48],
    [2, 96],
  ]);
});

test("rules come and go while packets pass", () => {
  const { bench, gateway, outside } = gatewayBench({ filter: {} });
  const { input } = gateway.filter;
  outside.deliver(udp({ ...US, from: "192.0.2.7" }));
  input.insert("drop");
  outside.deliver(udp({ ...US, from: "192.0.2.7" }));
  input.insert({ action: "accept", protocol: 17 }, 0);
  outside.deliver(udp({ ...US, from: "192.0.2.7" }));
  expect(input.toString()).toBe("accept protocol 17\ndrop");
  for (const rule of input.rules) input.remove(rule);
  outside.deliver(udp({ ...US, from: "192.0.2.7" }));
  expect(bench.udp.received).toHaveLength(3);
});

test("a firewall that lets out what inner hosts begin, and in what answers it", () => {
  const { bench, inside, outside } = gatewayBench({
    filter: { forward: ["accept state established,related", "accept in eth1 state new", "drop"] },
  });
  const back = { from: SERVER, fromPort: 80, to: INNER, toPort: 5000 };
  outside.deliver(tcp(SYN, back));
  expect(inside.take()).toEqual([]);
  inside.deliver(tcp(SYN));
  expect(outside.take()).toHaveLength(1);
  outside.deliver(tcp(SYN | ACK, back));
  outside.deliver(icmp({ type: 3, code: 1, rest: 0 }, tcp(SYN).slice(), { source: "198.51.100.1", destination: INNER }));
  expect(inside.take()).toHaveLength(2);
  // Neither an answer to nothing, nor the middle of a connection that nobody has begun, nor an error about one.
  outside.deliver(tcp(SYN | ACK, { ...back, toPort: 5001 }));
  outside.deliver(tcp(ACK, { ...back, toPort: 5002 }));
  outside.deliver(icmp({ type: 3, code: 1, rest: 0 }, tcp(SYN, { fromPort: 1 }).slice(), { source: "198.51.100.1", destination: INNER }));
  inside.deliver(tcp(ACK, { fromPort: 5003 }));
  expect([...inside.take(), ...outside.take()]).toEqual([]);
  expect(bench.takeDrops()).toEqual(Array(5).fill("filtered"));
});

test("RFC 1812 §5.2.7.1: what is rejected is answered: a reset, port unreachable, or administratively prohibited", () => {
  const { inside } = gatewayBench({ filter: { forward: ["reject prohibited to any port 25", "reject"] } });
  inside.deliver(tcp(SYN));
  inside.deliver(tcp(ACK));
  inside.deliver(tcp(RST));
  inside.deliver(udp());
  inside.deliver(tcp(SYN, { toPort: 25 }));
  const [toSyn, toAck, unreachable, prohibited, ...others] = inside.take();
  expect(others).toEqual([]);
  for (const reset of [toSyn, toAck]) {
    expect(endsOf(reset)).toBe("203.0.113.9:80 > 10.0.0.2:5000");
    expect(checksumOf(reset)).toBe(0);
  }
  const fields = ({ payload }: typeof toSyn): number[] => [payload[13], ...[4, 8].map((at) => (payload[at + 2] << 8) | payload[at + 3])];
  expect(fields(toSyn)).toEqual([RST | ACK, 0, 1001]);
  expect(fields(toAck)).toEqual([RST, 2000, 0]);
  expect(icmpOf(unreachable)).toMatchObject({ type: 3, code: 3 });
  expect(icmpOf(prohibited)).toMatchObject({ type: 3, code: 13 });
});

test("what this host sends is filtered as well, and lost as on the way", () => {
  const { bench, outside } = gatewayBench({ filter: { output: ["drop udp out eth0 to 203.0.113.0/24"] } });
  const send = (destination: string): string => {
    const packet = PacketBuffer.allocate(bench.layer.headroom, 16);
    return bench.layer.send(packet, { source: address("192.0.2.1"), destination: address(destination), protocol: 17 });
  };
  expect([send(SERVER), send("198.51.100.7")]).toEqual(["sent", "sent"]);
  expect(outside.take()).toHaveLength(1);
  expect(bench.takeDrops()).toEqual(["filtered-output"]);
});

test("RFC 1858 §3: fragments are put together before rules look for ports", () => {
  const { inside, outside } = gatewayBench({ filter: { forward: ["drop udp to any port 80"] } });
  const bytes = udp({}, octets(100)).slice(20);
  const fragment = (from: number, to: number, moreFragments: boolean): Uint8Array => {
    const piece = udp({}, octets(0), { fragmentOffset: from, moreFragments, identification: 9 });
    const packet = PacketBuffer.allocate(0, 20 + to - from);
    packet.set(piece.slice(0, 20));
    packet.set(bytes.subarray(from, to), 20);
    packet.setU16(2, packet.length);
    packet.setU16(10, 0);
    let sum = 0;
    for (let at = 0; at < 20; at += 2) sum += packet.u16(at);
    packet.setU16(10, ~((sum & 0xffff) + (sum >>> 16)) & 0xffff);
    return packet.slice();
  };
  inside.deliver(fragment(0, 64, true));
  inside.deliver(fragment(64, bytes.length, false));
  expect(outside.take()).toEqual([]);
});

test("reverse-path check: off unless asked for (RFC 1812 §5.3.8); strict by the interface, loose by any route (RFC 3704 §2.2, §2.4)", () => {
  const spoofed = { from: "198.51.100.9", to: SERVER };
  const passes = (options: InternetOptions): number => {
    const { bench, inside, outside } = gatewayBench({ filter: {}, ...options });
    inside.deliver(udp(spoofed));
    inside.deliver(udp());
    bench.layer.routes.remove(({ prefix: { length } }) => length === 0);
    bench.layer.routes.add({ prefix: prefix("203.0.113.0/24"), interface: outside, nextHop: ip("192.0.2.254") });
    inside.deliver(udp({ ...spoofed, from: "198.18.0.1" }));
    return outside.take().length;
  };
  expect(passes({})).toBe(3);
  expect(passes({ reversePathCheck: "strict" })).toBe(1);
  expect(passes({ reversePathCheck: "loose" })).toBe(2);
});

test("MSS clamping: SYNs announce no more than the narrower link takes, wherever the option stands", () => {
  for (const options of [
    [2, 4, 0x05, 0xb4],
    [1, 2, 4, 0x05, 0xb4, 1, 1, 0],
    [1, 1, 2, 4, 0x05, 0xb4, 0, 0],
  ]) {
    const { bench, inside } = gatewayBench({ mssClamping: true });
    const narrow = bench.addLink("eth2", "198.51.100.1/24", 1280);
    inside.deliver(tcp(SYN, { to: "198.51.100.9" }, Uint8Array.from(options)));
    const [sent] = narrow.take();
    const at = sent.payload.indexOf(4, 20);
    expect((sent.payload[at + 1] << 8) | sent.payload[at + 2]).toBe(1240);
    expect(checksumOf(sent)).toBe(0);
  }
});

test("rules are checked when they are made", () => {
  for (const rule of [
    "allow",
    "",
    "accept from",
    "accept from 10.0.0.0/33",
    "accept from elsewhere",
    "accept tcp to any port 65536",
    "accept tcp to any port 20-10",
    "accept state open",
    "accept protocol 256",
    "accept protocol sctp",
    "accept quickly",
  ]) {
    expect(() => new PacketFilter({ input: [rule] }), rule).toThrow(RangeError);
  }
});

test("property: a rule is its text", () => {
  const port = fc.oneof(fc.integer({ min: 0, max: 65535 }).map(String), fc.constant("1024-65535"));
  const side = fc.option(fc.array(fc.constantFrom("10.0.0.0/8", "192.0.2.1", "2001:db8::/32"), { minLength: 1, maxLength: 3 }), {
    nil: undefined,
  });
  const ports = fc.option(fc.array(port, { minLength: 1, maxLength: 3 }), { nil: undefined });
  const rule: fc.Arbitrary<FilterRule> = fc.record(
    {
      action: fc.constantFrom("accept", "drop", "reject"),
      prohibited: fc.constant(true),
      in: fc.constantFrom("eth0", "wan"),
      out: fc.constantFrom("eth1", "lan"),
      protocol: fc.oneof(fc.constantFrom("tcp", "udp", "icmp", "icmpv6"), fc.integer({ min: 0, max: 255 })),
      from: side,
      to: side,
      fromPort: ports,
      toPort: ports,
      state: fc.subarray(["new", "established", "related", "invalid", "untracked"], { minLength: 1 }),
    },
    { requiredKeys: ["action"] },
  ) as fc.Arbitrary<FilterRule>;
  fc.assert(
    fc.property(rule, (each) => {
      expect(parseRule(formatRule(each))).toEqual(JSON.parse(JSON.stringify(each)));
      new PacketFilter({ input: [each] });
    }),
  );
});

test("property: no text makes the parser throw anything but a RangeError", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("accept", "from", "to", "any", "port", "80", "state", "new", "in", "x", "protocol")), (words) => {
      try {
        new PacketFilter({ input: [words.join(" ")] });
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});

/** A UDP datagram over IPv6, or a fragment of one. */
function udp6(source: string, destination: string, port: number, fragment?: { offset: number; more: boolean }): Uint8Array {
  const packet = PacketBuffer.allocate(100, 24);
  packet.setU16(0, 5000);
  packet.setU16(2, port);
  packet.setU16(4, 24);
  if (fragment !== undefined) {
    packet.prepend(8);
    packet.setU8(0, 17);
    packet.setU16(2, fragment.offset | (fragment.more ? 1 : 0));
    packet.setU32(4, 99);
  }
  const fields = { protocol: fragment === undefined ? 17 : 44, timeToLive: 64, trafficClass: 0, flowLabel: 0 };
  prependIpv6(packet, { ...fields, source: ip(source) as never, destination: ip(destination) as never });
  return packet.slice();
}

/** IPv6 through a host between two links that only keep what they are given. */
function bench6(options: InternetOptions): { bench: Bench; sent: () => Uint8Array[] } {
  const bench = new Bench({ forwarding: true, ...options });
  const out = bench.addLink("eth1", "10.0.0.1/24");
  const sent: Uint8Array[] = [];
  for (const link of [bench.link, out]) link.send = (datagram) => void sent.push(datagram.slice());
  bench.layer.addAddress(bench.link, prefix("2001:db8:1::1/64"));
  bench.layer.addAddress(out, prefix("2001:db8:2::1/64"));
  return { bench, sent: () => sent.splice(0) };
}

const LEFT = "2001:db8:1::2";
const RIGHT = "2001:db8:2::2";

test("RFC 4443 §3.1: IPv6 is filtered by the same rules, and rejected as ICMPv6 says", () => {
  const { bench, sent } = bench6({ filter: { forward: ["reject udp to 2001:db8:2::/64 port 53", "reject prohibited to any port 54"] } });
  for (const port of [53, 54, 80]) bench.link.deliver(udp6(LEFT, RIGHT, port));
  const passed = sent();
  expect(passed.map((bytes) => [bytes[6], bytes[6] === 58 ? bytes[41] : 0])).toEqual([
    [58, 4],
    [58, 1],
    [17, 0],
  ]);
  expect(bench.layer.ipv6.drops.counters.filtered).toBe(2);
});

test("RFC 4443: what answers is established, and an error about it related, in IPv6 too", () => {
  const { bench, sent } = bench6({ filter: { forward: ["accept state established,related", "accept in eth1", "drop"] } });
  const inner = bench.layer.interfaces[2] as typeof bench.link;
  const question = udp6(RIGHT, LEFT, 5000);
  const error = PacketBuffer.allocate(100, question.length);
  error.set(question);
  prependIcmpv6(error, { type: 1, code: 3, rest: 0 }, ip("2001:db8:1::9"), ip(RIGHT));
  const fields = { protocol: 58, timeToLive: 64, trafficClass: 0, flowLabel: 0 };
  prependIpv6(error, { ...fields, source: ip("2001:db8:1::9") as never, destination: ip(RIGHT) as never });
  bench.link.deliver(error.slice());
  bench.link.deliver(udp6(LEFT, RIGHT, 5000));
  expect(sent()).toHaveLength(0);
  inner.deliver(question);
  bench.link.deliver(udp6(LEFT, RIGHT, 5000));
  bench.link.deliver(error.slice());
  expect(sent()).toHaveLength(3);
});

test("RFC 7112 §5: later fragments share the fate of the first, and do not pass without it", () => {
  const { bench, sent } = bench6({ filter: { forward: ["drop udp to any port 53"] } });
  const send = (port: number, offset: number): number => {
    bench.link.deliver(udp6(LEFT, RIGHT, port, { offset, more: offset === 0 }));
    return sent().length;
  };
  expect(send(53, 0)).toBe(0);
  expect(send(53, 24)).toBe(0);
  expect(bench.layer.ipv6.drops.counters["fragment-without-first"]).toBe(1);
  expect(send(80, 0)).toBe(1);
  expect(send(80, 24)).toBe(1);
  bench.clock.advance(60_001);
  expect(send(80, 24)).toBe(0);
  expect(typeof readUncheckedIpv6Header(PacketBuffer.wrap(udp6(LEFT, RIGHT, 1)))).toBe("object");
});

test("IPv6 for this host is filtered behind its extension headers", () => {
  const { bench } = bench6({ filter: { input: ["drop udp to any port 53"] } });
  bench.link.deliver(udp6(LEFT, "2001:db8:1::1", 53));
  bench.link.deliver(udp6(LEFT, "2001:db8:1::1", 53, { offset: 0, more: false }));
  bench.link.deliver(udp6(LEFT, "2001:db8:1::1", 80));
  expect(bench.udp.received).toHaveLength(1);
});
