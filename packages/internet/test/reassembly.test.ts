// Reassembly: order, time, overlap, limits (RFC 1122 §3.3.2, RFC 5722, RFC 1858, RFC 3168 §5.3).
import { PacketBuffer, prefix } from "@netstrata/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FragmentList } from "../src/fragment-list.ts";
import { readIpv4Header } from "../src/index.ts";
import { Bench, type DatagramFields, datagram, icmpOf, octets } from "./bench-host.ts";

const WHOLE = octets(64);

/** Octets `from` to `to` of WHOLE. */
function fragment(from: number, to: number, fields: DatagramFields = {}): Uint8Array {
  return datagram({ fragmentOffset: from, moreFragments: to < WHOLE.length, ...fields }, WHOLE.slice(from, to)).slice();
}

/** Delivers all; gives the reasons of drops. */
function deliver(bench: Bench, ...fragments: Uint8Array[]): string[] {
  for (const each of fragments) bench.link.deliver(each);
  return bench.takeDrops();
}

function expectWhole(bench: Bench, payload: Uint8Array = WHOLE): void {
  expect(bench.udp.received.map((received) => received.payload)).toEqual([payload]);
  expect(bench.layer.ipv4.reassembler.size).toBe(0);
  expect(bench.layer.ipv4.reassembler.octets).toBe(0);
  expect(bench.clock.armedTimers).toBe(0);
}

test("fragments in any order make the datagram", () => {
  const pieces = [fragment(0, 16), fragment(16, 32), fragment(32, 48), fragment(48, 64)];
  fc.assert(
    fc.property(fc.shuffledSubarray(pieces, { minLength: 4 }), (order) => {
      const bench = new Bench();
      expect(deliver(bench, ...order)).toEqual([]);
      expectWhole(bench);
      expect(bench.layer.ipv4.counters).toMatchObject({ ReasmReqds: 4, ReasmOKs: 1, ReasmFails: 0, InDelivers: 1 });
    }),
  );
});

test("the header of the whole says what a whole datagram's says, with the options of the first fragment", () => {
  const bench = new Bench();
  const options = Uint8Array.of(148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0);
  deliver(bench, fragment(32, 64), fragment(0, 32, { options, timeToLive: 9 }));
  expect(bench.udp.received).toMatchObject([
    { header: { headerLength: 32, totalLength: 96, moreFragments: false, fragmentOffset: 0, timeToLive: 9 } },
  ]);
});

test("an error about the whole quotes a whole datagram, checksum and all", () => {
  const bench = new Bench();
  bench.udp.answer = "port-unreachable";
  deliver(bench, fragment(32, 64), fragment(0, 32, { options: Uint8Array.of(148, 4, 0, 0), trafficClass: 0b10 }));
  const quoted = PacketBuffer.wrap(icmpOf(bench.link.take()[0]).body.slice());
  expect(readIpv4Header(quoted)).toMatchObject({ totalLength: 88, moreFragments: false, identification: 1 });
  expect(quoted.slice()).toEqual(WHOLE);
});

test("source, destination, protocol and identification keep datagrams apart", () => {
  const bench = new Bench();
  bench.layer.addAddress(bench.link, prefix("192.0.2.77/24"));
  const others = [{ source: "192.0.2.3" }, { destination: "192.0.2.77" }, { protocol: 6 }, { identification: 2 }];
  deliver(bench, fragment(0, 32), ...others.map((fields) => fragment(32, 64, fields)));
  expect(bench.udp.received).toEqual([]);
  expect(bench.layer.ipv4.reassembler.size).toBe(5);
  deliver(bench, fragment(32, 64));
  expect(bench.udp.received).toHaveLength(1);
});

test("1122-3.3.2-1, 1122-3.3.2-2: the largest datagram there is can be reassembled", () => {
  const bench = new Bench();
  const payload = octets(65515);
  for (let at = 0; at < payload.length; at += 1480) {
    const moreFragments = at + 1480 < payload.length;
    deliver(bench, datagram({ fragmentOffset: at, moreFragments }, payload.slice(at, at + 1480)).slice());
  }
  expectWhole(bench, payload);
});

