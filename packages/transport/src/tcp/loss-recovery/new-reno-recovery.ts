// Fast retransmit and fast recovery for peers without SACK (RFC 5681 §3.2, RFC 6582), with limited transmit (RFC 3042).
import { isAfter, isAtOrAfter, type SequenceNumber, sequenceAdd } from "@netstrata/core";
import { windowReducedForLoss } from "../ecn/window-reduction.ts";
import { retransmit } from "../sender.ts";
import { reportCongestion } from "../tcp-events.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import type { AcknowledgmentNews, LossRecovery } from "./loss-recovery.ts";

/** RFC 5681 §3.2: the third duplicate acknowledgment is taken for a loss. */
const DUPLICATE_THRESHOLD = 3;
/** RFC 3042 §2: each of the first two lets one more new segment out. */
const LIMITED_TRANSMIT = 2;

export class NewRenoRecovery implements LossRecovery {
  active = false;
  private duplicates = 0;
  /** What recovery adds to the congestion window: a segment for each that is known to have left the network (RFC 5681 §3.2 step 4). */
  private inflation = 0;
  /** One past the highest sequence number sent when the last loss was found ("recover" in RFC 6582 §3.2). */
  private recover: SequenceNumber;

  constructor(iss: SequenceNumber) {
    this.recover = iss;
  }

  window(tcb: TransmissionControlBlock): number {
    // RFC 3042 §2 is about new data: after a timeout what is lost goes first, by slow start.
    const isLimited = !this.active && tcb.scoreboard.lostLength === 0;
    const limitedTransmit = isLimited ? Math.min(this.duplicates, LIMITED_TRANSMIT) * tcb.segmentSize : 0;
    return tcb.congestion.window + this.inflation + limitedTransmit;
  }

  acknowledged(tcb: TransmissionControlBlock, news: AcknowledgmentNews): void {
    if (news.octets > 0) this.newData(tcb, news.octets);
    else if (news.isDuplicate) this.duplicate(tcb);
  }

  sent(): void {}

  timedOut(tcb: TransmissionControlBlock): void {
    // RFC 6582 §4: a timeout ends recovery and remembers what was sent before it.
    this.recover = tcb.snd.nxt;
    this.active = false;
    this.duplicates = 0;
    this.inflation = 0;
  }

  reorderingTimedOut(): void {}

  probeTimeout(): undefined {}

  probe(): void {}

  private duplicate(tcb: TransmissionControlBlock): void {
    this.duplicates += 1;
    if (this.active) {
      this.inflation += tcb.segmentSize;
      return;
    }
    // RFC 6582 §3.2 step 1: duplicates of segments sent again after a timeout must not start another recovery.
    if (this.duplicates !== DUPLICATE_THRESHOLD || !isAfter(tcb.snd.una, this.recover)) return;
    this.recover = tcb.snd.nxt;
    this.active = true;
    // RFC 5681 §3.2 step 2: what limited transmit sent beyond the window does not count.
    // For marks of the same window it was reduced already (RFC 3168 §6.1.2).
    if (!tcb.ecn?.reduction.active) tcb.congestion.enterRecovery(Math.min(tcb.flightSize, tcb.congestion.window), tcb.clock.now());
    windowReducedForLoss(tcb);
    // RFC 5681 §3.2 step 3: three segments have left the network.
    this.inflation = DUPLICATE_THRESHOLD * tcb.segmentSize;
    tcb.context.counters.TCPRenoRecovery += 1;
    reportCongestion(tcb, "enter-recovery");
    const first = tcb.scoreboard.first();
    if (first !== undefined) retransmit(tcb, first, "fast-retransmit");
  }

  private newData(tcb: TransmissionControlBlock, octets: number): void {
    this.duplicates = 0;
    if (!this.active) {
      // Keeps up with the stream: after 2 GiB without a loss an old number would look like one that lies ahead.
      if (isAfter(tcb.snd.una, this.recover)) this.recover = sequenceAdd(tcb.snd.una, -1);
      return;
    }
    if (isAtOrAfter(tcb.snd.una, this.recover)) {
      // Full acknowledgment: everything that was in flight at the loss has arrived.
      this.active = false;
      this.inflation = 0;
      tcb.congestion.leaveRecovery(tcb.flightSize);
      reportCongestion(tcb, "leave-recovery");
      return;
    }
    // Partial acknowledgment: the next hole of the same window. What is acknowledged no longer inflates the window.
    this.inflation = Math.max(0, this.inflation - octets) + (octets >= tcb.segmentSize ? tcb.segmentSize : 0);
    const first = tcb.scoreboard.first();
    if (first !== undefined) retransmit(tcb, first, "partial-acknowledgment");
  }
}
