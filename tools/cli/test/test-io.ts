// A process for commands under test: what they write is kept, what they read is given.
import { fileURLToPath } from "node:url";
import { runCli } from "../src/cli.ts";
import type { Io } from "../src/terminal/io.ts";
import { type Output, OutputClosed } from "../src/terminal/output.ts";

export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/${name}`, import.meta.url));
}

export class KeptOutput implements Output {
  readonly isTTY: boolean;
  readonly columns = 80;
  readonly pieces: Uint8Array[] = [];
  private readonly limit: number;

  /** @param limit octets after which the reader has left */
  constructor(isTTY = false, limit: number = Number.POSITIVE_INFINITY) {
    this.isTTY = isTTY;
    this.limit = limit;
  }

  get text(): string {
    return Buffer.concat(this.pieces).toString();
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }

  write(data: string | Uint8Array): undefined {
    if (this.pieces.reduce((sum, { length }) => sum + length, 0) >= this.limit) throw new OutputClosed();
    this.pieces.push(typeof data === "string" ? Buffer.from(data) : Uint8Array.from(data));
  }
}

export interface RunOptions {
  readonly stdin?: Iterable<Uint8Array>;
  readonly isTTY?: boolean;
  readonly environment?: Record<string, string>;
  /** Octets of stdout after which its reader has left. */
  readonly stdoutLimit?: number;
}

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly lines: string[];
  readonly stderr: string;
}

async function* asynchronous(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  yield* pieces;
}

export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { stdin = [], isTTY = false, environment = {}, stdoutLimit } = options;
  const stdout = new KeptOutput(isTTY, stdoutLimit);
  const stderr = new KeptOutput(isTTY);
  const io: Io = { stdout, stderr, stdin: asynchronous(stdin), environment, signal: new AbortController().signal };
  const code = await runCli(argv, io);
  return { code, stdout: stdout.text, lines: stdout.lines, stderr: stderr.text };
}