test("1122-3.3.2-4, 1122-3.3.2-5, 1812-4.3.3.4-1: after 60 seconds the sender of a first fragment is told, code 1", () => {
  const bench = new Bench();
  const first = fragment(0, 16);
  deliver(bench, first, fragment(32, 48));
  bench.clock.advance(59_999);
  expect(bench.layer.ipv4.reassembler.size).toBe(1);
  deliver(bench, fragment(16, 32));
  bench.clock.advance(1);
  const [error] = bench.link.take();
  expect(icmpOf(error)).toMatchObject({ type: 11, code: 1, body: first });
  expect(bench.layer.ipv4.reassembler.octets).toBe(0);
  expect(bench.layer.ipv4.counters).toMatchObject({ ReasmTimeout: 1, ReasmFails: 1 });
  expect(bench.clock.armedTimers).toBe(0);
});

test("1122-3.3.2-4: without the first fragment, or about a broadcast, time runs out in silence", () => {
  const bench = new Bench();
  deliver(bench, fragment(16, 32));
  bench.link.deliver(fragment(0, 16, { destination: "192.0.2.255" }), "broadcast");
  bench.clock.advance(60_000);
  expect(bench.link.take()).toEqual([]);
  expect(bench.layer.ipv4.counters.ReasmTimeout).toBe(2);
});

test("each datagram has its own time", () => {
  const bench = new Bench();
  deliver(bench, fragment(0, 16, { identification: 1 }));
  bench.clock.advance(20_000);
  deliver(bench, fragment(0, 16, { identification: 2 }));
  bench.clock.advance(40_000);
  expect(bench.layer.ipv4.reassembler.size).toBe(1);
  bench.clock.advance(20_000);
  expect(bench.layer.ipv4.reassembler.size).toBe(0);
  expect(bench.link.take().map(({ header }) => header.destination)).toHaveLength(2);
});

test("a fragment that comes twice is ignored the second time", () => {
  const bench = new Bench();
  expect(deliver(bench, fragment(0, 32), fragment(0, 32))).toEqual(["duplicate-fragment"]);
  deliver(bench, fragment(32, 64));
  expectWhole(bench);
});

test("RFC 5722 §4: an overlap, however it lies, rejects the datagram and what still comes of it", () => {
  const overlaps: [number, number][] = [
    [8, 24], // into the start of what is there
    [24, 40], // into its end
    [16, 24], // its first half
    [24, 32], // its second half
    [8, 40], // around it
    [16, 40], // from its start beyond it
  ];
  for (const [from, to] of overlaps) {
    const bench = new Bench();
    expect(deliver(bench, fragment(16, 32), fragment(from, to)), `${from}-${to}`).toEqual(["overlapping-fragment"]);
    expect(deliver(bench, fragment(0, 16), fragment(32, 64))).toEqual(["fragment-of-rejected", "fragment-of-rejected"]);
    expect(bench.udp.received).toEqual([]);
    bench.clock.advance(60_000);
    // The rejected record has gone, in silence.
    expect(bench.link.take()).toEqual([]);
    expect(bench.layer.ipv4.reassembler.octets).toBe(0);
    expect(bench.clock.armedTimers).toBe(0);
  }
});

test("RFC 5722 §4: the same place with other octets is an overlap too", () => {
  const bench = new Bench();
  const forged = datagram({ fragmentOffset: 16, moreFragments: true }, new Uint8Array(16)).slice();
  expect(deliver(bench, fragment(16, 32), forged)).toEqual(["overlapping-fragment"]);
});

test("a second end, or octets behind the end, reject the datagram", () => {
  for (const [first, second] of [
    [fragment(48, 64), fragment(64 - 32, 48, { moreFragments: false })],
    [fragment(32, 48, { moreFragments: false }), fragment(48, 56)],
    [fragment(48, 56), fragment(16, 32, { moreFragments: false })],
  ]) {
    const bench = new Bench();
    expect(deliver(bench, first, second)).toEqual(["conflicting-fragment"]);
    expect(deliver(bench, fragment(0, 16))).toEqual(["fragment-of-rejected"]);
  }
});

