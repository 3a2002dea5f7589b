// Streams are byte-exact, connections end and nothing leaks, whatever the network does (issue: 10,000 seeds).
import { describe, expect, test } from "vitest";
import { runSeed } from "./fault-simulation.ts";

/** `NETSTRATA_SEEDS=100000 npx vitest run packages/transport/test/tcp/fault-seeds.test.ts` runs more. */
const SEEDS = Number(process.env.NETSTRATA_SEEDS ?? 400);
const FIRST = Number(process.env.NETSTRATA_FIRST_SEED ?? 1);
/** `NETSTRATA_SHARD=2/3` runs every third hundred of them, from the second on, so that several processes can share. */
const [SHARD, SHARDS] = (process.env.NETSTRATA_SHARD ?? "1/1").split("/").map(Number);
/** Seeds of one test, so that a failure names its hundred quickly and the others still run. */
const BATCH = 100;

describe("random faults", () => {
  for (let first = FIRST + (SHARD - 1) * BATCH; first < FIRST + SEEDS; first += SHARDS * BATCH) {
    const last = Math.min(first + BATCH, FIRST + SEEDS) - 1;
    test(`seeds ${first} to ${last}`, { timeout: 600_000 }, () => {
      const failures: string[] = [];
      for (let seed = first; seed <= last; seed += 1) {
        const problem = runSeed(seed);
        if (problem !== undefined) failures.push(`seed ${seed}: ${problem}`);
      }
      expect(failures).toEqual([]);
    });
  }
});
