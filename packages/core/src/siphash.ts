// SipHash-2-4 (Aumasson and Bernstein): the keyed hash behind initial sequence numbers (RFC 6528 §3) and whatever else an
// outsider must not be able to compute. 64-bit words are pairs of 32-bit halves.
import type { Random } from "./random.ts";

/** A secret of 128 bits. */
export type SipKey = readonly [number, number, number, number];

export function randomSipKey(random: Random): SipKey {
  return [random.uint32(), random.uint32(), random.uint32(), random.uint32()];
}

const state = new Int32Array(8); // v0 low, v0 high, v1 low, …

/** Adds word `b` to word `a` (both indices into `state`), 64 bits wide. */
function add(a: number, b: number): void {
  const low = (state[a] >>> 0) + (state[b] >>> 0);
  state[a] = low;
  state[a + 1] = state[a + 1] + state[b + 1] + (low > 0xffffffff ? 1 : 0);
}

function rotate(a: number, count: number): void {
  const low = state[a];
  const high = state[a + 1];
  if (count === 32) {
    state[a] = high;
    state[a + 1] = low;
    return;
  }
  state[a] = (low << count) | (high >>> (32 - count));
  state[a + 1] = (high << count) | (low >>> (32 - count));
}

function exclusiveOr(a: number, b: number): void {
  state[a] ^= state[b];
  state[a + 1] ^= state[b + 1];
}

function round(): void {
  add(0, 2);
  rotate(2, 13);
  exclusiveOr(2, 0);
  rotate(0, 32);
  add(4, 6);
  rotate(6, 16);
  exclusiveOr(6, 4);
  add(0, 6);
  rotate(6, 21);
  exclusiveOr(6, 0);
  add(4, 2);
  rotate(2, 17);
  exclusiveOr(2, 4);
  rotate(4, 32);
}

/**
 * Hashes `bytes` under `key`.
 * @returns the low and the high 32 bits of the 64-bit result, unsigned
 */
export function sipHash(key: SipKey, bytes: Uint8Array): [number, number] {
  state[0] = key[0] ^ 0x70736575;
  state[1] = key[1] ^ 0x736f6d65;
  state[2] = key[2] ^ 0x6e646f6d;
  state[3] = key[3] ^ 0x646f7261;
  state[4] = key[0] ^ 0x6e657261;
  state[5] = key[1] ^ 0x6c796765;
  state[6] = key[2] ^ 0x79746573;
  state[7] = key[3] ^ 0x74656462;
  const length = bytes.length;
  const octet = (index: number): number => (index < length ? bytes[index] : 0);
  for (let at = 0; at <= length; at += 8) {
    const low = octet(at) | (octet(at + 1) << 8) | (octet(at + 2) << 16) | (octet(at + 3) << 24);
    let high = octet(at + 4) | (octet(at + 5) << 8) | (octet(at + 6) << 16) | (octet(at + 7) << 24);
    // The last block is filled up with zeros and closed with the length's low octet.
    if (at + 8 > length) high |= (length & 0xff) << 24;
    state[6] ^= low;
    state[7] ^= high;
    round();
    round();
    state[0] ^= low;
    state[1] ^= high;
  }
  state[4] ^= 0xff;
  for (let count = 0; count < 4; count += 1) round();
  return [(state[0] ^ state[2] ^ state[4] ^ state[6]) >>> 0, (state[1] ^ state[3] ^ state[5] ^ state[7]) >>> 0];
}
