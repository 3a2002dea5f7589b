import { foldChecksum, foldSum, PacketBuffer, sumBytes, sumPacket, updateChecksum } from "@netstrata/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

/** The sum as RFC 1071 §4.1 has it, one word at a time and folded at once. */
function naiveSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) {
    sum += bytes[index] * 256 + (bytes[index + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

/** Sums are equal when they are congruent modulo 65535; 0 only ever comes of zeros. */
function sameSum(a: number, b: number): boolean {
  return a % 0xffff === b % 0xffff && (a === 0) === (b === 0);
}

describe("the Internet checksum (RFC 1071)", () => {
  test("of the RFC's own example, 00 01 f2 03 f4 f5 f6 f7 (§3)", () => {
    const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
    expect(foldSum(sumBytes(bytes, 0, 8))).toBe(0xddf2);
    expect(foldChecksum(sumBytes(bytes, 0, 8))).toBe(0x220d);
  });

  test("is that of the naive sum, at every length and place, odd ones too", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200, size: "max" }), fc.nat(40), fc.nat(40), (bytes, skip, cut) => {
        const start = Math.min(skip, bytes.length);
        const end = Math.max(start, bytes.length - cut);
        expect(sameSum(foldSum(sumBytes(bytes, start, end)), naiveSum(bytes.subarray(start, end)))).toBe(true);
      }),
    );
  });

  test("can be summed in parts, as long as all but the last are even", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100, size: "max" }), fc.nat(50), (bytes, half) => {
        const cut = Math.min(2 * half, bytes.length & ~1);
        const parts = sumBytes(bytes, cut, bytes.length, sumBytes(bytes, 0, cut));
        expect(foldSum(parts)).toBe(foldSum(sumBytes(bytes, 0, bytes.length)));
      }),
    );
  });

  test("written into the message, it makes the whole sum up to zero", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 100, size: "max" }), (bytes) => {
        const packet = PacketBuffer.wrap(bytes);
        packet.setU16(2, 0);
        packet.setU16(2, foldChecksum(sumPacket(packet)));
        expect(foldChecksum(sumPacket(packet))).toBe(0);
      }),
    );
  });

  test("does not overflow: a 64 KiB packet of ones, and far more than that", () => {
    const ones = new Uint8Array(65536).fill(0xff);
    let sum = 0;
    for (let count = 0; count < 1000; count += 1) sum = sumBytes(ones, 0, ones.length, sum);
    expect(foldSum(sum)).toBe(0xffff);
  });

  test("folds sums of any size (RFC 1071 §2, congruent modulo 65535)", () => {
    expect(foldSum(0x1ffffffff)).toBe(1);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 52 }), (sum) => {
        expect(sameSum(foldSum(sum), sum)).toBe(true);
        expect(foldSum(sum)).toBeLessThanOrEqual(0xffff);
      }),
    );
  });
});

describe("the incremental update (RFC 1624)", () => {
  test("of the RFC's example, where the method of RFC 1141 gives another zero (§4)", () => {
    expect(updateChecksum(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
  });

  test("gives what summing the changed message again gives", () => {
    const word = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(fc.array(word, { minLength: 2, maxLength: 30, size: "max" }), fc.nat(), word, (words, place, after) => {
        // A message whose words are all zero has a checksum of ffff or 0000, and only a full sum tells which.
        fc.pre(words.some((value, index) => value !== 0 && index !== place % words.length));
        const sum = words.reduce((total, value) => total + value, 0);
        const before = words[place % words.length];
        expect(updateChecksum(foldChecksum(sum), before, after)).toBe(foldChecksum(sum - before + after));
      }),
    );
  });
});
