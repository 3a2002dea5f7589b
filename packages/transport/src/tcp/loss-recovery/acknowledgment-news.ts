// What one arriving acknowledgment says about what was sent (RFC 5681 §2, RFC 2018, RFC 2883, RFC 3522).
import type { SentSegment } from "../sent-segment.ts";
import type { SackBlock } from "../tcp-options.ts";

/** Valid only during the call. */
export interface AcknowledgmentNews {
  /** How far SND.UNA has moved, in octets. */
  readonly octets: number;
  /** Segments that are known for the first time to have arrived, in the order of their numbers. */
  readonly delivered: readonly SentSegment[];
  /** Octets of the same. */
  readonly deliveredLength: number;
  /** The last so many of them are reported by SACK, the others acknowledged. */
  readonly sackedCount: number;
  /** Segments that were acknowledged, whether they had been reported before or not. */
  readonly acknowledgedCount: number;
  /** Nothing in it is new but, perhaps, reports: no text, no progress, the same window. */
  readonly isRepeat: boolean;
  /** A duplicate acknowledgment as RFC 5681 §2 defines it. */
  readonly isDuplicate: boolean;
  /** The peer says that it received this a second time (RFC 2883). */
  readonly duplicateSack: SackBlock | undefined;
  /** By its timestamp it answers a segment that was sent before anything was sent again (RFC 3522 §3.2). */
  readonly echoesOriginal: boolean;
}
