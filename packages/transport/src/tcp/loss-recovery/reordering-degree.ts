// How far segments have been seen to be displaced on their way, and whether at all (RFC 4653 §2, RFC 8985 §6.2 step 3; Linux's tcpi_reordering).
import { isBefore, type SequenceNumber, sequenceDistance } from "@netstrata/core";
import type { SentSegment } from "../sent-segment.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";

/** RFC 5681 §3.2: DupThresh, while the network keeps the order. */
export const DUPLICATE_THRESHOLD = 3;
/** Linux, tcp_max_reordering: a peer must not make us wait for ever. */
const LARGEST_DEGREE = 300;

export class ReorderingDegree {
  /** DupThresh: so many segments reported above a hole make it a loss. */
  degree: number = DUPLICATE_THRESHOLD;
  /** How often segments were seen to be displaced. */
  timesSeen = 0;
  /** RACK.fack: one past the highest number that is known to have arrived. */
  private highest: SequenceNumber | undefined;

  /** RACK.reordering_seen */
  get seen(): boolean {
    return this.timesSeen > 0;
  }

  /**
   * Looks through what has arrived, in the order of its numbers: what was sent once and comes after something higher was displaced.
   * @returns true when there was such a segment
   */
  observe(delivered: readonly SentSegment[], tcb: TransmissionControlBlock): boolean {
    let lowest: SequenceNumber | undefined;
    for (const segment of delivered) {
      if (this.highest === undefined || !isBefore(segment.start, this.highest)) this.highest = segment.end;
      else if (segment.transmissions === 1 && (lowest === undefined || isBefore(segment.start, lowest))) lowest = segment.start;
    }
    if (lowest === undefined) return false;
    this.filledLate(lowest, tcb);
    return true;
  }

  /** What starts at `start` came after something higher. */
  filledLate(start: SequenceNumber, { scoreboard, snd, segmentSize }: TransmissionControlBlock): void {
    const highest = scoreboard.sackedCount === 0 || this.highest === undefined ? snd.una : this.highest;
    if (isBefore(start, highest)) this.displaced(sequenceDistance(start, highest), segmentSize);
  }

  /** Something arrived `distance` octets late. */
  displaced(distance: number, segmentSize: number): void {
    this.timesSeen += 1;
    this.degree = Math.max(this.degree, Math.min(LARGEST_DEGREE, Math.ceil(distance / segmentSize)));
  }

  /** A timeout although enough was reported to find the loss: the degree was set too high (Linux, tcp_enter_loss). */
  overestimated(): void {
    this.degree = DUPLICATE_THRESHOLD;
  }
}
