import { isAfter, isAtOrAfter, isAtOrBefore, isBefore, sequenceAdd, sequenceDistance, sequenceMax, sequenceMin } from "@netstrata/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

/** Points where arithmetic on 32 bits goes wrong. */
const EDGES = [0, 1, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff];
const number = fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom(...EDGES));
/** Distances at which one number is clearly before the other. */
const step = fc.oneof(fc.integer({ min: 1, max: 0x7fffffff }), fc.constantFrom(1, 0x7fffffff));

describe("sequence numbers (RFC 9293 §3.4)", () => {
  test("wrap around 2^32", () => {
    expect(sequenceAdd(0xffffffff, 1)).toBe(0);
    expect(sequenceAdd(0, -1)).toBe(0xffffffff);
    expect(sequenceAdd(0x7fffffff, 1)).toBe(0x80000000);
    expect(isBefore(0xffffffff, 0)).toBe(true);
    expect(isBefore(0x7fffffff, 0x80000000)).toBe(true);
    expect(sequenceDistance(0xfffffff0, 0x10)).toBe(0x20);
    expect(sequenceDistance(0x10, 0xfffffff0)).toBe(-0x20);
  });

  test("stay unsigned, and adding goes back by subtracting", () => {
    fc.assert(
      fc.property(number, fc.integer({ min: -0xffffffff, max: 0xffffffff }), (a, count) => {
        const sum = sequenceAdd(a, count);
        expect(sum).toBe((((a + count) % 2 ** 32) + 2 ** 32) % 2 ** 32);
        expect(sequenceAdd(sum, -count)).toBe(a);
      }),
    );
  });

  test("are ordered within half the circle, wherever on it they lie", () => {
    fc.assert(
      fc.property(number, step, (a, count) => {
        const b = sequenceAdd(a, count);
        expect(sequenceDistance(a, b)).toBe(count);
        expect(sequenceDistance(b, a)).toBe(-count);
        expect([isBefore(a, b), isAtOrBefore(a, b), isAfter(a, b), isAtOrAfter(a, b)]).toEqual([true, true, false, false]);
        expect([isBefore(b, a), isAtOrBefore(b, a), isAfter(b, a), isAtOrAfter(b, a)]).toEqual([false, false, true, true]);
        expect([sequenceMax(a, b), sequenceMax(b, a)]).toEqual([b, b]);
        expect([sequenceMin(a, b), sequenceMin(b, a)]).toEqual([a, a]);
      }),
    );
  });

  test("are neither before nor after themselves", () => {
    for (const a of EDGES) {
      expect([isBefore(a, a), isAfter(a, a), isAtOrBefore(a, a), isAtOrAfter(a, a)]).toEqual([false, false, true, true]);
      expect([sequenceDistance(a, a), sequenceMax(a, a), sequenceMin(a, a)]).toEqual([0, a, a]);
    }
  });

  test("exactly half the circle apart there is no order (RFC 1982 §3.2); the distance is -2^31", () => {
    for (const a of EDGES) expect(sequenceDistance(a, sequenceAdd(a, 0x80000000))).toBe(-(2 ** 31));
  });
});
