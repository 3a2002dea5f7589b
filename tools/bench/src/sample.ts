// One sample: an amount of work with the time it took, on the wall and on the processor.
import type { Contender } from "./contender.ts";

export interface Sample {
  /** Units of work. */
  readonly amount: number;
  /** Wall time, in ms. */
  readonly wall: number;
  /** Processor time of the whole process (every thread, user and system), in ms. */
  readonly cpu: number;
}

export async function takeSample(contender: Contender, amount: number): Promise<Sample> {
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const running = contender.run(amount);
  if (running !== undefined) await running;
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { amount, wall, cpu: (user + system) / 1000 };
}
