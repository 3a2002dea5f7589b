// Things that a router has lent for a time (RFC 4861 §6.3.4, RFC 4862 §5.5.3): each ends unless it is lent again.
import type { Clock, Milliseconds, Timer } from "@netstrata/core";

/** 2^32 - 1 seconds are for ever (RFC 4861 §4.6.2). */
const FOR_EVER = 0xffffffff;
/** Nearer to its end than this is at its end, so that the timer never waits for less than a clock can tell. */
const AT_ITS_END: Milliseconds = 1;

export class Lifetimes<Key> {
  private readonly clock: Clock;
  private readonly limit: number;
  private readonly onEnd: (key: Key) => void;
  private readonly timer: Timer;
  private readonly ends = new Map<Key, Milliseconds>();

  /** @param limit how many things at once; what is lent beyond it is refused */
  constructor(clock: Clock, limit: number, onEnd: (key: Key) => void) {
    this.clock = clock;
    this.limit = limit;
    this.onEnd = onEnd;
    this.timer = clock.timer(() => this.expire());
  }

  get size(): number {
    return this.ends.size;
  }

  has(key: Key): boolean {
    return this.ends.has(key);
  }

  keys(): Key[] {
    return [...this.ends.keys()];
  }

  /** In seconds; Infinity is for ever, 0 for what is not there. */
  remaining(key: Key): number {
    const end = this.ends.get(key);
    return end === undefined ? 0 : Math.max(0, (end - this.clock.now()) / 1000);
  }

  /** Starts or changes a lifetime, in seconds. @returns false when there is no room for one more */
  set(key: Key, seconds: number): boolean {
    if (!this.ends.has(key) && this.ends.size >= this.limit) return false;
    this.ends.set(key, seconds >= FOR_EVER ? Number.POSITIVE_INFINITY : this.clock.now() + 1000 * seconds);
    this.rearm();
    return true;
  }

  delete(key: Key): void {
    if (this.ends.delete(key)) this.rearm();
  }

  clear(): void {
    this.ends.clear();
    this.timer.disarm();
  }

  private rearm(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const end of this.ends.values()) next = Math.min(next, end);
    if (next === Number.POSITIVE_INFINITY) this.timer.disarm();
    else this.timer.arm(Math.max(AT_ITS_END, next - this.clock.now()));
  }

  private expire(): void {
    const now = this.clock.now();
    for (const [key, end] of this.ends) {
      if (end - now > AT_ITS_END) continue;
      this.ends.delete(key);
      this.onEnd(key);
    }
    this.rearm();
  }
}
