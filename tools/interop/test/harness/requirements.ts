// What a test needs of the machine, and the line that says what is missing where it is skipped.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, test } from "vitest";

const checks = {
  root: () => process.getuid?.() === 0,
  "/dev/net/tun": () => existsSync("/dev/net/tun"),
  namespaces: () => spawnSync("unshare", ["--net", "true"]).status === 0,
};

/** `root`, `/dev/net/tun`, `namespaces`, or the name of a command. */
export type Requirement = keyof typeof checks | (string & {});

/** What is missing, or undefined when nothing is. */
function missing(requirements: readonly Requirement[]): string | undefined {
  const absent = requirements.filter((requirement) => !(checks[requirement as keyof typeof checks] ?? (() => isCommand(requirement)))());
  return absent.length === 0 ? undefined : `needs ${absent.join(", ")}`;
}

function isCommand(name: string): boolean {
  return spawnSync("sh", ["-c", 'command -v "$1"', "sh", name]).status === 0;
}

/** `describe` where the machine has everything; elsewhere the tests are skipped, and their title and a line on stderr say why. */
export function describeWith(requirements: readonly Requirement[], title: string, tests: () => void): void {
  const reason = reasonToSkip(requirements, title);
  describe.skipIf(reason !== undefined)(reason === undefined ? title : `${title} (${reason})`, tests);
}

/** `describeWith`, for one test. */
export function testWith(requirements: readonly Requirement[], title: string, run: () => Promise<void>): void {
  const reason = reasonToSkip(requirements, title);
  test.skipIf(reason !== undefined)(reason === undefined ? title : `${title} (${reason})`, run);
}

function reasonToSkip(requirements: readonly Requirement[], title: string): string | undefined {
  const reason = missing(requirements);
  if (reason !== undefined) process.stderr.write(`skipped: ${title}: ${reason}\n`);
  return reason;
}
