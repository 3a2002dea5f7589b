// Fragments of IPv6 datagrams on their way through a filter (RFC 8200 §4.5): the first one shows the ports and is judged, the others share its fate.
import type { Clock, Milliseconds } from "@netstrata/core";

/** Datagrams whose later fragments may pass; the oldest is forgotten for a new one. */
export const MAX_FRAGMENT_VERDICTS = 1024;
/** As long as their destination waits for them (RFC 8200 §4.5). */
export const FRAGMENT_VERDICT_LIFETIME: Milliseconds = 60_000;

export class FragmentVerdicts {
  private readonly clock: Clock;
  /** By the datagram, until when; oldest first. */
  private readonly accepted = new Map<string, Milliseconds>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get size(): number {
    return this.accepted.size;
  }

  /** The first fragment of a datagram has passed. */
  accept(datagram: string): void {
    this.accepted.delete(datagram);
    this.accepted.set(datagram, this.clock.now() + FRAGMENT_VERDICT_LIFETIME);
    if (this.accepted.size <= MAX_FRAGMENT_VERDICTS) return;
    for (const oldest of this.accepted.keys()) {
      this.accepted.delete(oldest);
      return;
    }
  }

  /** One that comes before its first, or long after, is refused: what has no first fragment cannot be put together either. */
  isAccepted(datagram: string): boolean {
    return (this.accepted.get(datagram) ?? 0) > this.clock.now();
  }
}
