// The receive buffer against an array of octets.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReceiveBuffer } from "../../src/tcp/receive-buffer.ts";
import { octets } from "./peer.ts";

type Step =
  | { readonly kind: "append"; readonly length: number }
  | { readonly kind: "read"; readonly limit: number }
  | { readonly kind: "read into"; readonly length: number };

const size = fc.oneof(fc.nat(10), fc.nat(2000), fc.nat(100_000));
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("append" as const), length: size }),
  fc.record({ kind: fc.constant("read" as const), limit: size }),
  fc.record({ kind: fc.constant("read into" as const), length: size }),
);

describe("the receive buffer", () => {
  test("gives the octets in their order, in pieces of at most the limit", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const buffer = new ReceiveBuffer();
        let written = 0;
        let read = 0;
        for (const step of steps) {
          if (step.kind === "append") {
            buffer.append(octets(step.length, written));
            written += step.length;
          } else if (step.kind === "read") {
            const bytes = buffer.read(step.limit);
            expect(bytes === undefined).toBe(step.limit === 0 || read === written);
            if (bytes === undefined) continue;
            expect(bytes.length).toBeGreaterThan(0);
            expect(bytes.length).toBeLessThanOrEqual(step.limit);
            expect(Buffer.from(bytes).equals(octets(bytes.length, read))).toBe(true);
            read += bytes.length;
          } else {
            const target = new Uint8Array(step.length);
            const count = buffer.readInto(target);
            expect(count).toBe(Math.min(step.length, written - read));
            expect(Buffer.from(target.subarray(0, count)).equals(octets(count, read))).toBe(true);
            read += count;
          }
          expect(buffer.length).toBe(written - read);
        }
      }),
      { numRuns: 100 },
    );
  });

  test("what was read is the reader's: later arrivals do not change it", () => {
    const buffer = new ReceiveBuffer();
    buffer.append(Uint8Array.from([1, 2, 3, 4]));
    const limited = buffer.read(2) as Uint8Array;
    const rest = buffer.read(100) as Uint8Array;
    buffer.append(Uint8Array.from([9, 9, 9, 9]));
    expect([...limited, ...rest]).toEqual([1, 2, 3, 4]);
    limited.fill(7);
    rest.fill(7);
    expect([...(buffer.read(100) as Uint8Array)]).toEqual([9, 9, 9, 9]);
  });

  test("the arriving packet is copied, because it is only lent", () => {
    const buffer = new ReceiveBuffer();
    const lent = Uint8Array.from([1, 2, 3]);
    buffer.append(lent);
    lent.fill(0);
    expect([...(buffer.read(3) as Uint8Array)]).toEqual([1, 2, 3]);
  });

  test("single octets do not take a block each", () => {
    const buffer = new ReceiveBuffer();
    for (let index = 0; index < 10_000; index += 1) buffer.append(Uint8Array.of(index));
    const { blocks } = buffer as unknown as { blocks: Uint8Array[] };
    expect(blocks.reduce((sum, block) => sum + block.length, 0)).toBeLessThan(4 * 10_000);
    expect(blocks.length).toBeLessThan(20);
  });

  test("an empty one is empty after clear, and can be used again", () => {
    const buffer = new ReceiveBuffer();
    buffer.append(octets(1000));
    buffer.read(10);
    buffer.clear();
    expect([buffer.length, buffer.read(10)]).toEqual([0, undefined]);
    buffer.append(octets(5));
    expect(buffer.read(10)).toEqual(octets(5));
  });
});
