// HalfSipHash-1-3 (Aumasson and Bernstein): the short keyed hash for hash tables whose keys come from strangers.
import type { Random } from "./random.ts";

/** A secret of 64 bits. */
export type HalfSipKey = readonly [number, number];

export function randomHalfSipKey(random: Random): HalfSipKey {
  return [random.uint32(), random.uint32()];
}

const FINAL_ROUNDS = 3;

/**
 * Hashes the first `count` words of `words` under `key`. The count is not mixed in: keys of one table are of one length, or say it.
 * @returns 32 bits, signed
 */
export function halfSipHash(key: HalfSipKey, words: Int32Array, count: number): number {
  let v0 = key[0] | 0;
  let v1 = key[1] | 0;
  let v2 = v0 ^ 0x6c796765;
  let v3 = v1 ^ 0x74656462;
  for (let index = 0; index < count + FINAL_ROUNDS; index += 1) {
    const word = index < count ? words[index] : 0;
    if (index === count) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}
