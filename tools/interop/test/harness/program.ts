// A process under test: its lines of output as events to wait for, and its end.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Waiting for an event that never comes ends here: not a pause, only the limit of patience. */
const PATIENCE = 30_000;

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
  /** The lines of stdout that nobody has taken yet. */
  private readonly lines: string[] = [];
  private readonly child: ChildProcess;
  private readonly commandLine: string;
  private stdout = "";
  private stderr = "";
  private waiting: (() => void)[] = [];
  /** Resolves when the process has ended and all its output has been read; never rejects. */
  readonly ended: Promise<Ended>;
  private over = false;

  constructor(command: string, args: readonly string[]) {
    this.commandLine = [command, ...args].join(" ");
    this.child = spawn(command, args, { stdio: "pipe" });
    createInterface({ input: this.child.stdout! }).on("line", (line) => {
      this.lines.push(line);
      this.wake();
    });
    this.child.stdout!.on("data", (chunk) => (this.stdout += chunk));
    this.child.stderr!.on("data", (chunk) => (this.stderr += chunk));
    // Whoever writes to a process that has ended learns of it by `ended`.
    this.child.stdin!.on("error", () => {});
    this.ended = new Promise((resolve) => {
      const end = (code: number | null): void => {
        this.over = true;
        this.wake();
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
      };
      this.child.on("close", end);
      this.child.on("error", (error) => {
        this.stderr += error.message;
        end(null);
      });
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Takes the first line that `matches`, waiting for it when need be; lines before it stay. */
  async line(matches: (line: string) => boolean = () => true, patience = PATIENCE): Promise<string> {
    const deadline = Date.now() + patience;
    for (;;) {
      const index = this.lines.findIndex(matches);
      if (index >= 0) return this.lines.splice(index, 1)[0];
      if (this.over) throw new Error(`ended before the line came: ${this.report()}`);
      if (Date.now() > deadline) throw new Error(`the line did not come: ${this.report()}`);
      await this.change(deadline - Date.now());
    }
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

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    if (!this.over) this.child.kill(signal);
  }

  private report(): string {
    return `${this.commandLine}\n--- stdout\n${this.stdout.slice(-2000)}\n--- stderr\n${this.stderr.slice(-2000)}`;
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
