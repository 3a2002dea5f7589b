// The page's program: performs, and sends what it found to where it came from.
import { perform } from "./program.ts";

export interface PageReport {
  readonly findings?: unknown;
  /** Whatever nobody has caught. */
  readonly errors: readonly string[];
}

const errors: string[] = [];
const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
addEventListener("error", ({ message }) => void errors.push(message));
addEventListener("unhandledrejection", ({ reason }) => void errors.push(describe(reason)));

let findings: unknown;
try {
  const { body } = await fetch("recording");
  findings = await perform(body!);
} catch (error) {
  errors.push(describe(error));
}
await fetch("report", { method: "POST", body: JSON.stringify({ findings, errors } satisfies PageReport) });
