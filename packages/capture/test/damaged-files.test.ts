// Files that end too early or hold anything at all: every whole packet, then a CaptureError, and nothing else.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readStreamBatches } from "../src/node.ts";
import type { ChunkSource, ReadOptions } from "../src/read-capture.ts";
import { cut, type Reader, readAll } from "./packets.ts";
import { SAMPLE_FILES } from "./sample-files.ts";

async function* nodeReader(source: ChunkSource, options?: ReadOptions): AsyncGenerator<Awaited<ReturnType<typeof readAll>>["packets"][0]> {
  for await (const batch of readStreamBatches(source as AsyncIterable<Uint8Array>, options)) yield* batch;
}

async function* asynchronously(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

const READERS: readonly (readonly [name: string, reader: Reader | undefined])[] = [
  ["the reader for everywhere", undefined],
  ["the reader for Node", nodeReader],
];

describe.each(READERS)("%s", (_name, reader) => {
  test.each(SAMPLE_FILES)("truncated at every octet, delivers every whole packet and then says so: $name", async (sample) => {
    for (let length = 0; length < sample.bytes.length; length += 1) {
      for (const chunkSize of [1, 13, sample.bytes.length]) {
        const source = asynchronously(cut(sample.bytes.subarray(0, length), chunkSize));
        const { packets, error } = await readAll(source, { name: "cut" }, reader);
        const whole = sample.packetEnds.filter((end) => end <= length).length;
        expect(packets.map(({ bytes }) => Uint8Array.from(bytes))).toEqual(sample.packets.slice(0, whole));
        if (sample.wholeAt.includes(length)) {
          expect(error).toBeUndefined();
        } else {
          const byteOffset = sample.wholeAt.filter((end) => end < length).at(-1) ?? 0;
          expect(error).toMatchObject({ code: "truncated", file: "cut", byteOffset, packetNumber: byteOffset === 0 ? 0 : whole + 1 });
          expect(error?.message).toContain(`at byte ${byteOffset}`);
        }
      }
    }
  });

  test("random octets behind any magic number never cause another error", async () => {
    const magic = fc.constantFrom(...SAMPLE_FILES.map(({ bytes }) => bytes.subarray(0, 24)));
    await fc.assert(
      fc.asyncProperty(magic, fc.integer({ min: 0, max: 24 }), fc.uint8Array({ maxLength: 400 }), async (head, kept, tail) => {
        await readAll(asynchronously([head.subarray(0, kept), tail]), {}, reader);
      }),
      { numRuns: 300 },
    );
  });

  test("files with a few octets changed never cause another error", async () => {
    const change = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SAMPLE_FILES), fc.array(change, { maxLength: 5 }), async (sample, changes) => {
        const bytes = sample.bytes.slice();
        for (const { at, value } of changes) bytes[at % bytes.length] = value;
        const { packets } = await readAll(asynchronously(cut(bytes, 100)), {}, reader);
        expect(packets.reduce((sum, packet) => sum + packet.bytes.length, 0)).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 300 },
    );
  });
});

test("both readers say the same of everything", async () => {
  const change = fc.record({ at: fc.nat({ max: 60 }), value: fc.integer({ min: 0, max: 255 }) });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...SAMPLE_FILES), fc.array(change, { maxLength: 2 }), async (sample, changes) => {
      const bytes = sample.bytes.slice();
      for (const { at, value } of changes) bytes[at % bytes.length] = value;
      const here = await readAll([bytes]);
      const node = await readAll(asynchronously([bytes]), {}, nodeReader);
      expect(node.error?.message).toBe(here.error?.message);
      expect(node.packets.map((packet) => ({ ...packet, bytes: Uint8Array.from(packet.bytes) }))).toEqual(here.packets);
    }),
    { numRuns: 300 },
  );
});
