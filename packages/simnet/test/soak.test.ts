// Streams are byte-exact, connections end and nothing leaks, whatever the network does: the stack as users hold it.
import { expect, test } from "vitest";
import { runSeed } from "./socket-simulation.ts";

/** `NETSTRATA_SEEDS=10000 npx vitest run packages/simnet/test/soak.test.ts` runs more. */
const SEEDS = Number(process.env.NETSTRATA_SEEDS ?? 100);
const FIRST = Number(process.env.NETSTRATA_FIRST_SEED ?? 1);
/** Seeds of one test, so that a failure is named quickly and the others still run. */
const BATCH = 100;

for (let first = FIRST; first < FIRST + SEEDS; first += BATCH) {
  const last = Math.min(first + BATCH, FIRST + SEEDS) - 1;
  test(`programs on a bad network, seeds ${first} to ${last}`, async () => {
    const failures: string[] = [];
    for (let seed = first; seed <= last; seed += 1) {
      const problem = await runSeed(seed);
      if (problem !== undefined) failures.push(`seed ${seed}: ${problem}`);
    }
    expect(failures).toEqual([]);
  });
}

test("seeds 3051 and 9415: whoever reads slowly gets everything, also when the writer has gone long since (RFC 6429 §3 is about peers that take nothing)", async () => {
  expect(await runSeed(3051)).toBeUndefined();
  expect(await runSeed(9415)).toBeUndefined();
});
