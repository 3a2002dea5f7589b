import { type Random, randomBelow, randomFraction, SeededRandom } from "@netstrata/core";
import { describe, expect, test } from "vitest";

describe("seeded random", () => {
  test("is xoshiro128**: from the state 1, 2, 3, 4 come its authors' numbers", () => {
    const random = new SeededRandom(0);
    Object.assign(random, { a: 1, b: 2, c: 3, d: 4 });
    const numbers = Array.from({ length: 10 }, () => random.uint32());
    expect(numbers).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804]);
  });

  test("gives the same numbers for the same seed, for ever: seeds in bug reports depend on it", () => {
    const numbers = (seed: number) => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 4 }, () => random.uint32());
    };
    expect(numbers(1)).toEqual(numbers(1));
    expect(numbers(1)).toMatchInlineSnapshot(`
      [
        393288148,
        2174103013,
        3814759091,
        2092745082,
      ]
    `);
    expect(numbers(2)).not.toEqual(numbers(1));
    expect(numbers(2 ** 32 + 1)).toEqual(numbers(1));
  });

  test("forks into independent streams that depend on seed and label, not on what was drawn before", () => {
    const random = new SeededRandom(7);
    const before = random.fork("a").uint32();
    random.uint32();
    expect(random.fork("a").uint32()).toBe(before);
    expect(random.fork("b").uint32()).not.toBe(before);
    expect(new SeededRandom(8).fork("a").uint32()).not.toBe(before);
  });

  test("spreads its numbers evenly over the bits", () => {
    const random = new SeededRandom(3);
    const ones = new Array(32).fill(0);
    for (let count = 0; count < 10_000; count += 1) {
      const value = random.uint32();
      for (let bit = 0; bit < 32; bit += 1) ones[bit] += (value >>> bit) & 1;
    }
    for (const count of ones) expect(Math.abs(count - 5000)).toBeLessThan(300); // six standard deviations
  });
});

describe("numbers below a bound", () => {
  const fixed = (...values: number[]): Random => ({ uint32: () => values.shift() as number });

  test("have no bias: what lies in the incomplete last stretch is drawn again", () => {
    // 2^32 = 3 * 1431655765 + 1, so only the very last number is one too many.
    expect(randomBelow(fixed(0xffffffff, 5), 3)).toBe(2);
    expect(randomBelow(fixed(0xfffffffe), 3)).toBe(2);
  });

  test("reach from 0 to the bound, also when that is the whole range", () => {
    expect(randomBelow(fixed(0), 1)).toBe(0);
    expect(randomBelow(fixed(0xffffffff), 2 ** 32)).toBe(0xffffffff);
    const random = new SeededRandom(1);
    const seen = new Set(Array.from({ length: 200 }, () => randomBelow(random, 6)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("need a bound: misuse throws instead of looping for ever", () => {
    for (const bound of [0, -1, Number.NaN, 2 ** 32 + 1]) expect(() => randomBelow(fixed(1), bound)).toThrow(RangeError);
  });

  test("a fraction is at least 0 and below 1", () => {
    expect(randomFraction(fixed(0))).toBe(0);
    expect(randomFraction(fixed(0x80000000))).toBe(0.5);
    expect(randomFraction(fixed(0xffffffff))).toBeLessThan(1);
  });
});
