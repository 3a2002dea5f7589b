// HalfSipHash-1-3 (Aumasson and Bernstein) of a peer and both ports: without the key nobody can choose ends that share a chain of the table.
import type { IpAddress, Random } from "@netstrata/core";

/** A secret of 64 bits. */
export type HashKey = readonly [number, number];

export function randomHashKey(random: Random): HashKey {
  return [random.uint32(), random.uint32()];
}

const FINAL_ROUNDS = 3;

/** 32 bits, signed. What tells connections apart is the peer, and which port it speaks with. */
export function connectionHash(key: HashKey, localPort: number, remoteAddress: IpAddress, remotePort: number): number {
  const words = typeof remoteAddress === "number" ? 2 : 5;
  let v0 = key[0] | 0;
  let v1 = key[1] | 0;
  let v2 = v0 ^ 0x6c796765;
  let v3 = v1 ^ 0x74656462;
  for (let index = 0; index < words + FINAL_ROUNDS; index += 1) {
    let word = 0;
    if (index === 0) word = (localPort << 16) | remotePort;
    else if (index < words) word = addressWord(remoteAddress, index - 1);
    else if (index === words) v2 ^= 0xff;
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

function addressWord(address: IpAddress, index: number): number {
  return typeof address === "number" ? address : (address.charCodeAt(2 * index) << 16) | address.charCodeAt(2 * index + 1);
}
