// How the programs here talk with the tests that start them: one JSON object a line, events out, commands in.
import { createInterface } from "node:readline";

export function tell(event: string, details: object = {}): void {
  process.stdout.write(`${JSON.stringify({ event, ...details })}\n`);
}

/** Tells of an error by what makes it out: its code and its message. */
export function tellError(error: unknown): void {
  const { code, message } = error as NodeJS.ErrnoException;
  tell("error", { code, message });
}

/** Calls `onCommand` with each object that the test writes; `onEnd` when it closes the pipe, or is gone. */
export function listen<Command>(onCommand: (command: Command) => void, onEnd: () => void): void {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => onCommand(JSON.parse(line) as Command));
  lines.on("close", onEnd);
}
