// A subject and its peer in alternation, A B A B: whatever else the machine does meanwhile, it does to both.
import type { Role, Subject, Work } from "./contender.ts";
import type { Sample } from "./sample.ts";
import { type Spread, spreadOf } from "./statistics.ts";
import type { Durations } from "./warm-up.ts";

/** Where a contender runs: in a process of its own (`separate-process.ts`), or in this one (`same-process.ts`). */
export interface Stage {
  /** Units of one sample, found by warming up. */
  warmUp(durations: Durations): Promise<number>;
  sample(amount: number): Promise<Sample>;
  close(): Promise<void>;
}

export type OpenStage = (subject: Subject, role: Role) => Promise<Stage>;

export interface ComparisonOptions extends Durations {
  readonly rounds: number;
  readonly openStage: OpenStage;
  /** Told of each step, for people who wait. */
  readonly progress?: (step: string) => void;
}

export interface ContenderResult {
  readonly title: string;
  /** Units a second of wall time. */
  readonly rate: Spread;
  /** Units a second of processor time. */
  readonly cpuRate: Spread;
  readonly samples: readonly Sample[];
}

export interface Comparison {
  readonly name: string;
  readonly work: Work;
  readonly subject: ContenderResult;
  readonly peer: ContenderResult;
  /** The subject's rate by the peer's of the same round: above 1 the subject is faster. */
  readonly ratio: Spread;
  /** The same for the work done in a second of processor time. */
  readonly cpuRatio: Spread;
}

export async function compare(subject: Subject, options: ComparisonOptions): Promise<Comparison> {
  const { rounds, openStage, progress = () => {} } = options;
  progress("setting up");
  const stages: Stage[] = [];
  try {
    const a = await openStage(subject, "subject");
    stages.push(a);
    const b = await openStage(subject, "peer");
    stages.push(b);
    progress("warming up");
    const amountA = await a.warmUp(options);
    const amountB = await b.warmUp(options);
    const samplesA: Sample[] = [];
    const samplesB: Sample[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      progress(`round ${round} of ${rounds}`);
      samplesA.push(await a.sample(amountA));
      samplesB.push(await b.sample(amountB));
    }
    return resultOf(subject, samplesA, samplesB);
  } finally {
    for (const stage of stages) await stage.close();
  }
}

export function resultOf(subject: Subject, samplesA: readonly Sample[], samplesB: readonly Sample[]): Comparison {
  const ratios = (rate: (sample: Sample) => number): Spread =>
    spreadOf(samplesA.map((sample, round) => rate(sample) / rate(samplesB[round])));
  return {
    name: subject.name,
    work: subject.work,
    subject: contenderResult(subject.subject.title, samplesA),
    peer: contenderResult(subject.peer.title, samplesB),
    ratio: ratios(rateOf),
    cpuRatio: ratios(cpuRateOf),
  };
}

function contenderResult(title: string, samples: readonly Sample[]): ContenderResult {
  return { title, rate: spreadOf(samples.map(rateOf)), cpuRate: spreadOf(samples.map(cpuRateOf)), samples };
}

function rateOf({ amount, wall }: Sample): number {
  return (1000 * amount) / wall;
}

function cpuRateOf({ amount, cpu }: Sample): number {
  return (1000 * amount) / cpu;
}
