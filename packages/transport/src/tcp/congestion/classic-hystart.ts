// HyStart as Linux has it (Ha and Rhee, "Taming the elephants", 2011): slow start ends when acknowledgments arrive in a long train, or late.
import { isAfter, type Milliseconds, type SequenceNumber } from "@netstrata/core";
import type { AcknowledgmentSample } from "./acknowledgment-sample.ts";

/** Segments; a smaller window is never thought too large. */
const LOW_WINDOW = 16;
/** Acknowledgments no further apart than this belong to one train. */
const TRAIN_SPACING: Milliseconds = 2;
const SAMPLES_OF_A_ROUND = 8;
/** By how much a round trip must be longer than the shortest: an eighth of that, within these bounds. */
const SMALLEST_DELAY: Milliseconds = 4;
const LARGEST_DELAY: Milliseconds = 16;

export class ClassicHyStart {
  found = false;
  /** The shortest round trip ever; 0 before the first. */
  shortest: Milliseconds = 0;
  private roundStart: Milliseconds = 0;
  private lastAcknowledgment: Milliseconds = 0;
  private roundEnd: SequenceNumber | undefined;
  private roundShortest: Milliseconds = Number.POSITIVE_INFINITY;
  private samples = 0;

  /** Also after a timeout: slow start begins again, and everything with it. */
  reset(): void {
    this.found = false;
    this.shortest = 0;
    this.roundEnd = undefined;
  }

  measured(roundTrip: Milliseconds): void {
    if (this.shortest === 0 || roundTrip < this.shortest) this.shortest = roundTrip;
  }

  /** Says once that slow start should end at this window. */
  isOver({ now, una, nxt, roundTrip = Number.POSITIVE_INFINITY }: AcknowledgmentSample, windowSegments: number, paced: boolean): boolean {
    if (this.found || windowSegments < LOW_WINDOW) return false;
    if (this.roundEnd === undefined || isAfter(una, this.roundEnd)) {
      this.roundStart = now;
      this.lastAcknowledgment = now;
      this.roundEnd = nxt;
      this.roundShortest = Number.POSITIVE_INFINITY;
      this.samples = 0;
    }
    if (now - this.lastAcknowledgment <= TRAIN_SPACING) {
      this.lastAcknowledgment = now;
      if (now - this.roundStart > (paced ? this.shortest : this.shortest / 2)) this.found = true;
    }
    this.roundShortest = Math.min(this.roundShortest, roundTrip);
    if (this.samples < SAMPLES_OF_A_ROUND) this.samples += 1;
    else if (this.roundShortest > this.shortest + Math.min(LARGEST_DELAY, Math.max(SMALLEST_DELAY, this.shortest / 8))) this.found = true;
    return this.found;
  }
}
