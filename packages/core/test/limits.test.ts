import { resolveLimits } from "@netstrata/core";
import { expect, test } from "vitest";

const DEFAULTS = { entries: 10, time: 5 };

test("a limit that is not given, or undefined, is the default; 0 and Infinity are limits too", () => {
  expect(resolveLimits(DEFAULTS, {})).toEqual(DEFAULTS);
  expect(resolveLimits(DEFAULTS, { entries: undefined, time: 7 })).toEqual({ entries: 10, time: 7 });
  expect(resolveLimits(DEFAULTS, { entries: 0, time: Number.POSITIVE_INFINITY })).toEqual({ entries: 0, time: Number.POSITIVE_INFINITY });
  expect(DEFAULTS).toEqual({ entries: 10, time: 5 });
});

test("names that are no limits are left out", () => {
  const options = { entries: 3, name: "x" };
  expect(resolveLimits(DEFAULTS, options)).toEqual({ entries: 3, time: 5 });
});

test("what would limit nothing throws", () => {
  for (const entries of [Number.NaN, -1, "many" as unknown as number])
    expect(() => resolveLimits(DEFAULTS, { entries })).toThrow(RangeError);
});
