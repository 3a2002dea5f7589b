// Fragments over IPv6: cut by the source only (RFC 8200 §4.5), put together without overlaps (RFC 5722).
import { ip, PacketBuffer, SeededRandom } from "@netstrata/core";
import { expect, test } from "vitest";
import { octets } from "./bench-host.ts";
import { bytesOf, datagramV6, extension, fragmentHeader, Ipv6Bench, icmpv6Of } from "./ipv6-bench.ts";

const UDP = 17;
const FRAGMENT = 44;

/** The fragment of `whole` from `offset` to `end`. */
function fragment(whole: Uint8Array, offset: number, end: number, identification = 7): PacketBuffer {
  const header = fragmentHeader(UDP, offset, end < whole.length, identification);
  return datagramV6({ protocol: FRAGMENT }, bytesOf(header, whole.subarray(offset, end)));
}

function send(bench: Ipv6Bench, length: number, options: object = {}): string {
  const packet = PacketBuffer.allocate(bench.layer.headroom, length);
  packet.set(octets(length));
  return bench.layer.send(packet, { source: ip("2001:db8::1"), destination: ip("2001:db8::2"), protocol: UDP, ...options });
}

test("RFC 8200 §4.5: what is cut by us comes together elsewhere, in any order, doubled or not", () => {
  const sender = new Ipv6Bench();
  const receiver = new Ipv6Bench();
  receiver.layer.addAddress(receiver.eth, { address: ip("2001:db8::2"), length: 64 });
  receiver.layer.removeAddress(receiver.eth, ip("2001:db8::1"));
  const random = new SeededRandom(3);
  for (const length of [1461, 3000, 65_535]) {
    expect(send(sender, length, { trafficClass: 2 })).toBe("sent");
    const pieces = sender.eth.takeV6();
    expect(pieces.every(({ bytes }) => bytes.length <= 1500)).toBe(true);
    expect(new Set(pieces.map(({ header }) => header.fragment?.identification)).size).toBe(1);
    expect(new Set(pieces.map(({ header }) => header.flowLabel)).size).toBe(1);
    const shuffled = [...pieces, pieces[0]].sort(() => random.uint32() - 0x80000000);
    for (const { bytes } of shuffled) receiver.eth.deliver(bytes);
    expect(receiver.udp.received.splice(0).map(({ payload }) => Buffer.compare(payload, octets(length)))).toEqual([0]);
    receiver.layer.ipv6.reassembler.clear();
  }
  expect(sender.layer.ipv6.counters).toMatchObject({ FragOKs: 3, FragFails: 0 });
});

test("RFC 8200 §5: who must not cut is told; a datagram has 65,535 octets of payload at most", () => {
  const bench = new Ipv6Bench();
  expect([send(bench, 1460, { dontFragment: true }), send(bench, 1461, { dontFragment: true })]).toEqual(["sent", "message-too-long"]);
  expect([send(bench, 65_535), send(bench, 65_536)]).toEqual(["sent", "message-too-long"]);
  expect(bench.takeDrops()).toEqual(["message-too-long", "message-too-long"]);
});

test("RFC 7739 §5: the identifications of two destinations say nothing about each other", () => {
  const bench = new Ipv6Bench();
  const idOf = (destination: string): number => {
    send(bench, 2000, { destination: ip(destination) });
    return bench.eth.takeV6()[0].header.fragment?.identification ?? -1;
  };
  const [a, b, c] = [idOf("2001:db8::2"), idOf("2001:db8::3"), idOf("2001:db8::2")];
  expect(c).toBe((a + 1) >>> 0);
  expect(Math.abs(a - b)).toBeGreaterThan(1000);
});

test("RFC 5722 §4: an overlap drops the datagram with all that has come of it and all that still comes", () => {
  const bench = new Ipv6Bench();
  const whole = octets(64);
  bench.eth.deliver(fragment(whole, 0, 32));
  bench.eth.deliver(fragment(whole, 24, 48));
  bench.eth.deliver(fragment(whole, 32, 64));
  expect(bench.udp.received).toEqual([]);
  expect(bench.takeDrops()).toEqual(["overlapping-fragment", "fragment-of-rejected"]);
  // Another identification is another datagram.
  for (const [from, to] of [
    [0, 32],
    [32, 64],
  ])
    bench.eth.deliver(fragment(whole, from, to, 8));
  expect(bench.udp.received).toHaveLength(1);
});

test("RFC 8200 §4.5: a length that is no multiple of 8: pointer at the Payload Length; beyond 65,535: at the offset", () => {
  const bench = new Ipv6Bench();
  bench.eth.deliver(fragment(octets(64), 0, 30));
  expect(icmpv6Of(bench.eth.takeV6()[0])).toMatchObject({ type: 4, code: 0, rest: 4 });
  bench.eth.deliver(datagramV6({ protocol: FRAGMENT }, bytesOf(fragmentHeader(UDP, 65_528, false), octets(16))));
  expect(icmpv6Of(bench.eth.takeV6()[0])).toMatchObject({ type: 4, code: 0, rest: 42 });
  expect(bench.takeDrops()).toEqual(["unaligned-fragment", "oversize-datagram"]);
});

