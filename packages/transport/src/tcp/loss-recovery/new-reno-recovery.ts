// Fast retransmit and fast recovery without SACK (RFC 5681 §3.2, RFC 6582), as decisions: what to do is left to the caller.
import { isAfter, isAtOrAfter, type SequenceNumber, sequenceAdd } from "@netstrata/core";

/** RFC 5681 §3.2: the third duplicate acknowledgment is taken for a loss. */
const DUPLICATE_THRESHOLD = 3;
/** RFC 3042: each of the first two lets one more new segment out. */
const LIMITED_TRANSMIT = 2;

export type DuplicateDecision =
  /** Too few to tell loss from reordering. */
  | "wait"
  /** Enter recovery and send the first unacknowledged segment again. */
  | "retransmit"
  /** In recovery already: one more segment has left the network. */
  | "inflate";

export type AcknowledgmentDecision =
  | "no-recovery"
  /** Something else of the same window is missing: send the next unacknowledged segment again. */
  | "partial"
  /** Everything that was in flight at the loss has arrived. */
  | "full";

export class NewRenoRecovery {
  active = false;
  duplicates = 0;
  /** One past the highest sequence number sent when the last loss was found ("recover" in RFC 6582 §3.2). */
  private recover: SequenceNumber;

  constructor(iss: SequenceNumber) {
    this.recover = iss;
  }

  /** Segments that may go out beyond the congestion window now (RFC 3042 §2). */
  get limitedTransmit(): number {
    return this.active ? 0 : Math.min(this.duplicates, LIMITED_TRANSMIT);
  }

  duplicate(una: SequenceNumber, nxt: SequenceNumber): DuplicateDecision {
    this.duplicates += 1;
    if (this.active) return "inflate";
    // RFC 6582 §3.2 step 1: duplicates of segments sent again after a timeout must not start another recovery.
    if (this.duplicates !== DUPLICATE_THRESHOLD || !isAfter(una, this.recover)) return "wait";
    this.recover = nxt;
    this.active = true;
    return "retransmit";
  }

  acknowledged(ack: SequenceNumber): AcknowledgmentDecision {
    this.duplicates = 0;
    if (!this.active) {
      // Keeps up with the stream: after 2 GiB without a loss an old number would look like one that lies ahead.
      if (isAfter(ack, this.recover)) this.recover = sequenceAdd(ack, -1);
      return "no-recovery";
    }
    if (!isAtOrAfter(ack, this.recover)) return "partial";
    this.active = false;
    return "full";
  }

  /** RFC 6582 §4: a timeout ends recovery and remembers what was sent before it. */
  timedOut(nxt: SequenceNumber): void {
    this.recover = nxt;
    this.active = false;
    this.duplicates = 0;
  }
}
