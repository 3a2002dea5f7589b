import { randomSipKey, SeededRandom, type SipKey, sipHash } from "@netstrata/core";
import { expect, test } from "vitest";

/** The key 00 01 … 0f of the authors' test vectors, as little-endian words. */
const KEY: SipKey = [0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c];

/** Results for the messages (empty), 00, 00 01, 00 01 02 …: octets in the order in which the reference prints them. */
const VECTORS = [
  "310e0edd47db6f72",
  "fd67dc93c539f874",
  "5a4fa9d909806c0d",
  "2d7efbd796666785",
  "b7877127e09427cf",
  "8da699cd64557618",
  "cee3fe586e46c9cb",
  "37d1018bf50002ab",
  "6224939a79f5f593",
  "b0e4a90bdf82009e",
  "f3b9dd94c5bb5d7a",
  "a7ad6b22462fb3f4",
  "fbe50e86bc8f1e75",
  "903d84c02756ea14",
  "eef27a8e90ca23f7",
  "e545be4961ca29a1",
];

test("SipHash-2-4 gives the authors' vectors", () => {
  for (const [length, expected] of VECTORS.entries()) {
    const message = Uint8Array.from({ length }, (_, index) => index);
    const result = new DataView(new ArrayBuffer(8));
    const [low, high] = sipHash(KEY, message);
    result.setUint32(0, low, true);
    result.setUint32(4, high, true);
    expect(Buffer.from(result.buffer).toString("hex")).toBe(expected);
  }
});

test("the halves are unsigned, and hang on the key", () => {
  const message = Uint8Array.of(1, 2, 3);
  const random = new SeededRandom(1);
  const results = Array.from({ length: 50 }, () => sipHash(randomSipKey(random), message));
  expect(results.flat().every((half) => half >= 0 && half <= 0xffffffff)).toBe(true);
  expect(new Set(results.map(String)).size).toBe(50);
});
