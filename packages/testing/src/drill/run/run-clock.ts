// The time of a run: a virtual clock on which the script's events and the stack's timers take turns.
import { type Milliseconds, VirtualClock } from "@netstrata/core";
import { DrillStop } from "./drill-report.ts";

/** Not zero, so that nothing depends on time beginning with the script. */
const START: Milliseconds = 1_000_000;
/** Timers that may run between two events: more is a stack that never rests. */
export const MAX_TIMERS = 2_000_000;

export class RunClock {
  readonly virtual: VirtualClock = new VirtualClock(START);
  private start: Milliseconds = START;
  private timers = 0;

  /** Since the script began. */
  get now(): Milliseconds {
    return this.virtual.now() - this.start;
  }

  /** The script begins now: what was done before belongs to no event. */
  begin(): void {
    this.start = this.virtual.now();
  }

  /** The script's time for one of the stack's. */
  toScript(live: Milliseconds): Milliseconds {
    return live - this.start;
  }

  /** A new event: it may take as many timers again. */
  restart(): void {
    this.timers = 0;
  }

  /** Runs what is due before `time`, and stands there. A time that has passed is now. */
  moveTo(time: Milliseconds): void {
    const live = this.start + time;
    while ((this.virtual.next() ?? Number.POSITIVE_INFINITY) < live) this.step();
    this.virtual.runBefore(live);
  }

  /** Runs what is due now: threads that were woken. */
  settle(): void {
    while ((this.virtual.next() ?? Number.POSITIVE_INFINITY) <= this.virtual.now()) this.step();
  }

  /** Runs the next timer; false when none is due until `limit`. */
  stepUntil(limit: Milliseconds): boolean {
    const next = this.virtual.next();
    if (next === undefined || next > this.start + limit) return false;
    this.step();
    return true;
  }

  private step(): void {
    this.timers += 1;
    if (this.timers > MAX_TIMERS) throw new DrillStop("fail", `the stack never rests: ${MAX_TIMERS} timers between two events`);
    this.virtual.step();
  }
}
