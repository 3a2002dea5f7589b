// Classic ECN (RFC 3168 §6.1): a mark is echoed by ECE in every acknowledgment until the sender says by CWR that it has slowed down.
import type { Segment } from "../segment.ts";
import { CWR, ECE } from "../tcp-header.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import type { Delivered, EcnFeedback } from "./ecn-feedback.ts";
import { CE, ECT_0, NOT_ECT } from "./ecn-field.ts";

export class ClassicEcn implements EcnFeedback {
  readonly kind = "classic";
  /** There is none. */
  usesOption = false;
  readonly optionLength = 0;
  mayMark: boolean;
  deliveredMarks = 0;
  hasSeenField = false;
  /** A mark has arrived and no CWR since: every segment says ECE. */
  private echoing = false;
  /** The window was reduced, which the next new text tells. */
  private announces = false;

  constructor(mayMark: boolean) {
    this.mayMark = mayMark;
  }

  received(tcb: TransmissionControlBlock, segment: Segment): void {
    // §6.1.4: what carries no text carries no mark.
    if (segment.payload.length === 0) return;
    if ((segment.flags & CWR) !== 0) {
      this.echoing = false;
      // The sender may have come down to a single segment; it must not wait for a delayed acknowledgment.
      tcb.ackNow = true;
    }
    if (segment.ecnField === NOT_ECT) return;
    this.hasSeenField = true;
    // §6.1.3. In a segment that says CWR the mark is a new one.
    if (segment.ecnField !== CE || this.echoing) return;
    this.echoing = true;
    tcb.ackNow = true;
  }

  answerRepeated(): void {}

  /** §6.1.5: what lies outside of the window says nothing. */
  repeated(): void {}

  reported(_tcb: TransmissionControlBlock, segment: Segment, delivered: Delivered): number {
    if ((segment.flags & ECE) === 0) return 0;
    // It does not say how many, only that there was one; what it acknowledges is taken for marked, as Linux does.
    this.deliveredMarks += delivered.segments;
    return 1;
  }

  windowReduced(): void {
    this.announces = true;
  }

  /** §6.1.2: CWR on the first new text after a reduction, and never on a retransmission. */
  flags(length: number, isFresh: boolean): number {
    const echo = this.echoing ? ECE : 0;
    if (!this.announces || !isFresh || length === 0) return echo;
    this.announces = false;
    return echo | CWR;
  }

  /** §6.1.4 to §6.1.6: neither on acknowledgments, retransmissions nor window probes. */
  field(length: number, isFresh: boolean): number {
    return this.mayMark && isFresh && length > 0 ? ECT_0 : NOT_ECT;
  }

  addOption(): undefined {
    return undefined;
  }
}
