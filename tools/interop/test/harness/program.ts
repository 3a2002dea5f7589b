// A process under test: its lines of output as events to wait for, and its end.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Waiting for an event that never comes ends here: not a pause, only the limit of patience. */
const PATIENCE = 30_000;

type Output = "stdout" | "stderr";

export interface Ended {
  /** The exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What our own programs print (`json-lines.ts`). */
export interface ProgramEvent {
  readonly event: string;
  readonly [detail: string]: unknown;
}

export class Program {
  /** The lines that nobody has taken yet. */
  private readonly lines: Readonly<Record<Output, string[]>> = { stdout: [], stderr: [] };
  private readonly child: ChildProcess;
  private readonly commandLine: string;
  private readonly output: Record<Output, string> = { stdout: "", stderr: "" };
  private waiting: (() => void)[] = [];
  /** Resolves when the process has ended and all its output has been read; never rejects. */
  readonly ended: Promise<Ended>;
  private over = false;

  constructor(command: string, args: readonly string[]) {
    this.commandLine = [command, ...args].join(" ");
    // A group of its own, so that what a shell has started ends with it.
    this.child = spawn(command, args, { stdio: "pipe", detached: true });
    for (const output of ["stdout", "stderr"] as const) {
      createInterface({ input: this.child[output]! }).on("line", (line) => {
        this.lines[output].push(line);
        this.wake();
      });
      this.child[output]!.on("data", (chunk) => (this.output[output] += chunk));
    }
    // Whoever writes to a process that has ended learns of it by `ended`.
    this.child.stdin!.on("error", () => {});
    this.ended = new Promise((resolve) => {
      const end = (code: number | null): void => {
        this.over = true;
        this.wake();
        resolve({ code, ...this.output });
      };
      this.child.on("close", end);
      this.child.on("error", (error) => {
        this.output.stderr += error.message;
        end(null);
      });
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Takes the first line of stdout that `matches`, waiting for it when need be; lines before it stay. */
  line(matches: (line: string) => boolean = () => true, patience = PATIENCE): Promise<string> {
    return this.take("stdout", matches, patience);
  }

  /** `line`, of stderr. */
  errorLine(matches: (line: string) => boolean): Promise<string> {
    return this.take("stderr", matches, PATIENCE);
  }

  /** Takes the first event of this name, and of these details when a test for them is given. */
  async event(name: string, matches: (event: ProgramEvent) => boolean = () => true, patience = PATIENCE): Promise<ProgramEvent> {
    const isIt = (line: string): boolean => {
      const event = JSON.parse(line) as ProgramEvent;
      return event.event === name && matches(event);
    };
    return JSON.parse(await this.line(isIt, patience)) as ProgramEvent;
  }

  /** Writes one command of ours (`json-lines.ts`). */
  tell(command: object): void {
    this.child.stdin!.write(`${JSON.stringify(command)}\n`);
  }

  write(text: string | Uint8Array): void {
    this.child.stdin!.write(text);
  }

  /** Closes the process's stdin. */
  end(): void {
    this.child.stdin!.end();
  }

  /** Sends a signal to the process and to those that it has started. */
  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    if (!this.over && this.pid !== undefined) process.kill(-this.pid, signal);
  }

  private async take(output: Output, matches: (line: string) => boolean, patience: number): Promise<string> {
    const lines = this.lines[output];
    const deadline = Date.now() + patience;
    for (;;) {
      const index = lines.findIndex(matches);
      if (index >= 0) return lines.splice(index, 1)[0];
      if (this.over) throw new Error(`ended before the line came: ${this.report()}`);
      if (Date.now() > deadline) throw new Error(`the line did not come: ${this.report()}`);
      await this.change(deadline - Date.now());
    }
  }

  private report(): string {
    return `${this.commandLine}\n--- stdout\n${this.output.stdout.slice(-2000)}\n--- stderr\n${this.output.stderr.slice(-2000)}`;
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private change(limit: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limit);
      this.waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
