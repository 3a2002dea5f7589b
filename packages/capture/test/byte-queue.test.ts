import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteQueue } from "../src/byte-queue.ts";

const bytes = Uint8Array.from({ length: 200 }, (_, index) => index);

test("a piece within a chunk is a view of it, one across chunks is put together", () => {
  const queue = new ByteQueue();
  const chunk = bytes.slice(0, 10);
  queue.push(chunk);
  expect(queue.take(4)?.buffer).toBe(chunk.buffer);
  expect(queue.take(8)).toBeUndefined();
  queue.push(bytes.slice(10, 20));
  expect(queue.take(8)).toEqual(bytes.slice(4, 12));
  expect(queue.offset).toBe(12);
});

test("what has come in and not been taken is pending, and was not taken yet", () => {
  const queue = new ByteQueue();
  queue.push(bytes.slice(0, 3));
  expect(queue.take(5)).toBeUndefined();
  expect(queue.pending).toBe(3);
  expect(queue.offset).toBe(0);
});

test("a chunk may not be pushed before the one before is used up", () => {
  const queue = new ByteQueue();
  queue.push(bytes.slice(0, 3));
  expect(() => queue.push(bytes.slice(3))).toThrow(RangeError);
});

test("any chunks give the same pieces and skip the same octets", () => {
  const step = fc.record({ count: fc.integer({ min: 0, max: 30 }), skip: fc.boolean() });
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40 })), fc.array(step), (chunkSizes, steps) => {
      const queue = new ByteQueue();
      let fed = 0;
      const sizes = [...chunkSizes];
      const feed = (): boolean => {
        if (fed === bytes.length) return false;
        const size = sizes.shift() ?? bytes.length;
        queue.push(bytes.subarray(fed, fed + size));
        fed = Math.min(bytes.length, fed + size);
        return true;
      };
      let at = 0;
      for (const { count, skip } of steps) {
        let piece: Uint8Array | boolean | undefined;
        while (!(piece = skip ? queue.skip(count) : queue.take(count)) && feed());
        if (!piece) break;
        if (!skip) expect(piece).toEqual(bytes.subarray(at, at + count));
        at += count;
        expect(queue.offset).toBe(at);
      }
    }),
  );
});
