// A host in a process of its own that does what the test calls: our stack (`src/stack-host.ts`) or the kernel's (`src/kernel-host.ts`).
import type { Ended, Program, ProgramEvent } from "./program.ts";

type Call = (subject: never, args: never) => Promise<object>;
type Arguments<Each extends Call> = Parameters<Each> extends [unknown, infer Given] ? [Given] : [];

/** What a call failed with, as it was in the other process. */
export class CallError extends Error {
  readonly code: string | undefined;

  constructor(call: string, { code, message }: { code?: string; message?: string }) {
    super(`${call}: ${message}`);
    this.code = code;
  }
}

export class RemoteHost<Calls extends { [Name in keyof Calls]: Call }> {
  private readonly program: Program;
  private calls = 0;

  constructor(program: Program) {
    this.program = program;
  }

  /**
   * Calls, and waits for the answer. Throws `CallError` when the call failed there.
   * @param patience how long to wait for the answer, in ms, where it takes long. @default the program's
   */
  async call<Name extends keyof Calls & string>(
    name: Name,
    ...args: [...Arguments<Calls[Name]>, patience?: number]
  ): Promise<Awaited<ReturnType<Calls[Name]>>> {
    const id = (this.calls += 1);
    this.program.tell({ id, call: name, args: args[0] });
    const { result, error } = await this.program.event("answer", (answer) => answer.id === id, args[1] as number | undefined);
    if (error !== undefined) throw new CallError(name, error as { code?: string; message?: string });
    return result as Awaited<ReturnType<Calls[Name]>>;
  }

  /** The code of the error that a call fails with; undefined when it does not fail. */
  async errorOf<Name extends keyof Calls & string>(name: Name, ...args: [...Arguments<Calls[Name]>, patience?: number]): Promise<unknown> {
    try {
      await this.call(name, ...args);
      return undefined;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      return error.code;
    }
  }

  event(name: string, matches?: (event: ProgramEvent) => boolean, patience?: number): Promise<ProgramEvent> {
    return this.program.event(name, matches, patience);
  }

  /** Ends the program in order. */
  end(): Promise<Ended> {
    this.program.end();
    return this.program.ended;
  }
}