test("fragments that cannot be are dropped by themselves", () => {
  const cases: [string, Uint8Array][] = [
    ["empty-fragment", datagram({ fragmentOffset: 8 }, octets(0)).slice()],
    ["empty-fragment", datagram({ moreFragments: true }, octets(0)).slice()],
    ["unaligned-fragment", datagram({ moreFragments: true }, octets(15)).slice()],
    ["tiny-fragment", datagram({ protocol: 6, fragmentOffset: 8 }, octets(16)).slice()],
    ["oversize-datagram", datagram({ fragmentOffset: 65528 }, octets(8)).slice()],
    ["oversize-datagram", datagram({ fragmentOffset: 65512 }, octets(4)).slice()],
  ];
  for (const [reason, bytes] of cases) {
    const bench = new Bench();
    expect(deliver(bench, bytes)).toEqual([reason]);
    expect(bench.layer.ipv4.reassembler.size).toBe(0);
  }
});

test("a whole that is too long only together with its options is dropped", () => {
  const bench = new Bench({ reassembly: { fragmentsPerDatagram: 100 } });
  const payload = octets(65512);
  const options = new Uint8Array(4).fill(1);
  let reasons: string[] = [];
  for (let at = 0; at < payload.length; at += 1480) {
    const moreFragments = at + 1480 < payload.length;
    const piece = payload.slice(at, at + 1480);
    reasons = deliver(bench, datagram({ fragmentOffset: at, moreFragments, ...(at === 0 ? { options } : {}) }, piece).slice());
  }
  expect(reasons).toEqual(["oversize-datagram"]);
  expect(bench.layer.ipv4.reassembler.octets).toBe(0);
});

test("RFC 3168 §5.3: a congestion mark on one fragment is on the whole, unless others say that nobody looks", () => {
  const marked = new Bench();
  deliver(marked, fragment(0, 32, { trafficClass: 0b10 }), fragment(32, 64, { trafficClass: 0b11 }));
  expect(marked.udp.received[0].header.trafficClass).toBe(0b11);
  const mixed = new Bench();
  expect(deliver(mixed, fragment(0, 32, { trafficClass: 0b00 }), fragment(32, 64, { trafficClass: 0b11 }))).toEqual(["mixed-ecn"]);
  expect(mixed.layer.ipv4.reassembler.octets).toBe(0);
});

// Limits

test("no more fragments of one datagram than the limit", () => {
  const bench = new Bench({ reassembly: { fragmentsPerDatagram: 4 } });
  const few = [fragment(0, 8), fragment(8, 16), fragment(16, 24), fragment(24, 32)];
  expect(deliver(bench, ...few)).toEqual([]);
  expect(deliver(bench, fragment(32, 40))).toEqual(["too-many-fragments"]);
  expect(deliver(bench, fragment(40, 64))).toEqual(["fragment-of-rejected"]);
});

test("no more unfinished datagrams than the limit: the oldest goes", () => {
  const bench = new Bench({ reassembly: { datagrams: 10 } });
  for (let identification = 0; identification < 30; identification += 1) deliver(bench, fragment(0, 32, { identification }));
  expect(bench.layer.ipv4.reassembler.size).toBe(10);
  expect(bench.layer.ipv4.drops.counters["reassembly-evicted"]).toBe(20);
  deliver(bench, fragment(32, 64, { identification: 29 }));
  expect(bench.udp.received).toHaveLength(1);
  deliver(bench, fragment(32, 64, { identification: 0 }));
  expect(bench.udp.received).toHaveLength(1);
});

