// Back-tick commands: what Linux's or FreeBSD's tools would do, done to the stack under test.
import { COMMANDS } from "./command-table.ts";
import { type Command, type CommandResult, type CommandWorld, FAILURE, SUCCESS } from "./command-world.ts";
import { LINUX_DEFAULTS } from "./default-script.ts";
import { writeFile } from "./file-commands.ts";
import { readShell, type ShellCommand } from "./shell-line.ts";
import { setSysctls } from "./sysctl-command.ts";

/** Scripts that call scripts. */
const DEEPEST = 8;
/** Well-known helpers of the public suites, whose effect is known without them. */
const DEFAULTS = /(?:^|\/)defaults\.sh$/;
const SET_SYSCTLS = /(?:^|\/)set_sysctls\.py$/;
/** Writes the settings back that `set_sysctls.py` has changed: every script begins with its own anyway. */
const RESTORE = /^\/tmp\/sysctl_restore_/;

/** @returns the result of the last command, or in words what is unsupported */
export function runCommand(text: string, world: CommandWorld, depth = 0): CommandResult | string {
  const pipelines = readShell(text);
  if (pipelines === undefined) return `the command ${text.trim()}`;
  let result = SUCCESS;
  for (const { commands, after, isNegated } of pipelines) {
    if (after !== "always" && (after === "success") !== (result.status === 0)) continue;
    let input = "";
    for (const command of commands) {
      const done = runOne(command, world, input, depth);
      if (typeof done === "string") return done;
      input = done.output;
      result = done;
    }
    if (isNegated) result = result.status === 0 ? FAILURE : SUCCESS;
  }
  return result;
}

function runOne({ words, output }: ShellCommand, world: CommandWorld, input: string, depth: number): CommandResult | string {
  const [name, ...rest] = words;
  if (name === undefined) return SUCCESS;
  const result = find(name, depth)?.(rest, world, input) ?? `the command ${words.join(" ")}`;
  if (typeof result === "string" || output === undefined) return result;
  // `echo 1 > /proc/sys/net/ipv4/tcp_sack`
  if (output.file.startsWith("/proc/sys/")) return setSysctls([`${output.file}=${result.output}`], world);
  // A file is one of this run's, and none of the system's.
  if (!output.file.startsWith("/dev/")) {
    const before = output.append ? (world.files.get(output.file) ?? new Uint8Array(0)) : new Uint8Array(0);
    const added = new TextEncoder().encode(result.output);
    const octets = new Uint8Array(before.length + added.length);
    octets.set(before);
    octets.set(added, before.length);
    if (!writeFile(world, output.file, octets)) return FAILURE;
  }
  return { ...result, output: "" };
}

function find(name: string, depth: number): Command | undefined {
  if (SET_SYSCTLS.test(name)) return (words, world) => setSysctls(words, world);
  if (RESTORE.test(name)) return () => SUCCESS;
  if (/\.sh$/.test(name) || name === "." || name === "source" || name === "sh" || name === "bash") {
    return (words, world) => runScript(/\.sh$/.test(name) ? name : (words[0] ?? ""), world, depth);
  }
  return COMMANDS.get(name.replace(/^\/(?:usr\/)?s?bin\//, ""));
}

/** Reads a script beside this one: of a preparing script only what means something here counts. */
export function runScript(path: string, world: CommandWorld, depth = 0): CommandResult | string {
  const text = depth < DEEPEST ? world.readFile(path) : undefined;
  if (text === undefined) return DEFAULTS.test(path) ? applyDefaults(world) : `the script ${path}, which is not there`;
  for (const line of text.replace(/\\\r?\n/g, " ").split("\n")) {
    if (line.trim() === "" || line.trim().startsWith("#")) continue;
    runCommand(line, world, depth + 1);
  }
  return SUCCESS;
}

function applyDefaults(world: CommandWorld): CommandResult | string {
  if (world.settings.personality === "freebsd") return SUCCESS;
  return setSysctls(
    Object.entries(LINUX_DEFAULTS).map(([name, value]) => `${name}=${value}`),
    world,
  );
}
