// The reassembler against a naive model: one entry an octet, first come first kept.
import { sequenceAdd } from "@netstrata/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_REASSEMBLY_PIECES, Reassembler } from "../../src/tcp/reassembler.ts";
import { octets } from "./peer.ts";

const STARTS = [0, 2 ** 31 - 100, 2 ** 32 - 100];

describe.each(STARTS)("a window that starts at %i", (base) => {
  const at = (offset: number): number => sequenceAdd(base, offset);

  test("segments 2, 3, 1 are one run", () => {
    const reassembler = new Reassembler();
    reassembler.insert(at(100), octets(100, 100));
    reassembler.insert(at(200), octets(100, 200));
    expect([reassembler.pieceCount, reassembler.take(at(0))]).toEqual([1, undefined]);
    expect(reassembler.take(at(100))).toEqual(octets(200, 100));
    expect(reassembler.length).toBe(0);
  });

  test("whatever arrives in whatever order, what is taken is what the octets that came first say", () => {
    const anySegment = fc.record({ offset: fc.nat(400), length: fc.integer({ min: 1, max: 60 }), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(anySegment, { maxLength: 40 }), (segments) => {
        const reassembler = new Reassembler();
        const model = new Map<number, number>();
        for (const { offset, length, value } of segments) {
          const bytes = Uint8Array.from({ length }, (_, index) => value + index);
          expect(reassembler.insert(at(offset), bytes)).toBe(true);
          for (const [index, octet] of bytes.entries()) if (!model.has(offset + index)) model.set(offset + index, octet);
          expect(reassembler.length).toBe(model.size);
        }
        // Takes everything, from hole to hole.
        let next = 0;
        while (model.size > 0) {
          while (!model.has(next)) next += 1;
          for (let bytes = reassembler.take(at(next)); bytes !== undefined; bytes = reassembler.take(at(next))) {
            for (const octet of bytes) {
              expect(octet).toBe(model.get(next));
              model.delete(next);
              next += 1;
            }
          }
          expect(model.has(next)).toBe(false);
        }
        expect([reassembler.length, reassembler.pieceCount]).toEqual([0, 0]);
      }),
      { numRuns: 300 },
    );
  });

  test("what the stream has passed meanwhile is thrown away, and a piece that straddles is cut", () => {
    const reassembler = new Reassembler();
    reassembler.insert(at(10), octets(10, 10));
    reassembler.insert(at(30), octets(10, 30));
    expect(reassembler.take(at(35))).toEqual(octets(5, 35));
    expect([reassembler.length, reassembler.pieceCount]).toEqual([0, 0]);
  });
});

describe("limits", () => {
  test("every other octet makes pieces up to the limit; what is beyond is refused and what is held stays", () => {
    const reassembler = new Reassembler();
    let refused = 0;
    for (let index = 1; index <= 2 * MAX_REASSEMBLY_PIECES; index += 1)
      if (!reassembler.insert(2 * index, Uint8Array.of(index))) refused += 1;
    expect([reassembler.pieceCount, refused, reassembler.length]).toEqual([
      MAX_REASSEMBLY_PIECES,
      MAX_REASSEMBLY_PIECES,
      MAX_REASSEMBLY_PIECES,
    ]);
    // A piece that only extends another still finds a place.
    expect(reassembler.insert(3, Uint8Array.of(1))).toBe(true);
  });

  test("a run of segments takes at most twice its octets of memory", () => {
    const reassembler = new Reassembler();
    for (let offset = 0; offset < 200_000; offset += 100) reassembler.insert(1 + offset, octets(100, offset));
    const { pieces } = reassembler as unknown as { pieces: { block: Uint8Array }[] };
    expect(pieces.reduce((sum, { block }) => sum + block.length, 0)).toBeLessThanOrEqual(400_000);
    expect(reassembler.length).toBe(200_000);
  });

  test("the segment is copied, because it is only lent", () => {
    const reassembler = new Reassembler();
    const lent = Uint8Array.of(1, 2, 3);
    reassembler.insert(5, lent);
    lent.fill(0);
    expect([...(reassembler.take(5) as Uint8Array)]).toEqual([1, 2, 3]);
  });
});

test("what is kept is a copy, also of a Node Buffer, whose slice is a view", () => {
  const reassembler = new Reassembler();
  const lent = Buffer.from(octets(10, 5));
  reassembler.insert(5, lent);
  lent.fill(0xdd);
  expect(Array.from(reassembler.take(5) ?? [])).toEqual(Array.from(octets(10, 5)));
});
