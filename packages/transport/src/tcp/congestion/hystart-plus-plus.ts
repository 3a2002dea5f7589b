// HyStart++ (RFC 9406): leaves slow start when round trips grow longer, first by growing more slowly for a while.
import { isAtOrAfter, type Milliseconds, type SequenceNumber } from "@netstrata/core";
import type { AcknowledgmentSample } from "./acknowledgment-sample.ts";

/** §4.3: by how much a round must be slower than the last one: an eighth, but within these bounds. */
const SMALLEST_THRESHOLD: Milliseconds = 4;
const LARGEST_THRESHOLD: Milliseconds = 16;
const ROUND_TRIP_DIVISOR = 8;
/** §4.3, N_RTT_SAMPLE: fewer measurements of a round say nothing. */
const SAMPLES_OF_A_ROUND = 8;
/** §4.3, CSS_GROWTH_DIVISOR: conservative slow start grows by this part … */
const CONSERVATIVE_DIVISOR = 4;
/** … for so many rounds (CSS_ROUNDS). */
const CONSERVATIVE_ROUNDS = 5;
/** §4.3, L: where segments are not paced. */
export const HYSTART_BURST_LIMIT = 8;

export type SlowStartPhase = "slow-start" | "conservative" | "over";

export class HyStartPlusPlus {
  phase: SlowStartPhase = "slow-start";
  /** windowEnd: SND.NXT at the beginning of the round. */
  private roundEnd: SequenceNumber | undefined;
  private lastMinimum: Milliseconds = Number.POSITIVE_INFINITY;
  private minimum: Milliseconds = Number.POSITIVE_INFINITY;
  private samples = 0;
  /** cssBaselineMinRtt */
  private baseline: Milliseconds = Number.POSITIVE_INFINITY;
  private rounds = 0;

  /** How much of `octets` the window may grow by. Says `phase` "over" when slow start should end with the window that it leads to. */
  grow(octets: number, sample: AcknowledgmentSample): number {
    const conservative = this.phase === "conservative";
    this.measure(sample);
    return conservative ? octets / CONSERVATIVE_DIVISOR : octets;
  }

  /** §4.2: the rules for each acknowledgment. */
  private measure({ una, nxt, roundTrip }: AcknowledgmentSample): void {
    if (this.roundEnd === undefined || isAtOrAfter(una, this.roundEnd)) {
      if (this.phase === "conservative") {
        // A round in the middle of which it began counts, too.
        this.rounds += 1;
        if (this.rounds >= CONSERVATIVE_ROUNDS) this.phase = "over";
      }
      this.lastMinimum = this.minimum;
      this.minimum = Number.POSITIVE_INFINITY;
      this.samples = 0;
      this.roundEnd = nxt;
    }
    if (roundTrip === undefined) return;
    this.minimum = Math.min(this.minimum, roundTrip);
    this.samples += 1;
    if (this.samples < SAMPLES_OF_A_ROUND) return;
    if (this.phase === "slow-start" && this.lastMinimum !== Number.POSITIVE_INFINITY) {
      const threshold = Math.max(SMALLEST_THRESHOLD, Math.min(this.lastMinimum / ROUND_TRIP_DIVISOR, LARGEST_THRESHOLD));
      if (this.minimum < this.lastMinimum + threshold) return;
      this.phase = "conservative";
      this.baseline = this.minimum;
      this.rounds = 0;
    } else if (this.phase === "conservative" && this.minimum < this.baseline) {
      // The delay has gone again: it was not our queue.
      this.phase = "slow-start";
      this.baseline = Number.POSITIVE_INFINITY;
    }
  }
}
