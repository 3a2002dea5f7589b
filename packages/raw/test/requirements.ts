// What the tests need of the machine.
import { describe } from "vitest";
import { openRaw } from "../src/index.ts";

/** `describe` where raw sockets can be had; elsewhere the tests are skipped, and a line on stderr says why. */
export function describeWithRawSockets(title: string, tests: () => void): void {
  const missing = whatIsMissing();
  if (missing !== undefined) process.stderr.write(`skipped: ${title}: ${missing}\n`);
  describe.skipIf(missing !== undefined)(title, tests);
}

function whatIsMissing(): string | undefined {
  try {
    openRaw().close();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
