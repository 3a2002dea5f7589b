// Cutting datagrams (RFC 791 §3.2), and that reassembly undoes it.
import type { PacketBuffer } from "@netstrata/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fragmentIpv4, type Ipv4Header, readIpv4Header } from "../src/index.ts";
import { Bench, datagram, octets } from "./bench-host.ts";

function headerOf(fragment: PacketBuffer): Ipv4Header {
  const header = readIpv4Header(fragment.copy());
  if (typeof header === "string") throw new Error(header);
  return header;
}

function cut(packet: PacketBuffer, mtu: number): PacketBuffer[] {
  const fragments = fragmentIpv4(packet, mtu, 14);
  if (fragments === undefined) throw new Error("cannot be cut");
  return fragments;
}

test("1812-4.2.2.7-1: each fragment fits, says where it belongs, and all but the last end on 8 octets", () => {
  const fragments = cut(datagram({ identification: 4711, trafficClass: 3 }, octets(1000)), 300);
  expect(fragments.map(headerOf)).toMatchObject([
    { fragmentOffset: 0, totalLength: 300, moreFragments: true, identification: 4711, trafficClass: 3 },
    { fragmentOffset: 280, totalLength: 300, moreFragments: true, identification: 4711 },
    { fragmentOffset: 560, totalLength: 300, moreFragments: true, identification: 4711 },
    { fragmentOffset: 840, totalLength: 180, moreFragments: false, identification: 4711 },
  ]);
  expect(fragments.every((fragment) => fragment.headroom >= 14)).toBe(true);
});

test("a fragment that is cut again keeps its place and its flags", () => {
  const middle = cut(datagram({ fragmentOffset: 800, moreFragments: true }, octets(200)), 120);
  expect(middle.map(headerOf)).toMatchObject([
    { fragmentOffset: 800, moreFragments: true },
    { fragmentOffset: 896, moreFragments: true },
    { fragmentOffset: 992, moreFragments: true, totalLength: 28 },
  ]);
  const last = cut(datagram({ fragmentOffset: 800 }, octets(200)), 120);
  expect(last.map((fragment) => headerOf(fragment).moreFragments)).toEqual([true, true, false]);
});

test("1812-5.2.5-1: the reserved flag is copied into each fragment", () => {
  const packet = datagram({}, octets(100));
  packet.setU16(6, 0x8000);
  expect(cut(packet, 68).map((fragment) => fragment.u16(6) & 0x8000)).toEqual([0x8000, 0x8000, 0x8000]);
});

test("all options are in the first fragment, the copied ones in the others", () => {
  const options = Uint8Array.of(7, 7, 4, 0, 0, 0, 0, 1, 148, 4, 0, 0);
  const fragments = cut(datagram({ options }, octets(100)), 88);
  expect(fragments.map((fragment) => headerOf(fragment).headerLength)).toEqual([32, 24]);
  expect(fragments[0].slice(20, 12)).toEqual(options);
  expect(fragments[1].slice(20, 4)).toEqual(Uint8Array.of(148, 4, 0, 0));
});

test("where a header and 8 octets do not fit, nothing is cut", () => {
  expect(fragmentIpv4(datagram({ options: new Uint8Array(40).fill(1) }, octets(100)), 67, 0)).toBeUndefined();
  expect(cut(datagram({ options: new Uint8Array(40).fill(1) }, octets(100)), 68)[0].length).toBe(68);
});

test("1122-3.2.1.4-1, 1812-4.2.2.8-1: what was cut, cut again, shuffled and in part repeated comes together to the octet", () => {
  const scenario = fc.record({
    length: fc.integer({ min: 1, max: 6000 }),
    mtus: fc.array(fc.integer({ min: 68, max: 2000 }), { minLength: 1, maxLength: 3 }),
    optionCount: fc.integer({ min: 0, max: 10 }),
    order: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
    repeats: fc.infiniteStream(fc.boolean()),
  });
  fc.assert(
    fc.property(scenario, ({ length, mtus, optionCount, order, repeats }) => {
      const payload = octets(length);
      const options = new Uint8Array(4 * optionCount).fill(1);
      const bench = new Bench({ reassembly: { fragmentsPerDatagram: 1000 } });
      let pieces = [datagram({ options, identification: 5 }, payload)];
      for (const mtu of mtus) pieces = pieces.flatMap((piece) => (piece.length > mtu ? cut(piece, mtu) : [piece]));
      const [keys, again] = [order[Symbol.iterator](), repeats[Symbol.iterator]()];
      const shuffled = pieces.map((piece) => ({ piece, key: keys.next().value as number })).sort((a, b) => a.key - b.key);
      const last = shuffled[shuffled.length - 1];
      for (const entry of shuffled) {
        bench.link.deliver(entry.piece);
        if (entry !== last && again.next().value === true) bench.link.deliver(entry.piece);
      }
      expect(bench.udp.received).toHaveLength(1);
      expect(bench.udp.received[0].payload).toEqual(payload);
      expect(bench.layer.ipv4.reassembler.size).toBe(0);
      expect(bench.layer.ipv4.reassembler.octets).toBe(0);
      expect(bench.clock.armedTimers).toBe(0);
    }),
    { numRuns: 200 },
  );
});
