// The pending Fast Open requests of a listener (RFC 7413 §4.2): connections that have text from a SYN, and no proof of life since.
import type { Clock, Milliseconds } from "@netstrata/core";

/**
 * §5.1: a spoofed SYN is often followed by a RST from the true owner of the address. Such a request keeps its place for so long,
 * or the RST would make room for the next.
 */
const RESET_KEEPS_PLACE: Milliseconds = 60_000;

export class FastOpenQueue {
  /** The most there may be at a time (PendingFastOpenRequests); 0 turns Fast Open off for the listener. */
  limit: number;
  private readonly clock: Clock;
  private pending = 0;
  /** When the places of those that were reset are free again; the earliest first. */
  private resets: Milliseconds[] = [];

  constructor(clock: Clock, limit: number) {
    this.clock = clock;
    this.limit = limit;
  }

  get isFull(): boolean {
    const now = this.clock.now();
    if (this.resets.length > 0 && this.resets[0] <= now) this.resets = this.resets.filter((until) => until > now);
    return this.pending + this.resets.length >= this.limit;
  }

  enter(): void {
    this.pending += 1;
  }

  leave(wasReset: boolean): void {
    this.pending -= 1;
    if (wasReset) this.resets.push(this.clock.now() + RESET_KEEPS_PLACE);
  }
}
