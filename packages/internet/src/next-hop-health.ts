// Which next hops have been reported dead (RFC 1122 §3.3.1.4): advice from above and below, believed for a while.
import type { Clock, IpAddress, Milliseconds } from "@netstrata/core";

/** How long a next hop is passed over after it was reported dead, unless it shows itself alive (1122-3.3.1.4-2: never for ever). */
export const SUSPICION_TIME: Milliseconds = 60_000;
/** How many next hops are under suspicion at once; the oldest is forgiven for a new one. */
export const MAX_SUSPECTS = 64;

export class NextHopHealth {
  private readonly clock: Clock;
  private readonly suspects = new Map<IpAddress, Milliseconds>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Destinations on the link itself (no next hop) are always good: there is no other way to them. */
  isGood(nextHop: IpAddress | undefined): boolean {
    if (nextHop === undefined || this.suspects.size === 0) return true;
    const until = this.suspects.get(nextHop);
    return until === undefined || this.clock.now() >= until;
  }

  /** @returns true when it was thought good before */
  suspect(nextHop: IpAddress): boolean {
    const wasGood = this.isGood(nextHop);
    this.suspects.delete(nextHop);
    for (const oldest of this.suspects.keys()) {
      if (this.suspects.size < MAX_SUSPECTS) break;
      this.suspects.delete(oldest);
    }
    this.suspects.set(nextHop, this.clock.now() + SUSPICION_TIME);
    return wasGood;
  }

  /** @returns true when it was under suspicion */
  absolve(nextHop: IpAddress): boolean {
    return this.suspects.size > 0 && this.suspects.delete(nextHop);
  }
}
