// The send buffer against the plainest model there is: one array of octets.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SendBuffer } from "../../src/tcp/send-buffer.ts";
import { octets } from "./peer.ts";

function copied(buffer: SendBuffer, offset: number, length: number): Uint8Array {
  const target = new Uint8Array(length + 2);
  buffer.copy(offset, length, target, 1);
  return target.subarray(1, length + 1);
}

type Step =
  | { readonly kind: "append"; readonly length: number }
  | { readonly kind: "acknowledge"; readonly part: number }
  | { readonly kind: "copy"; readonly from: number; readonly part: number };

const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("append" as const), length: fc.oneof(fc.nat(20), fc.nat(600), fc.nat(5000)) }),
  fc.record({ kind: fc.constant("acknowledge" as const), part: fraction }),
  fc.record({ kind: fc.constant("copy" as const), from: fraction, part: fraction }),
);

describe("the send buffer", () => {
  test("gives back at every offset what was put there, whatever was written, sent and acknowledged before", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 200 }), (steps) => {
        const buffer = new SendBuffer();
        let model = new Uint8Array(0);
        let written = 0;
        for (const step of steps) {
          if (step.kind === "append") {
            const bytes = octets(step.length, written);
            written += step.length;
            buffer.append(bytes);
            model = Uint8Array.from([...model, ...bytes]);
          } else if (step.kind === "acknowledge") {
            const count = Math.floor(step.part * model.length);
            buffer.acknowledge(count);
            model = model.slice(count);
          } else {
            const offset = Math.floor(step.from * model.length);
            const length = Math.floor(step.part * (model.length - offset));
            if (length > 0) expect(copied(buffer, offset, length)).toEqual(model.slice(offset, offset + length));
          }
          expect(buffer.length).toBe(model.length);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("a thousand one-octet writes are few chunks", () => {
    const buffer = new SendBuffer();
    for (let index = 0; index < 1000; index += 1) buffer.append(octets(1, index));
    expect(copied(buffer, 0, 1000)).toEqual(octets(1000));
    expect((buffer as unknown as { chunks: unknown[] }).chunks.length).toBeLessThanOrEqual(2);
  });

  test("large writes are kept by reference: nothing is copied but into the segment", () => {
    const buffer = new SendBuffer();
    const large = new Uint8Array(1000).fill(7);
    buffer.append(large);
    large.fill(8);
    expect([...copied(buffer, 0, 2)]).toEqual([8, 8]);
  });

  test("memory of what was acknowledged is let go, also in a stream without an end", () => {
    const buffer = new SendBuffer();
    const chunks = (): number => (buffer as unknown as { chunks: unknown[] }).chunks.length;
    let most = 0;
    for (let round = 0; round < 10_000; round += 1) {
      buffer.append(octets(600, 0));
      if (round >= 10) buffer.acknowledge(600);
      most = Math.max(most, chunks());
    }
    expect(most).toBeLessThan(300);
  });
});
