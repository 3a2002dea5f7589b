// F-RTO (RFC 5682): after a timeout the next acknowledgments show whether anything was lost at all.
import { isAfter } from "@netstrata/core";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import type { AcknowledgmentNews } from "./acknowledgment-news.ts";

/** What is to be done with an acknowledgment after a timeout. */
export type ForwardDecision =
  /** Sent again what is lost. */
  | "retransmit"
  /** §3.1 step 2b: send what is new, and see what comes back. */
  | "send-new"
  /** §3.1 step 3b: the timeout was a false alarm. */
  | "spurious";

export class ForwardRecovery {
  /** It is not known yet whether the timeout was right. */
  private undecided = false;

  /** Step 1. `fresh`: not in the middle of another recovery, where earlier retransmissions would confuse the picture. */
  timedOut(fresh: boolean): void {
    this.undecided = fresh;
  }

  end(): void {
    this.undecided = false;
  }

  /**
   * @param originalArrived something arrived that was sent once, before the timeout
   * @param newSent new data was sent since step 2b
   * @param repaired SND.UNA has come to what had been sent when the timer expired
   */
  acknowledged(
    tcb: TransmissionControlBlock,
    news: AcknowledgmentNews,
    originalArrived: boolean,
    newSent: boolean,
    repaired: boolean,
  ): ForwardDecision {
    if (!this.undecided) return "retransmit";
    if (originalArrived) return "spurious";
    if (newSent) {
      // Step 3a: what follows the hole arrives, the hole does not.
      if (news.sackedCount > 0 || news.isDuplicate) this.undecided = false;
    } else if (news.octets > 0 && !repaired) {
      const { snd } = tcb;
      if (isAfter(tcb.sendEnd, snd.nxt) && tcb.usableWindow > 0) return "send-new";
      // Step 2b: nothing new to send, so the question stays open and is answered in the old way.
      this.undecided = false;
    }
    return "retransmit";
  }
}
