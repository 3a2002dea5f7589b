// The command line: finds the command, runs it, and turns what goes wrong into one line and an exit code.
import { CaptureError } from "@netstrata/capture";
import type { Command } from "./command.ts";
import { commands } from "./commands.ts";
import type { Io } from "./terminal/io.ts";
import { OutputClosed } from "./terminal/output.ts";
import { UsageError } from "./usage-error.ts";
import { VERSION } from "./version.ts";

/** Exit codes are diff(1)'s: 0 fine, 1 something differs or did not answer, 2 trouble. */
export const TROUBLE = 2;

/** @param argv what follows the program's name; never rejects */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    // The reader has left: nobody would see a complaint.
    if (error instanceof OutputClosed) return 0;
    io.stderr.write(`netstrata: ${explain(error, io)}\n`);
    return TROUBLE;
  }
}

async function dispatch([name, ...rest]: readonly string[], io: Io): Promise<number> {
  if (name === undefined) {
    await io.stderr.write(overview());
    return TROUBLE;
  }
  if (name === "--help" || name === "-h" || name === "help") {
    await io.stdout.write(rest[0] === undefined ? overview() : find(rest[0]).help);
    return 0;
  }
  if (name === "--version" || name === "-V") {
    await io.stdout.write(`netstrata ${VERSION}\n`);
    return 0;
  }
  const command = find(name);
  const options = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
  if (options.includes("--help") || options.includes("-h")) {
    await io.stdout.write(command.help);
    return 0;
  }
  return command.run(rest, io);
}

function find(name: string): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  throw new UsageError(`there is no command ${JSON.stringify(name)}; netstrata --help lists them`);
}

function overview(): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  return [
    "netstrata: a TCP/IP stack that you can watch",
    "",
    "Examples:",
    "  netstrata demo --loss 5% --seed 7            two hosts, two routers, and a network that loses packets",
    "  netstrata inspect capture.pcapng tcp port 80 one line a packet",
    "  netstrata replay capture.pcapng --as 10.0.0.1",
    "",
    "Commands:",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    "",
    "netstrata COMMAND --help says more. netstrata --version names the version.",
    "",
  ].join("\n");
}

/** One line for what users can do something about; the stack of calls for what is a bug. */
function explain(error: unknown, io: Io): string {
  if (!(error instanceof Error)) return String(error);
  const isExpected = error instanceof UsageError || error instanceof CaptureError || "code" in error;
  return isExpected && io.environment["NETSTRATA_DEBUG"] === undefined ? error.message : (error.stack ?? error.message);
}
