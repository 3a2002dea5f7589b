// The command line.
import { parseArgs } from "node:util";
import type { Subject } from "./contender.ts";
import type { Durations } from "./warm-up.ts";

export const HELP = `Measures netstrata beside Node's own sockets, in turns, in one run.

  npm run bench                             everything: some minutes
  npm run bench -- --quick                  short samples, few rounds: a first look
  npm run bench -- --only bulk --rounds 15  the subjects whose name contains "bulk", with more rounds
  npm run bench -- --json > bench.json      every sample, for other programs
  npm run bench -- --profile --only udp-64  where the time goes, by package and function
  npm run bench -- --against ../before      this checkout beside another one, built as well

  --quick             3 rounds of 100 ms instead of 9 rounds of 300 ms, and a short warm-up
  --only NAME         subjects whose name contains NAME; may be given again
  --rounds N          rounds, in each of which subject and peer take one sample
  --sample-time MS    how long a sample lasts
  --warm-up-time MS   how long each contender runs before its first sample; 2000 or, when quick, 500
  --json              JSON instead of the table
  --against DIRECTORY the same subject of another checkout is the peer
  --profile           a CPU profile of each subject instead of a comparison
  --list              names of all subjects
  --help              this text

The table and JSON go to stdout, progress to stderr. Only the ratios mean something: times depend on the machine.
`;

export interface BenchOptions extends Durations {
  readonly action: "help" | "list" | "compare" | "profile";
  readonly subjects: readonly Subject[];
  readonly rounds: number;
  readonly json: boolean;
  /** Another checkout of this repository, built. */
  readonly against?: string;
}

/** A line for stderr, and exit code 2. */
export class UsageError extends Error {}

export function readOptions(args: readonly string[], all: readonly Subject[]): BenchOptions {
  const values = parse(args);
  const { only = [] } = values;
  const subjects = only.length === 0 ? all : all.filter(({ name }) => only.some((wanted) => name.includes(wanted)));
  if (subjects.length === 0) throw new UsageError(`no subject is called ${only.join(" or ")}; --list shows all`);
  return {
    action: values.help ? "help" : values.list ? "list" : values.profile ? "profile" : "compare",
    subjects,
    rounds: readNumber("--rounds", values.rounds, values.quick ? 3 : 9, 1),
    sampleTime: readNumber("--sample-time", values["sample-time"], values.quick ? 100 : 300, 0),
    warmUpTime: readNumber("--warm-up-time", values["warm-up-time"], values.quick ? 500 : 2000, 0),
    json: values.json,
    against: values.against,
  };
}

function parse(args: readonly string[]) {
  const flag = { type: "boolean", default: false } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: flag,
        json: flag,
        profile: flag,
        list: flag,
        help: { ...flag, short: "h" },
        only: { type: "string", multiple: true },
        against: { type: "string" },
        rounds: { type: "string" },
        "sample-time": { type: "string" },
        "warm-up-time": { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readNumber(name: string, text: string | undefined, fallback: number, least: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < least) throw new UsageError(`${name} ${text}: not a whole number of at least ${least}`);
  return value;
}
