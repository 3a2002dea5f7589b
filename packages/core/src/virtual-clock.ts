// A clock that moves only when told to: a 60-second retransmission test takes microseconds, and pause and step are exact.
import type { Clock, Milliseconds, Timer } from "./clock.ts";
import { TimerQueue } from "./timer-queue.ts";

export class VirtualClock implements Clock {
  private time: Milliseconds;
  private readonly queue: TimerQueue;

  constructor(start: Milliseconds = 0) {
    this.time = start;
    this.queue = new TimerQueue(() => this.time);
  }

  now(): Milliseconds {
    return this.time;
  }

  timer(onExpiry: () => void): Timer {
    return this.queue.timer(onExpiry);
  }

  /** How many timers are armed: 0 means that nothing will ever happen again by itself. */
  get armedTimers(): number {
    return this.queue.size;
  }

  /** When the next timer expires, or undefined when none is armed. */
  next(): Milliseconds | undefined {
    return this.queue.next();
  }

  /** Moves to the next deadline and runs the one timer that expires first there; false when none is armed. */
  step(): boolean {
    const deadline = this.queue.next();
    if (deadline === undefined) return false;
    if (deadline > this.time) this.time = deadline;
    return this.queue.expireOne(this.time);
  }

  /** Runs every timer that expires up to and including `time`, then stands at `time`. */
  runUntil(time: Milliseconds): void {
    for (let deadline = this.queue.next(); deadline !== undefined && deadline <= time; deadline = this.queue.next()) this.step();
    if (time > this.time) this.time = time;
  }

  /** Runs every timer that expires before `time`, then stands at `time`: what expires at it comes behind what is done now. */
  runBefore(time: Milliseconds): void {
    for (let deadline = this.queue.next(); deadline !== undefined && deadline < time; deadline = this.queue.next()) this.step();
    if (time > this.time) this.time = time;
  }

  /** `runUntil` by a duration. */
  advance(duration: Milliseconds): void {
    this.runUntil(this.time + duration);
  }

  /** Runs until no timer is armed, or until `limit` timers have run; true when none is left. */
  runUntilIdle(limit: number = Number.POSITIVE_INFINITY): boolean {
    for (let count = 0; count < limit; count += 1) if (!this.step()) return true;
    return this.queue.size === 0;
  }
}