test("RFC 7112 §5: the first fragment holds the whole chain, or is refused with code 3", () => {
  const refused = (nextHeader: number, payload: Uint8Array): unknown[] => {
    const bench = new Ipv6Bench();
    bench.eth.deliver(datagramV6({ protocol: FRAGMENT }, bytesOf(fragmentHeader(nextHeader, 0, true), payload)));
    return [
      bench.takeDrops(),
      ...bench.eth.takeV6().map((sent) => {
        const { type, code, rest } = icmpv6Of(sent);
        return [type, code, rest];
      }),
    ];
  };
  const incomplete = [["incomplete-header-chain"], [4, 3, 0]];
  expect(refused(6, octets(16))).toEqual(incomplete);
  expect(refused(60, extension(UDP, [1, 4]))).toEqual(incomplete);
  expect(refused(60, extension(UDP, [1, 4], 16).subarray(0, 8))).toEqual(incomplete);
  expect(refused(6, octets(24))).toEqual([[]]);
  expect(refused(UDP, octets(8))).toEqual([[]]);
  expect(refused(FRAGMENT, bytesOf(fragmentHeader(UDP, 0, false), octets(8)))).toEqual([["nested-fragment"]]);
});

test("RFC 8200 §4.1: the chain goes on in the whole datagram, where a second fragment header is one too many", () => {
  const whole = (hidden: Uint8Array, next: number): Ipv6Bench => {
    const bench = new Ipv6Bench();
    const inner = bytesOf(extension(next, [1, 4]), hidden, octets(16));
    bench.eth.deliver(datagramV6({ protocol: FRAGMENT }, bytesOf(fragmentHeader(60, 0, true), inner)));
    const rest = bytesOf(fragmentHeader(60, inner.length, false), octets(8));
    bench.eth.deliver(datagramV6({ protocol: FRAGMENT }, rest));
    return bench;
  };
  const good = whole(extension(UDP, [1, 4]), 60);
  expect(good.udp.received).toMatchObject([{ header: { protocol: UDP, headerLength: 56 }, payload: bytesOf(octets(16), octets(8)) }]);
  const bad = whole(fragmentHeader(UDP, 0, false), FRAGMENT);
  expect([bad.udp.received, bad.takeDrops()]).toEqual([[], ["nested-fragment"]]);
});

test("RFC 8200 §4.5: after 60 s the sender hears of it, if the first fragment has come", () => {
  const bench = new Ipv6Bench();
  const first = fragment(octets(64), 0, 32);
  bench.eth.deliver(first.slice());
  bench.eth.deliver(fragment(octets(64), 32, 48, 9));
  bench.clock.advance(59_999);
  expect(bench.takeDrops()).toEqual([]);
  bench.clock.advance(1);
  expect(bench.takeDrops()).toEqual(["reassembly-timeout", "reassembly-timeout"]);
  const [sent, ...others] = bench.eth.takeV6();
  expect(others).toEqual([]);
  expect(icmpv6Of(sent)).toEqual({ type: 3, code: 1, rest: 0, body: first.slice() });
  expect(bench.clock.armedTimers).toBe(0);
});

test("RFC 3168 §5.3: a mark on one fragment marks the whole", () => {
  const bench = new Ipv6Bench();
  const whole = octets(64);
  for (const [from, to, trafficClass] of [
    [0, 32, 2],
    [32, 64, 3],
  ]) {
    const header = fragmentHeader(UDP, from, to < 64);
    bench.eth.deliver(datagramV6({ protocol: FRAGMENT, trafficClass }, bytesOf(header, whole.subarray(from, to))));
  }
  expect(bench.udp.received).toMatchObject([{ header: { trafficClass: 3 } }]);
});

test("a flood of first fragments stays within the limits, and a whole datagram still comes through", () => {
  const bench = new Ipv6Bench({ reassembly: { datagrams: 16, octets: 10_000 } });
  for (let id = 0; id < 5000; id += 1) bench.eth.deliver(fragment(octets(64), 0, 32, id & 0xffff));
  expect(bench.layer.ipv6.reassembler.size).toBeLessThanOrEqual(16);
  expect(bench.layer.ipv6.reassembler.octets).toBeLessThanOrEqual(10_000);
  for (const [from, to] of [
    [0, 32],
    [32, 64],
  ])
    bench.eth.deliver(fragment(octets(64), from, to, 60_000));
  expect(bench.udp.received).toHaveLength(1);
});
