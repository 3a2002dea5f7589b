// rm, dd, touch: files that exist in one run alone, for `open` and `sendfile`.
import { type Command, type CommandWorld, FAILURE, SUCCESS } from "./command-world.ts";

/** Octets of a file: a script that asks for more is mistaken. */
const LARGEST_FILE = 2 ** 28;
/** Files of one run. */
const MOST_FILES = 1024;

export function writeFile(world: CommandWorld, path: string, octets: Uint8Array): boolean {
  if (octets.length > LARGEST_FILE || (world.files.size >= MOST_FILES && !world.files.has(path))) return false;
  world.files.set(path, octets);
  return true;
}

const rm: Command = (words, world) => {
  const paths = words.filter((word) => !word.startsWith("-"));
  const isForced = words.some((word) => /^-\w*f/.test(word));
  const missing = paths.filter((path) => !world.files.delete(path));
  return missing.length === 0 || isForced ? SUCCESS : FAILURE;
};

const touch: Command = (words, world) => {
  for (const path of words) if (!writeFile(world, path, world.files.get(path) ?? new Uint8Array(0))) return FAILURE;
  return SUCCESS;
};

/** `dd bs=1 count=5 if=/dev/zero of=/tmp/file` */
const dd: Command = (words, world) => {
  const operands = new Map(words.map((word) => [word.split("=")[0], word.slice(word.indexOf("=") + 1)] as const));
  const [from, to] = [operands.get("if") ?? "", operands.get("of") ?? ""];
  const source = from === "/dev/zero" ? undefined : world.files.get(from);
  if (from !== "/dev/zero" && source === undefined) return FAILURE;
  const count = operands.get("count");
  const wanted = count === undefined ? (source?.length ?? Number.NaN) : octetsOf(operands.get("bs") ?? "512") * Number(count);
  if (!(wanted >= 0 && wanted <= LARGEST_FILE)) return `dd ${words.join(" ")}`;
  const octets = source === undefined ? new Uint8Array(wanted) : source.slice(0, wanted);
  return writeFile(world, to, octets) ? SUCCESS : FAILURE;
};

/** `4k`, `1M` */
function octetsOf(text: string): number {
  const match = /^(\d+)([kKMG]?)$/.exec(text);
  if (match === null) return Number.NaN;
  return Number(match[1]) * 1024 ** " kMG".indexOf(match[2].replace("K", "k") || " ");
}

export const FILE_COMMANDS: readonly (readonly [string, Command])[] = [
  ["rm", rm],
  ["touch", touch],
  ["dd", dd],
];
