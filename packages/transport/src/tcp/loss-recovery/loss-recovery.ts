// How losses are found and repaired: the one interface of NewReno (without SACK) and RACK-TLP (with SACK).

import type { SentSegment } from "../scoreboard.ts";
import type { SackBlock } from "../tcp-options.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";

/** What one arriving acknowledgment says about what was sent. Valid only during the call. */
export interface AcknowledgmentNews {
  /** How far SND.UNA has moved, in octets. */
  readonly octets: number;
  /** Segments that are known for the first time to have arrived, in the order of their numbers. */
  readonly delivered: readonly SentSegment[];
  /** Octets of the same. */
  readonly deliveredLength: number;
  /** A duplicate acknowledgment as RFC 5681 §2 defines it. */
  readonly isDuplicate: boolean;
  /** The peer says that it received this a second time (RFC 2883). */
  readonly duplicateSack: SackBlock | undefined;
}

export interface LossRecovery {
  /** A loss is being repaired: the congestion window does not grow. */
  readonly active: boolean;
  /** How many octets may be in flight now: the congestion window, or what stands in its place during recovery. */
  window(tcb: TransmissionControlBlock): number;
  /** SND.UNA and the scoreboard are up to date; marks what is lost, sends what must go out at once. */
  acknowledged(tcb: TransmissionControlBlock, news: AcknowledgmentNews): void;
  /** Octets have gone out, new or again. */
  sent(octets: number): void;
  /** The retransmission timer has expired. */
  timedOut(tcb: TransmissionControlBlock): void;
  /** The timer "reordering" has expired. */
  reorderingTimedOut(tcb: TransmissionControlBlock): void;
  /**
   * How long to wait for an acknowledgment before probing for a lost tail, in ms; undefined: not at all, only the
   * retransmission timer runs.
   */
  probeTimeout(tcb: TransmissionControlBlock): number | undefined;
  /** It is time for that probe. */
  probe(tcb: TransmissionControlBlock): void;
}
