// Loss detection for peers without SACK (RFC 5681 §3.2, RFC 6582): by counting duplicate acknowledgments.
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import type { AcknowledgmentNews } from "./acknowledgment-news.ts";
import { duplicateThreshold } from "./early-retransmit.ts";
import type { LossDetection } from "./loss-detection.ts";
import type { LossRecovery } from "./loss-recovery.ts";

/**
 * Each duplicate says that a segment has left the network, though not which. To count it out of what is in flight is the same as to
 * inflate the window by it (RFC 5681 §3.2 steps 3 and 4).
 */
export class DuplicateCount implements LossDetection {
  readonly name = "newreno";
  readonly reason = "fast-retransmit";

  learn(): void {}

  /** The first segment, at the third duplicate; in recovery the next hole, at each partial acknowledgment (RFC 6582 §3.2). */
  detect(tcb: TransmissionControlBlock, recovery: LossRecovery, progress: boolean): void {
    const first = tcb.scoreboard.first();
    if (first === undefined || first.lost) return;
    const repairing = recovery.state === "recovery";
    if (repairing ? progress : recovery.mayStart(tcb) && recovery.duplicates >= duplicateThreshold(tcb, recovery.reordering.degree)) {
      tcb.scoreboard.markLost(first);
    }
  }

  timedOut(tcb: TransmissionControlBlock): void {
    tcb.scoreboard.markAllLost();
  }

  recovered(): void {}
}

/** How many duplicates count after an acknowledgment: one segment fills the hole, the others answer for as many duplicates. */
export function remainingDuplicates(duplicates: number, { acknowledgedCount }: AcknowledgmentNews): number {
  return acknowledgedCount === 0 ? duplicates : Math.max(0, duplicates - (acknowledgedCount - 1));
}
