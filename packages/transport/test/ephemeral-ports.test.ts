import { SeededRandom } from "@netstrata/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseEphemeralPort, DEFAULT_PORT_RANGE } from "../src/ephemeral-ports.ts";

describe("RFC 6056: ephemeral ports", () => {
  test("every port of the range is chosen about equally often", () => {
    const random = new SeededRandom(1);
    const seen = new Map<number, number>();
    for (let count = 0; count < 8000; count += 1) {
      const port = chooseEphemeralPort(random, { first: 1024, last: 1031 }, () => true) as number;
      seen.set(port, (seen.get(port) ?? 0) + 1);
    }
    expect([...seen.keys()].sort()).toEqual([1024, 1025, 1026, 1027, 1028, 1029, 1030, 1031]);
    for (const times of seen.values()) expect(times).toBeGreaterThan(850);
  });

  test("the last free port is found, and its absence is noticed", () => {
    const random = new SeededRandom(2);
    fc.assert(
      fc.property(fc.integer({ min: DEFAULT_PORT_RANGE.first, max: DEFAULT_PORT_RANGE.last }), (last) => {
        expect(chooseEphemeralPort(random, DEFAULT_PORT_RANGE, (port) => port === last)).toBe(last);
      }),
      { numRuns: 20 },
    );
    const asked = new Set<number>();
    const range = { first: 50000, last: 50009 };
    expect(chooseEphemeralPort(random, range, (port) => asked.has(port) || !asked.add(port))).toBeUndefined();
    expect(asked.size).toBe(10);
  });

  test("an empty range has no port", () => {
    expect(chooseEphemeralPort(new SeededRandom(3), { first: 10, last: 9 }, () => true)).toBeUndefined();
  });
});
