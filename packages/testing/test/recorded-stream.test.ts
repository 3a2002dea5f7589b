import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_WAITING_PIECES, RecordedStream } from "../src/replay/recorded-stream.ts";
import { sampleBytes } from "./world-recording.ts";

describe("a recorded stream", () => {
  test("any order, repetition and overlap of its pieces gives the same octets", () => {
    const whole = sampleBytes(300);
    const piece = fc.tuple(fc.nat(299), fc.integer({ min: 1, max: 50 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const stream = new RecordedStream();
        for (const [offset, length] of pieces) stream.add(offset, whole.subarray(offset, offset + length), 0);
        const covered = new Set(
          pieces.flatMap(([offset, length]) => Array.from({ length: Math.min(length, 300 - offset) }, (_, index) => offset + index)),
        );
        let contiguous = 0;
        while (covered.has(contiguous)) contiguous += 1;
        expect(stream.length).toBe(contiguous);
        expect([...stream.bytes]).toEqual([...whole.subarray(0, contiguous)]);
        expect(stream.contradicts).toBe(false);
      }),
    );
  });

  test("other octets for the same place are a contradiction, in the stream and ahead of it", () => {
    const inStream = new RecordedStream();
    inStream.add(0, Uint8Array.of(1, 2, 3), 0);
    inStream.add(1, Uint8Array.of(9), 0);
    expect(inStream.contradicts).toBe(true);
    const ahead = new RecordedStream();
    ahead.add(10, Uint8Array.of(1, 2, 3), 0);
    ahead.add(11, Uint8Array.of(9), 0);
    expect(ahead.contradicts).toBe(true);
  });

  test("what repeats acknowledged octets is not looked at: a keep-alive's octet is garbage", () => {
    const stream = new RecordedStream();
    stream.add(0, Uint8Array.of(1, 2, 3), 0);
    stream.add(2, Uint8Array.of(0), 3);
    expect(stream.contradicts).toBe(false);
    expect([...stream.bytes]).toEqual([1, 2, 3]);
  });

  test("pieces that wait are limited in number", () => {
    const stream = new RecordedStream();
    for (let index = 0; index < MAX_WAITING_PIECES + 10; index += 1) stream.add(10 + 2 * index, Uint8Array.of(1), 0);
    stream.add(0, new Uint8Array(10), 0);
    for (let index = 0; index < MAX_WAITING_PIECES + 10; index += 1) stream.add(11 + 2 * index, Uint8Array.of(2), 0);
    // The last ones were forgotten, so the stream stops where they would have been.
    expect(stream.length).toBe(10 + 2 * MAX_WAITING_PIECES);
  });
});