test("no more octets than the limit, whatever the fragments' sizes; afterwards all is as before", () => {
  for (const size of [8, 1480]) {
    const octetLimit = 50_000;
    const bench = new Bench({ reassembly: { octets: octetLimit } });
    let peak = 0;
    for (let count = 0; count < 5000; count += 1) {
      const fields = { identification: count & 0xffff, fragmentOffset: 8 * (count % 7), moreFragments: true };
      bench.link.deliver(datagram(fields, octets(size)));
      peak = Math.max(peak, bench.layer.ipv4.reassembler.octets);
    }
    expect(peak).toBeLessThanOrEqual(octetLimit);
    expect(bench.layer.ipv4.drops.counters["reassembly-evicted"]).toBeGreaterThan(4000);
    deliver(bench, fragment(0, 32, { identification: 9999 }), fragment(32, 64, { identification: 9999 }));
    expect(bench.udp.received).toHaveLength(1);
    bench.clock.advance(60_000);
    expect(bench.layer.ipv4.reassembler).toMatchObject({ size: 0, octets: 0 });
    expect(bench.clock.armedTimers).toBe(0);
  }
});

test("closing the layer forgets what is unfinished and leaves no timer", () => {
  const bench = new Bench();
  deliver(bench, fragment(0, 32));
  bench.layer.close();
  expect(bench.layer.ipv4.reassembler.octets).toBe(0);
  expect(bench.clock.armedTimers).toBe(0);
});

test("a list of fragments agrees with a simple model: an array of octets, each of which may be written once", () => {
  const piece = fc.record({ start: fc.nat(12), length: fc.integer({ min: 1, max: 5 }), isLast: fc.boolean() });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const list = new FragmentList();
      const owner = new Map<number, number>();
      const seen: { start: number; length: number; isLast: boolean }[] = [];
      let total: number | undefined;
      for (const { start, length, isLast } of pieces) {
        const places = Array.from({ length: 8 * length }, (_, index) => 8 * start + index);
        const end = 8 * (start + length);
        const isTaken = places.some((place) => owner.has(place));
        const isRepeat = seen.some((one) => one.start === start && one.length === length && one.isLast === isLast);
        const isConflict = (total !== undefined && (isLast || end > total)) || (isLast && [...owner.keys()].some((place) => place >= end));
        const verdict = list.add(8 * start, Uint8Array.from(places), isLast, 100);
        if (isTaken) {
          expect(verdict).toBe(isRepeat ? "duplicate-fragment" : "overlapping-fragment");
          if (isRepeat) continue;
          return;
        }
        if (isConflict) {
          expect(verdict).toBe("conflicting-fragment");
          return;
        }
        for (const place of places) owner.set(place, place);
        seen.push({ start, length, isLast });
        if (isLast) total = end;
        const isComplete = total !== undefined && owner.size === total;
        expect(verdict).toBe(isComplete ? "complete" : "pending");
        if (!isComplete) continue;
        const whole = new Uint8Array(list.totalLength);
        list.copyTo(whole, 0);
        expect(whole).toEqual(octets(whole.length));
        return;
      }
    }),
    { numRuns: 2000 },
  );
});

test("fragments are copied out of the device's buffer, also when that is a Node Buffer, whose slice is a view", () => {
  const bench = new Bench();
  const options = Uint8Array.of(148, 4, 0, 0);
  expect(deliver(bench, Buffer.from(fragment(32, 64)), Buffer.from(fragment(0, 32, { options })))).toEqual([]);
  expectWhole(bench);
  deliver(bench, Buffer.from(fragment(0, 32, { options })));
  bench.clock.advance(60_000);
  const quoted = PacketBuffer.wrap(icmpOf(bench.link.take()[0]).body.slice());
  expect(readIpv4Header(quoted)).toMatchObject({ headerLength: 24, totalLength: 56 });
  expect(quoted.slice()).toEqual(WHOLE.slice(0, 32));
});

test("a limit given as undefined is the default; one that would limit nothing throws", () => {
  const bench = new Bench({ reassembly: { datagrams: undefined } });
  for (let identification = 0; identification < 2000; identification += 1) deliver(bench, fragment(0, 8, { identification }));
  expect(bench.layer.ipv4.reassembler.size).toBe(1024);
  expect(() => new Bench({ reassembly: { octets: Number.NaN } })).toThrow(RangeError);
});
