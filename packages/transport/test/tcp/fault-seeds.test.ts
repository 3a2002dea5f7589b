// Streams are byte-exact, connections end and nothing leaks, whatever the network does (issue: 10,000 seeds).
import { describe, expect, test } from "vitest";
import { runSeed } from "./fault-simulation.ts";

/** `NETSTRATA_SEEDS=10000 npx vitest run packages/transport/test/tcp/fault-seeds.test.ts` runs more. */
const SEEDS = Number(process.env.NETSTRATA_SEEDS ?? 400);
const FIRST = Number(process.env.NETSTRATA_FIRST_SEED ?? 1);
/** Seeds of one test, so that a failure names its hundred quickly and the others still run. */
const BATCH = 100;

describe("random faults", () => {
  for (let first = FIRST; first < FIRST + SEEDS; first += BATCH) {
    const last = Math.min(first + BATCH, FIRST + SEEDS) - 1;
    test(`seeds ${first} to ${last}`, { timeout: 120_000 }, () => {
      const failures: string[] = [];
      for (let seed = first; seed <= last; seed += 1) {
        const problem = runSeed(seed);
        if (problem !== undefined) failures.push(`seed ${seed}: ${problem}`);
      }
      expect(failures).toEqual([]);
    });
  }
});
