// RACK (RFC 8985 §6): a segment is lost when one that was sent later has arrived, and a reordering window has passed since.
import { type Milliseconds, type SequenceNumber, sequenceDistance } from "@netstrata/core";
import { armRetransmission } from "../send-timers.ts";
import type { SentSegment } from "../sent-segment.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import type { AcknowledgmentNews } from "./acknowledgment-news.ts";
import type { LossDetection } from "./loss-detection.ts";
import type { LossRecovery } from "./loss-recovery.ts";
import { ReorderingWindow } from "./reordering-window.ts";

/** Linux, TCP_TIMEOUT_MIN: what the reordering timer waits longer than it must, since timers and acknowledgments jitter. */
export const TIMER_SLACK: Milliseconds = 2;

export class Rack implements LossDetection {
  readonly name = "rack";
  readonly reason = "rack";
  private readonly reordering = new ReorderingWindow();
  /** RACK.xmit_ts, RACK.end_seq, RACK.rtt: the most recently sent segment that has been delivered. */
  private sentAt: Milliseconds = Number.NEGATIVE_INFINITY;
  private end: SequenceNumber;
  private roundTrip: Milliseconds = 0;

  constructor(iss: SequenceNumber) {
    this.end = iss;
  }

  learn(tcb: TransmissionControlBlock, recovery: LossRecovery, news: AcknowledgmentNews): void {
    const now = tcb.clock.now();
    for (const segment of news.delivered) this.update(segment, now);
    // §6.2 step 4. Linux: only where reordering was seen, and what a probe doubled says nothing.
    if (news.duplicateSack !== undefined && recovery.reordering.seen && !recovery.probe.explains(news)) {
      this.reordering.duplicateReported(tcb.snd.una, tcb.snd.nxt);
    }
  }

  detect(tcb: TransmissionControlBlock, recovery: LossRecovery): void {
    const { scoreboard } = tcb;
    // Without a hole, and without anything sent out of order, there is nothing to find.
    if (scoreboard.sackedCount === 0 && scoreboard.repeatedCount === 0) {
      tcb.disarm("reordering");
      return;
    }
    const { lostAgain } = scoreboard;
    const now = tcb.clock.now();
    const patience = this.patience(tcb, recovery);
    let longestWait = 0;
    // §6.2 step 5. In the order of sending, so that the search ends where nothing can be lost yet.
    for (let segment = scoreboard.earliestInFlight; segment !== undefined; ) {
      const next = segment.later;
      scoreboard.steps += 1;
      if (!sentAfter(this.sentAt, this.end, segment.sentAt, segment.end)) break;
      const wait = segment.sentAt + this.roundTrip + patience - now;
      if (wait <= 0) scoreboard.markLost(segment);
      else longestWait = Math.max(longestWait, wait);
      segment = next;
    }
    tcb.context.counters.TCPLostRetransmit += scoreboard.lostAgain - lostAgain;
    if (longestWait === 0) {
      tcb.disarm("reordering");
      return;
    }
    tcb.timer("reordering").arm(Math.max(1, longestWait + TIMER_SLACK));
    // §8: the timers exclude each other; a probe is not needed where this one is coming.
    if (tcb.probeDue) armRetransmission(tcb, "since sent");
  }

  /** §6.3: what was sent within the last round trip may still arrive. */
  timedOut(tcb: TransmissionControlBlock): void {
    const { scoreboard } = tcb;
    const first = scoreboard.first();
    if (first !== undefined) scoreboard.markLost(first);
    const now = tcb.clock.now();
    for (let segment = scoreboard.earliestInFlight; segment !== undefined; ) {
      const next = segment.later;
      if (segment.sentAt + this.roundTrip - now > 0) break;
      scoreboard.markLost(segment);
      segment = next;
    }
    tcb.disarm("reordering");
  }

  recovered(undone: boolean): void {
    this.reordering.recovered(undone);
  }

  /** RACK.reo_wnd, §6.2 step 4. */
  private patience(tcb: TransmissionControlBlock, recovery: LossRecovery): Milliseconds {
    const repairing = recovery.state === "recovery" || recovery.state === "loss";
    const impatient = repairing || tcb.scoreboard.sackedCount >= recovery.reordering.degree;
    if (!recovery.reordering.seen && impatient) return 0;
    return this.reordering.length(tcb.retransmissionTimeout.smoothed);
  }

  /** §6.2 steps 1 and 2. */
  private update(segment: SentSegment, now: Milliseconds): void {
    const roundTrip = now - segment.sentAt;
    // Too soon to be the answer to the second sending: it says when the first one arrived, nothing about the second.
    if (segment.transmissions > 1 && roundTrip < this.reordering.minimumRoundTrip) return;
    if (segment.transmissions === 1) this.reordering.measured(roundTrip, now);
    this.roundTrip = roundTrip;
    if (sentAfter(segment.sentAt, segment.end, this.sentAt, this.end)) {
      this.sentAt = segment.sentAt;
      this.end = segment.end;
    }
  }
}

/** RACK_sent_after, §6.2: the later sending, by time and then by number. */
function sentAfter(aTime: Milliseconds, aEnd: SequenceNumber, bTime: Milliseconds, bEnd: SequenceNumber): boolean {
  return aTime > bTime || (aTime === bTime && sequenceDistance(bEnd, aEnd) > 0);
}
