// What a command sees of the process it runs in; a test hands in its own.
import type { Output } from "./output.ts";

export interface Io {
  /** Data. */
  readonly stdout: Output;
  /** Notes, progress, errors. */
  readonly stderr: Output;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted when the user wants the program to end (SIGINT, SIGTERM). */
  readonly signal: AbortSignal;
}
