import fc from "fast-check";
import { expect, test } from "vitest";
import { spreadOf } from "../src/statistics.ts";

test("the median is the value in the middle, the quartiles are halfway to the ends", () => {
  expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ median: 3, low: 2, high: 4 });
});

test("between two values it interpolates", () => {
  expect(spreadOf([10, 20])).toEqual({ median: 15, low: 12.5, high: 17.5 });
});

test("one value is its own spread", () => {
  expect(spreadOf([7])).toEqual({ median: 7, low: 7, high: 7 });
});

test("no value has none", () => {
  expect(() => spreadOf([])).toThrow(RangeError);
});

test("of 4k + 1 values in any order it takes the k-th, the 2k-th and the 3k-th smallest", () => {
  const values = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 41 });
  fc.assert(
    fc.property(
      values.filter(({ length }) => length % 4 === 1),
      (some) => {
        const k = (some.length - 1) / 4;
        const sorted = [...some].sort((a, b) => a - b);
        expect(spreadOf(some)).toEqual({ low: sorted[k], median: sorted[2 * k], high: sorted[3 * k] });
      },
    ),
  );
});
