// A command of the command line: its options as a table, from which both the parser and the help are made.
import { type ParseArgsConfig, parseArgs } from "node:util";
import type { Io } from "./terminal/io.ts";
import { UsageError } from "./usage-error.ts";

/** What an option that was not given is. */
const ABSENT = { flag: false, value: undefined, list: [] } as const;

interface OptionBase {
  readonly help: string;
  readonly short?: string;
}

export interface FlagOption extends OptionBase {
  readonly kind: "flag";
}

export interface ValueOption extends OptionBase {
  readonly kind: "value";
  /** What stands for the value in the help: `PORT`. */
  readonly argument: string;
}

/** A value that may be given several times. */
export interface ListOption extends OptionBase {
  readonly kind: "list";
  readonly argument: string;
}

export type OptionTable = Readonly<Record<string, FlagOption | ValueOption | ListOption>>;

type Values<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends FlagOption
    ? boolean
    : Table[Name] extends ListOption
      ? readonly string[]
      : string | undefined;
};

export interface CommandDefinition<Table extends OptionTable> {
  readonly name: string;
  readonly summary: string;
  /** What follows the name: `FILE [FILTER…]`. */
  readonly usage: string;
  /** Command lines and what they do; the latter may be empty. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  readonly options: Table;
  /** More paragraphs for the help. */
  readonly notes?: string;
  /** How many words may stand behind the command: at least and at most. */
  readonly words: readonly [least: number, most: number];
  /** @returns the exit code */
  readonly run: (values: Values<Table>, words: readonly string[], io: Io) => Promise<number>;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly help: string;
  /** @param argv what follows the command's name */
  readonly run: (argv: readonly string[], io: Io) => Promise<number>;
}

export function defineCommand<const Table extends OptionTable>(definition: CommandDefinition<Table>): Command {
  const { name, summary } = definition;
  return {
    name,
    summary,
    help: helpFor(definition),
    run: (argv, io) => {
      const { values, words } = parse(definition, argv);
      return definition.run(values, words, io);
    },
  };
}

function parse<Table extends OptionTable>(
  { name, options, words: [least, most], usage }: CommandDefinition<Table>,
  argv: readonly string[],
): { values: Values<Table>; words: string[] } {
  const config: NonNullable<ParseArgsConfig["options"]> = {};
  for (const [option, { kind, short }] of Object.entries(options)) {
    config[option] = { type: kind === "flag" ? "boolean" : "string", multiple: kind === "list", ...(short === undefined ? {} : { short }) };
  }
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...argv], options: config, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(`${name}: ${complaint(error, Object.keys(options))}`);
  }
  const words = parsed.positionals;
  if (words.length < least) throw new UsageError(`${name}: something is missing; it goes: netstrata ${name} ${usage}`);
  if (words.length > most) throw new UsageError(`${name}: ${JSON.stringify(words[most])} is too much; it goes: netstrata ${name} ${usage}`);
  const values = Object.fromEntries(Object.entries(options).map(([option, { kind }]) => [option, parsed.values[option] ?? ABSENT[kind]]));
  return { values: values as Values<Table>, words };
}

/** Node's sentence, cut to its point; for an unknown option the nearest one that exists. */
function complaint(error: unknown, known: readonly string[]): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== "ERR_PARSE_ARGS_UNKNOWN_OPTION") return message.split(". ")[0];
  const unknown = /'(-[^']*)'/.exec(message)?.[1] ?? "";
  const letters = unknown.replace(/^-+/, "");
  const near = known.find((option) => letters.length > 1 && (option.startsWith(letters) || letters.startsWith(option)));
  return `unknown option ${unknown}${near === undefined ? "" : `; do you mean --${near}?`}`;
}

function helpFor({ name, summary, usage, examples, options, notes }: Omit<CommandDefinition<OptionTable>, "run">): string {
  const table: OptionTable = { ...options, help: { kind: "flag", short: "h", help: "this text" } };
  const lines = [`netstrata ${name}: ${summary}`, "", "Examples:"];
  for (const [line, what] of examples) lines.push(...(what === "" ? [] : [`  # ${what}`]), `  ${line}`);
  lines.push("", `Usage: netstrata ${name}${usage === "" ? "" : ` ${usage}`}`, "", "Options:");
  const rows = Object.entries(table).map(([option, spec]) => {
    const short = spec.short === undefined ? "    " : `-${spec.short}, `;
    return [`${short}--${option}${spec.kind === "flag" ? "" : ` ${spec.argument}`}`, spec.help] as const;
  });
  const optionWidth = Math.max(...rows.map(([left]) => left.length)) + 2;
  for (const [left, right] of rows) lines.push(`  ${left.padEnd(optionWidth)}${right}`);
  if (notes !== undefined) lines.push("", notes);
  return `${lines.join("\n")}\n`;
}
