// How long to wait for reordering to resolve before a segment is called lost (RFC 8985 §6.2 steps 1, 3 and 4).
import { isAfter, isBefore, type Milliseconds, type SequenceNumber } from "@netstrata/core";
import type { SentSegment } from "../scoreboard.ts";

/** The minimum round trip is forgotten after this long, so that a longer path is noticed (§6.2 step 1). */
const MINIMUM_LIFETIME: Milliseconds = 300_000;
/** §6.2 step 4: RACK.min_RTT/4 … */
const WINDOW_FRACTION = 1 / 4;
/** … and how many recoveries a widened window outlasts. */
const PERSISTENCE = 16;
const LARGEST_MULTIPLIER = 20;

export class ReorderingWindow {
  /** RACK.min_RTT */
  minimumRoundTrip: Milliseconds = Number.POSITIVE_INFINITY;
  private minimumSince: Milliseconds = 0;
  private seen = false;
  /** RACK.fack: one past the highest number known to have arrived. */
  private highest: SequenceNumber | undefined;
  /** RACK.reo_wnd_mult and RACK.reo_wnd_persist. */
  private multiplier = 1;
  private persistence = PERSISTENCE;
  /** RACK.dsack_round: until this number is delivered, reports belong to one round. */
  private round: SequenceNumber | undefined;

  delivered(segment: SentSegment, roundTrip: Milliseconds, now: Milliseconds): void {
    if (roundTrip <= this.minimumRoundTrip || now - this.minimumSince > MINIMUM_LIFETIME) {
      this.minimumRoundTrip = roundTrip;
      this.minimumSince = now;
    }
    if (this.round !== undefined && isAfter(segment.end, this.round)) this.round = undefined;
    if (this.highest === undefined || isAfter(segment.end, this.highest)) this.highest = segment.end;
    else if (isBefore(segment.end, this.highest) && segment.transmissions === 1) this.seen = true;
  }

  /** The peer got something twice: we called it lost too soon. The window widens once a round trip. */
  duplicateReported(nxt: SequenceNumber): void {
    this.seen = true;
    if (this.round !== undefined) return;
    this.round = nxt;
    this.multiplier = Math.min(LARGEST_MULTIPLIER, this.multiplier + 1);
    this.persistence = PERSISTENCE;
  }

  /** A recovery is over. */
  recovered(): void {
    this.persistence -= 1;
    if (this.persistence > 0) return;
    this.multiplier = 1;
    this.persistence = PERSISTENCE;
  }

  /** RACK.reo_wnd. `impatient`: a loss is certain enough not to wait, if nothing was ever reordered. */
  window(impatient: boolean, smoothed: Milliseconds | undefined): Milliseconds {
    if (!this.seen && impatient) return 0;
    const minimum = this.minimumRoundTrip === Number.POSITIVE_INFINITY ? 0 : this.minimumRoundTrip;
    return Math.min(this.multiplier * minimum * WINDOW_FRACTION, smoothed ?? minimum);
  }
}
