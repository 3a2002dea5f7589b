// Warm-up: lets the engine compile what will be measured, and finds the amount of work that fills a sample.
import type { Contender, Work } from "./contender.ts";
import { takeSample } from "./sample.ts";

/** How much is run before anything counts, and how much counts at once; both in ms. */
export interface Durations {
  /** Optimized code is rarely complete before a second or two. */
  readonly warmUpTime: number;
  readonly sampleTime: number;
}

/** No step grows the amount by more than this, because the first steps run in the interpreter and mislead. */
const LARGEST_STEP = 4;

/**
 * Runs `contender` with growing amounts until the time is up; durations of 0 are content with the least amount.
 * @returns the amount for one sample
 */
export async function warmUp(contender: Contender, work: Work, { warmUpTime, sampleTime }: Durations): Promise<number> {
  let amount = work.quantum;
  let spent = 0;
  for (;;) {
    const { wall } = await takeSample(contender, amount);
    spent += wall;
    // The last step but one may still have been too short by far.
    if (spent >= warmUpTime && wall * LARGEST_STEP >= sampleTime) return scaled(amount, sampleTime / wall, work.quantum);
    amount = scaled(amount, Math.min(LARGEST_STEP, sampleTime / wall), work.quantum);
  }
}

/** A positive multiple of `quantum` near `amount * factor`. */
function scaled(amount: number, factor: number, quantum: number): number {
  return Math.max(1, Math.round((amount * factor) / quantum)) * quantum;
}
