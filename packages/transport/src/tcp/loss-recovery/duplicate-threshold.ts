// Loss detection by SACK and counting (RFC 6675 §4, IsLost): a segment is lost when DupThresh segments above it have arrived.
import { isBefore, type SequenceNumber } from "@netstrata/core";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import type { AcknowledgmentNews } from "./acknowledgment-news.ts";
import { duplicateThreshold } from "./early-retransmit.ts";
import type { LossDetection } from "./loss-detection.ts";
import type { LossRecovery } from "./loss-recovery.ts";

/**
 * The number below which everything unreported is lost only moves on, so each segment is looked at once: that number, and
 * how many reported segments lie above it, are all that is kept.
 */
export class DuplicateThreshold implements LossDetection {
  readonly name = "sack";
  readonly reason = "sack";
  /** What lies before it and is not reported is lost. */
  private edge: SequenceNumber;
  /** Reported segments at the edge or above. */
  private above = 0;

  constructor(iss: SequenceNumber) {
    this.edge = iss;
  }

  learn(tcb: TransmissionControlBlock, _recovery: LossRecovery, { delivered, sackedCount }: AcknowledgmentNews): void {
    const { una } = tcb.snd;
    if (tcb.scoreboard.sackedCount === 0) {
      this.above = 0;
      this.edge = una;
      return;
    }
    for (let index = delivered.length - sackedCount; index < delivered.length; index += 1) {
      if (!isBefore(delivered[index].start, this.edge)) this.above += 1;
    }
    // What was counted above may have been acknowledged since: then everything is, up to SND.UNA.
    if (isBefore(this.edge, una)) this.restart(tcb, una);
  }

  detect(tcb: TransmissionControlBlock, recovery: LossRecovery): void {
    const { scoreboard } = tcb;
    const threshold = duplicateThreshold(tcb, recovery.reordering.degree);
    let segment = this.above < threshold ? undefined : scoreboard.at(this.edge);
    while (segment !== undefined) {
      const above = this.above - (segment.sacked ? 1 : 0);
      if (above < threshold) return;
      this.above = above;
      scoreboard.markLost(segment);
      this.edge = segment.end;
      segment = scoreboard.at(this.edge);
    }
  }

  timedOut(tcb: TransmissionControlBlock): void {
    // RFC 6675 §5.1 leaves the reports in force: what they do not name is lost.
    tcb.scoreboard.markAllLost();
    this.restart(tcb, tcb.snd.una);
  }

  recovered(): void {}

  /** Counts anew from `edge` on; only the sums are needed when that is SND.UNA. */
  private restart(tcb: TransmissionControlBlock, edge: SequenceNumber): void {
    this.edge = edge;
    this.above = tcb.scoreboard.sackedCount;
  }
}
