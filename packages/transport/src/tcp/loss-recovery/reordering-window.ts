// How long to wait for reordering to resolve before a segment is called lost (RFC 8985 §6.2 steps 1 and 4).
import { isAtOrAfter, type Milliseconds, type SequenceNumber } from "@netstrata/core";

/** The minimum round trip is forgotten after this long, so that a longer path is noticed (§6.2 step 1; Linux, tcp_min_rtt_wlen). */
const MINIMUM_LIFETIME: Milliseconds = 300_000;
/** §6.2 step 4: RACK.min_RTT/4 … */
const WINDOW_FRACTION = 1 / 4;
/** … and how many recoveries a widened window outlasts. */
const PERSISTENCE = 16;
const LARGEST_MULTIPLIER = 255;

export class ReorderingWindow {
  /** RACK.min_RTT */
  minimumRoundTrip: Milliseconds = Number.POSITIVE_INFINITY;
  private minimumSince: Milliseconds = 0;
  /** RACK.reo_wnd_mult and RACK.reo_wnd_persist. */
  private multiplier = 1;
  private persistence = 0;
  /** RACK.dsack_round: until this number is acknowledged, reports belong to one round. */
  private round: SequenceNumber | undefined;

  measured(roundTrip: Milliseconds, now: Milliseconds): void {
    if (roundTrip > this.minimumRoundTrip && now - this.minimumSince <= MINIMUM_LIFETIME) return;
    this.minimumRoundTrip = roundTrip;
    this.minimumSince = now;
  }

  /** The peer got something twice: it was called lost too soon. The window widens once a round trip. */
  duplicateReported(una: SequenceNumber, nxt: SequenceNumber): void {
    if (this.round !== undefined && !isAtOrAfter(una, this.round)) return;
    this.round = nxt;
    this.multiplier = Math.min(LARGEST_MULTIPLIER, this.multiplier + 1);
    this.persistence = PERSISTENCE;
  }

  /** A recovery is over; one that was undone speaks for waiting longer. */
  recovered(undone: boolean): void {
    this.persistence = Math.min(PERSISTENCE, this.persistence + (undone ? 1 : -1));
    if (this.persistence > 0) return;
    this.persistence = 0;
    this.multiplier = 1;
  }

  /** RACK.reo_wnd, where there is one. */
  length(smoothed: Milliseconds | undefined): Milliseconds {
    const minimum = this.minimumRoundTrip === Number.POSITIVE_INFINITY ? 0 : this.minimumRoundTrip;
    return Math.min(this.multiplier * minimum * WINDOW_FRACTION, smoothed ?? minimum);
  }
}
