// A call in progress: what a blocking call of POSIX is where nothing can block.
import type { Milliseconds, Timer } from "@netstrata/core";
import { Fifo } from "../fifo.ts";
import type { Errno } from "./errno.ts";

/** What a call returns, or the name of its error. Strings are errors and nothing else. */
export type Outcome<T> = T | Errno;

/** What a call that never waits returns: 0, a count, a descriptor; or the name of its error. */
export type Result = number | Errno;

/**
 * Tries to do what the call is for. Undefined: it would block. With `mayWait` false it has to say something:
 * what was done so far, or EAGAIN.
 */
export type Attempt<T> = (mayWait: boolean) => Outcome<T> | undefined;

export class Call<T extends number | object = number> {
  /** Undefined while the call waits. */
  outcome: Outcome<T> | undefined;
  /** Runs the call out of its time (SO_RCVTIMEO, the time of `poll` …). */
  timer: Timer | undefined;
  private readonly attempt: Attempt<T>;
  private readonly forget: () => void;
  private listeners: ((outcome: Outcome<T>) => void)[] | undefined;

  /** @param forget takes a call that waits out of its queue */
  constructor(outcome: Outcome<T> | undefined, attempt: Attempt<T> = nothing, forget: () => void = () => {}) {
    this.outcome = outcome;
    this.attempt = attempt;
    this.forget = forget;
  }

  get isWaiting(): boolean {
    return this.outcome === undefined;
  }

  /** Tells when the call has returned, or at once when it has. The clock then shows when that was. */
  onSettled(listener: (outcome: Outcome<T>) => void): void {
    if (this.outcome !== undefined) listener(this.outcome);
    else if (this.listeners === undefined) this.listeners = [listener];
    else this.listeners.push(listener);
  }

  /** Tries again; undefined when it still has to wait. */
  retry(): Outcome<T> | undefined {
    return this.outcome ?? this.attempt(true);
  }

  /** As a signal does: the call returns what it has done, or EINTR. */
  interrupt(): void {
    if (this.outcome !== undefined) return;
    const outcome = this.attempt(false) ?? "EINTR";
    this.forget();
    this.settle(typeof outcome === "string" && NOTHING_DONE.has(outcome) ? "EINTR" : outcome);
  }

  /** The time is over: the call returns what it has done, or what it would have said without waiting. */
  expire(): void {
    if (this.outcome !== undefined) return;
    const outcome = this.attempt(false) ?? "EAGAIN";
    this.forget();
    this.settle(outcome);
  }

  settle(outcome: Outcome<T>): void {
    if (this.outcome !== undefined) return;
    this.outcome = outcome;
    this.timer?.disarm();
    const { listeners } = this;
    this.listeners = undefined;
    for (const listener of listeners ?? []) listener(outcome);
  }
}

/** What a call says that could only have waited. */
const NOTHING_DONE: ReadonlySet<Errno> = new Set<Errno>(["EAGAIN", "EINPROGRESS", "EALREADY"]);

function nothing(): undefined {
  return undefined;
}

/** What a queue needs of the calls in it, whatever they return. */
interface Waiting {
  retry(): unknown;
  settle(outcome: unknown): void;
}

/** Calls that wait for the same thing, and get it in their turn. */
export class CallQueue {
  private readonly calls: Fifo<Waiting> = new Fifo();

  get length(): number {
    return this.calls.length;
  }

  /**
   * Starts a call: tries at once, and lets it wait where it may.
   * @param createTimer for a `timeout` in ms; 0 is none
   */
  start<T extends number | object>(attempt: Attempt<T>, mayWait: boolean, timeout: Milliseconds, createTimer: CreateTimer): Call<T> {
    // Who comes now stands behind those who wait.
    const outcome = this.length > 0 && mayWait ? undefined : attempt(mayWait);
    if (outcome !== undefined) return new Call<T>(outcome);
    const call: Call<T> = new Call<T>(mayWait ? undefined : "EAGAIN", attempt, () => this.calls.remove(call));
    if (!mayWait) return call;
    this.calls.push(call);
    if (timeout > 0) {
      call.timer = createTimer(() => call.expire());
      call.timer.arm(timeout);
    }
    return call;
  }

  /** Something has changed: as many as can go on do. */
  retry(): void {
    for (let first = this.calls.peek(); first !== undefined; first = this.calls.peek()) {
      const outcome = first.retry();
      if (outcome === undefined) return;
      // Taken off before anybody hears of it: who hears may come back here.
      this.calls.shift();
      first.settle(outcome);
    }
  }

  /** Ends all of them. */
  settle(outcome: Errno): void {
    for (const call of this.calls.takeAll()) call.settle(outcome);
  }
}

export type CreateTimer = (onExpiry: () => void) => Timer;
