// Goodput over a path with losses and delay, beside what two kernels get of the same path.
import { appendFileSync } from "node:fs";
import { expect, test } from "vitest";
import { measureGoodput, type Run } from "./harness/goodput.ts";
import { describeWith } from "./harness/requirements.ts";

const PATH = { delay: 10, rate: 1e8, queue: 200, warmUp: 1500, duration: 4000 };
/** Ours and the kernel's names. */
const CONTROLS = [
  ["newreno", "reno"],
  ["cubic", "cubic"],
  ["bbr", "bbr"],
] as const;
const LOSSES = [0, 0.001, 0.01, 0.05];
/** All of them take minutes: NETSTRATA_GOODPUT=FILE runs all and writes a table there. */
const REPORT = process.env.NETSTRATA_GOODPUT;
const ROUNDS = Number(process.env.NETSTRATA_GOODPUT_ROUNDS ?? 1);
/** Chance decides which packets are lost, and a busy machine when; a stack that lacks something gets half or less. */
const LEAST_SHARE = 0.6;
const TRIES = 3;

async function mean(run: Omit<Run, "seed">): Promise<number> {
  let sum = 0;
  for (let round = 1; round <= ROUNDS; round += 1) sum += await measureGoodput({ ...run, seed: round });
  return sum / ROUNDS;
}

describeWith(["root", "/dev/net/tun", "python3"], "goodput at 20 ms and 100 Mbit/s", () => {
  for (const loss of REPORT === undefined ? [0, 0.01] : LOSSES) {
    for (const [ours, kernelControl] of REPORT === undefined ? CONTROLS.slice(1, 2) : CONTROLS) {
      test(`${100 * loss} % loss, ${ours}: both ways as much as between two kernels`, { timeout: 600_000 }, async () => {
        const tcp = { congestionControl: ours, sendBuffer: 2 ** 23, receiveBuffer: 2 ** 23, rtoMinimum: 200 };
        let shares: number[] = [];
        for (let attempt = 1; attempt <= TRIES; attempt += 1) {
          const kernel = await mean({ ...PATH, mode: "kernel", loss, kernelControl });
          const sent = await mean({ ...PATH, mode: "send", loss, kernelControl, tcp });
          const received = await mean({ ...PATH, mode: "receive", loss, kernelControl, tcp });
          shares = [sent / kernel, received / kernel];
          if (REPORT !== undefined) {
            const cells = [
              `${100 * loss} %`,
              ours,
              kernel.toFixed(1),
              sent.toFixed(1),
              received.toFixed(1),
              ...shares.map((share) => share.toFixed(2)),
            ];
            appendFileSync(REPORT, `| ${cells.join(" | ")} |\n`);
            return;
          }
          if (Math.min(...shares) >= LEAST_SHARE) return;
        }
        expect(Math.min(...shares)).toBeGreaterThanOrEqual(LEAST_SHARE);
      });
    }
  }
});
