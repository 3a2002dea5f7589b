// Tail loss probes (RFC 8985 §7): when the acknowledgment of the last segments stays out, one segment asks what became of them.
import { isAfter, isBefore, type Milliseconds, type SequenceNumber } from "@netstrata/core";
import { armTimeout } from "../send-timers.ts";
import { retransmit, sendProbe } from "../sender.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import type { AcknowledgmentNews } from "./acknowledgment-news.ts";
import { TIMER_SLACK } from "./rack.ts";

/** §7.2, TLP.max_ack_delay: how long a lone segment's acknowledgment may be delayed; Linux delays by at most this. */
const MAX_ACKNOWLEDGMENT_DELAY: Milliseconds = 200;

export class TailLossProbe {
  /** TLP.end_seq: SND.NXT when the probe was sent, until it is acknowledged; undefined when there is none. */
  private end: SequenceNumber | undefined;
  /** TLP.is_retrans */
  private repeats = false;

  /** It is not known yet what became of the last probe. */
  get isOut(): boolean {
    return this.end !== undefined;
  }

  /** A second copy of the last segment is on its way, or was. */
  get repeated(): boolean {
    return this.end !== undefined && this.repeats;
  }

  /** §7.1: a recovery begins. */
  reset(): void {
    this.end = undefined;
  }

  /** §7.2: how long after a sending or an acknowledgment. The caller sees to it that the retransmission timeout is not exceeded. */
  timeout(tcb: TransmissionControlBlock): Milliseconds {
    const { smoothed } = tcb.retransmissionTimeout;
    if (smoothed === undefined) return tcb.options.rtoInitial;
    return 2 * smoothed + (tcb.scoreboard.count === 1 ? MAX_ACKNOWLEDGMENT_DELAY : TIMER_SLACK);
  }

  /** §7.3: new data where there is some, else the last segment again; either draws an acknowledgment that shows what is missing. */
  send(tcb: TransmissionControlBlock): void {
    // At most one is out.
    if (this.end === undefined) {
      this.repeats = !sendProbe(tcb);
      const last = tcb.scoreboard.last();
      if (this.repeats && last !== undefined) retransmit(tcb, last, "loss-probe");
      this.end = tcb.snd.nxt;
      tcb.context.counters.TCPLossProbes += 1;
    }
    // The timeout comes next, counted from here.
    armTimeout(tcb);
  }

  /** §7.4.2, case 1: the peer reports that it got the probe and the original. */
  explains({ duplicateSack }: AcknowledgmentNews): boolean {
    return this.repeated && duplicateSack?.right === this.end;
  }

  /** §7.4.2. True when the probe has repaired a loss of which nothing else tells. */
  acknowledged(tcb: TransmissionControlBlock, news: AcknowledgmentNews): boolean {
    const { end } = this;
    if (end === undefined || isBefore(tcb.snd.una, end)) return false;
    if (!this.repeats || this.explains(news)) {
      this.end = undefined;
      return false;
    }
    if (isAfter(tcb.snd.una, end)) {
      this.end = undefined;
      return true;
    }
    // Case 2: a duplicate without any report; both copies have arrived.
    if (news.octets === 0 && news.isRepeat && news.sackedCount === 0) this.end = undefined;
    return false;
  }
}
