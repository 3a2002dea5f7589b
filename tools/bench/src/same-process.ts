// Contenders in this process: for tests, and inside the processes that `separate-process.ts` starts.
import type { Stage } from "./comparison.ts";
import type { Role, Subject } from "./contender.ts";
import { type CpuProfile, profile } from "./cpu-profile.ts";
import { takeSample } from "./sample.ts";
import { warmUp } from "./warm-up.ts";

export interface ProfilingStage extends Stage {
  /** A sample under the profiler. */
  profile(amount: number): Promise<CpuProfile>;
}

export async function openInSameProcess(subject: Subject, role: Role): Promise<ProfilingStage> {
  const contender = await subject[role].open();
  return {
    warmUp: (durations) => warmUp(contender, subject.work, durations),
    sample: (amount) => takeSample(contender, amount),
    profile: (amount) => profile(async () => void (await contender.run(amount))),
    close: async () => void (await contender.close()),
  };
}
