// What is lost? RACK (RFC 8985), RFC 6675 and NewReno (RFC 6582) answer differently; what follows from it is loss recovery's business.
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import type { AcknowledgmentNews } from "./acknowledgment-news.ts";
import type { LossRecovery } from "./loss-recovery.ts";

export type LossRecoveryName = "rack" | "sack" | "newreno";

export interface LossDetection {
  readonly name: LossRecoveryName;
  /** What a retransmission that it asks for is called. */
  readonly reason: "rack" | "sack" | "fast-retransmit";
  /** Takes in what has arrived, before anything is decided. */
  learn(tcb: TransmissionControlBlock, recovery: LossRecovery, news: AcknowledgmentNews): void;
  /** Marks what is lost. `progress`: SND.UNA has moved. */
  detect(tcb: TransmissionControlBlock, recovery: LossRecovery, progress: boolean): void;
  /** The retransmission timer has expired: marks what must be lost by now, the first segment always (RFC 6298 §5.4, RFC 8985 §6.3). */
  timedOut(tcb: TransmissionControlBlock, recovery: LossRecovery): void;
  /** A recovery is over; `undone` when it was for nothing. */
  recovered(undone: boolean): void;
}
