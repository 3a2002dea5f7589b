// The clock of the real world: a queue of timers behind one timer of the event loop.
import { type Clock, type Milliseconds, type Timer, TimerQueue } from "@netstrata/core";
import { holdTimeout, nextTurn, startTimeout, stopTimeout, type TimeoutHandle } from "./event-loop.ts";

/** Event loops count in whole milliseconds; what is due earlier is waited for in turns of the loop. */
const FINEST_TIMEOUT: Milliseconds = 1;
/** The longest delay that `setTimeout` takes. */
const LONGEST_TIMEOUT: Milliseconds = 2 ** 31 - 1;
/** How long the clock runs timers and promise jobs before it lets the event loop look at I/O again. */
const TURN_BUDGET: Milliseconds = 1;
/** Timers that run between two looks at the time: one look costs as much as sending a small packet halfway. */
const TIMERS_PER_LOOK = 16;

/**
 * What is due now runs as a promise job: a packet over a wire without latency costs a tenth of a microsecond, where a turn
 * of the event loop costs one. After `TURN_BUDGET` of that the event loop gets its turn, so that two hosts that talk
 * without a pause do not starve the rest of the process.
 *
 * Node's process stays alive while the clock is held (`hold`), whether a timer is armed or not: an idle listener is reason enough,
 * and the TIME-WAIT of a connection that nobody holds any more is none.
 */
export class RealTimeClock implements Clock {
  private readonly queue: TimerQueue;
  private holds = 0;
  private timeout: TimeoutHandle | undefined;
  /** When the timeout of the event loop fires; Infinity when none is set. */
  private timeoutAt: Milliseconds = Number.POSITIVE_INFINITY;
  /** A promise job or a turn is on its way that will look at the queue. */
  private awaitingTurn = false;
  /** Until then timers may run as promise jobs. */
  private budgetEnd: Milliseconds = 0;
  /** While timers run: the time of the last look. */
  private lastLook: Milliseconds | undefined;

  constructor() {
    this.queue = new TimerQueue(
      () => this.now(),
      () => this.schedule(),
    );
  }

  /** While timers run, time stands still for a few of them, as in every event loop. */
  now(): Milliseconds {
    return this.lastLook ?? performance.now();
  }

  timer(onExpiry: () => void): Timer {
    return this.queue.timer(onExpiry);
  }

  /** How many timers are armed. */
  get armedTimers(): number {
    return this.queue.size;
  }

  /** Keeps the process alive until `release` has been called as often as this. */
  hold(): void {
    this.holds += 1;
    if (this.holds === 1) this.holdOrRelease();
  }

  release(): void {
    this.holds -= 1;
    if (this.holds === 0) this.holdOrRelease();
  }

  private holdOrRelease(): void {
    if (this.timeout !== undefined) holdTimeout(this.timeout, this.holds > 0);
    this.schedule();
  }

  /** Sees to it that the first timer runs when it is due. */
  private schedule(): void {
    if (this.awaitingTurn) return;
    const next = this.queue.next();
    if (next === undefined) {
      if (this.holds > 0) this.setTimeout(Number.POSITIVE_INFINITY);
      else this.clearTimeout();
      return;
    }
    const now = performance.now();
    if (next - now >= FINEST_TIMEOUT) {
      this.setTimeout(next);
      return;
    }
    this.awaitingTurn = true;
    if (next <= now && now < this.budgetEnd) queueMicrotask(this.onJob);
    else nextTurn(this.onTurn);
  }

  private setTimeout(at: Milliseconds): void {
    // A timeout that fires too early looks at the queue and sets another; so a later deadline needs no change.
    if (this.timeout !== undefined && this.timeoutAt <= at) return;
    this.clearTimeout();
    this.timeoutAt = at;
    const delay = Math.min(LONGEST_TIMEOUT, Math.ceil(at - performance.now()));
    this.timeout = startTimeout(this.onTimeout, delay, this.holds > 0);
  }

  private clearTimeout(): void {
    if (this.timeout !== undefined) stopTimeout(this.timeout);
    this.timeout = undefined;
    this.timeoutAt = Number.POSITIVE_INFINITY;
  }

  private readonly onTimeout = (): void => {
    this.timeout = undefined;
    this.timeoutAt = Number.POSITIVE_INFINITY;
    this.startTurn();
  };

  private readonly onTurn = (): void => this.startTurn();

  private readonly onJob = (): void => this.run();

  private startTurn(): void {
    this.budgetEnd = performance.now() + TURN_BUDGET;
    this.run();
  }

  /** Runs what is due, and what becomes due by it, while the budget lasts. */
  private run(): void {
    // Nothing is scheduled from within: one look at the end suffices.
    this.awaitingTurn = true;
    let now = performance.now();
    this.lastLook = now;
    try {
      for (let count = 1; this.queue.expireOne(now); count += 1) {
        if (count % TIMERS_PER_LOOK !== 0) continue;
        now = performance.now();
        if (now > this.budgetEnd) break;
        this.lastLook = now;
      }
    } finally {
      this.awaitingTurn = false;
      this.lastLook = undefined;
      this.schedule();
    }
  }
}
