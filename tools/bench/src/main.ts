// `npm run bench`: reads the command line, runs the subjects one after the other, prints what they have shown.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Comparison, compare, type OpenStage } from "./comparison.ts";
import type { Subject } from "./contender.ts";
import { type BenchOptions, HELP, readOptions, UsageError } from "./options.ts";
import { comparisonJson, comparisonTable, profileTable } from "./report.ts";
import { openInSeparateProcess } from "./separate-process.ts";
import { SUBJECTS } from "./subjects.ts";

/** Tells what is going on: on a terminal in one line that is written over, elsewhere one line a subject. */
function tell({ name }: Subject, step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${name}: ${step}`);
  else if (step === "setting up") process.stderr.write(`${name}\n`);
}

function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
}

/** With another checkout, its subject takes the place of each peer. */
function withPeerFrom(directory: string | undefined): { subjectOf(subject: Subject): Subject; openStage: OpenStage } {
  if (directory === undefined) return { subjectOf: (subject) => subject, openStage: openInSeparateProcess };
  const program = pathToFileURL(resolve(directory, "tools/bench/dist/stage-process.js"));
  if (!existsSync(program)) throw new UsageError(`--against ${directory}: no built checkout, ${program.pathname} is missing`);
  return {
    subjectOf: (subject) => ({ ...subject, peer: { ...subject.subject, title: directory } }),
    openStage: (subject, role) => openInSeparateProcess(subject, "subject", role === "peer" ? program : undefined),
  };
}

async function compareAll(options: BenchOptions): Promise<void> {
  const comparisons: Comparison[] = [];
  const { subjectOf, openStage } = withPeerFrom(options.against);
  for (const subject of options.subjects) {
    const progress = (step: string): void => tell(subject, step);
    comparisons.push(await compare(subjectOf(subject), { ...options, openStage, progress }));
  }
  endProgress();
  process.stdout.write(options.json ? comparisonJson(comparisons, options) : comparisonTable(comparisons));
}

async function profileAll({ subjects, rounds, json, ...durations }: BenchOptions): Promise<void> {
  for (const subject of subjects) {
    tell(subject, "setting up");
    const stage = await openInSeparateProcess(subject, "subject");
    const amount = await stage.warmUp(durations);
    tell(subject, "profiling");
    const found = await stage.profile(amount * rounds);
    await stage.close();
    endProgress();
    process.stdout.write(json ? `${JSON.stringify({ name: subject.name, ...found })}\n` : profileTable(subject.name, found));
  }
}

const ACTIONS: Readonly<Record<BenchOptions["action"], (options: BenchOptions) => void | Promise<void>>> = {
  help: () => void process.stdout.write(HELP),
  list: () => void process.stdout.write(SUBJECTS.map(({ name }) => `${name}\n`).join("")),
  compare: compareAll,
  profile: profileAll,
};

try {
  const options = readOptions(process.argv.slice(2), SUBJECTS);
  await ACTIONS[options.action](options);
} catch (error) {
  endProgress();
  process.stderr.write(`bench: ${error instanceof UsageError ? error.message : ((error as Error).stack ?? error)}\n`);
  process.exitCode = 2;
}
