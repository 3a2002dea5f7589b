// Warm-up: lets the engine compile what will be measured, and finds the amount of work that fills a sample.
import type { Contender, Work } from "./contender.ts";
import { takeSample } from "./sample.ts";

/** Samples' worth of time that is spent before anything counts: optimized code is rarely complete before. */
const WARM_UP_SAMPLES = 3;
/** No step grows the amount by more than this, because the first steps run in the interpreter and mislead. */
const LARGEST_STEP = 4;

/**
 * Runs `contender` with growing amounts.
 * @param sampleTime how long a sample shall last, in ms; 0 is content with the least amount
 * @returns the amount for one sample
 */
export async function warmUp(contender: Contender, work: Work, sampleTime: number): Promise<number> {
  let amount = work.quantum;
  let spent = 0;
  for (;;) {
    const { wall } = await takeSample(contender, amount);
    spent += wall;
    if (spent >= WARM_UP_SAMPLES * sampleTime) return amount;
    const step = Math.min(LARGEST_STEP, sampleTime / Math.max(wall, 0.001));
    amount = Math.max(1, Math.round((amount * step) / work.quantum)) * work.quantum;
  }
}
