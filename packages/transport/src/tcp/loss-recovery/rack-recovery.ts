// RACK-TLP (RFC 8985): a segment is lost when one that was sent later has arrived, and a reordering window has passed since.
import { isAtOrAfter, isBefore, type Milliseconds, type SequenceNumber, sequenceDistance } from "@netstrata/core";
import { windowReducedForLoss } from "../ecn/window-reduction.ts";
import type { SentSegment } from "../scoreboard.ts";
import { armRetransmission } from "../send-timers.ts";
import { retransmit, sendProbe } from "../sender.ts";
import { reportCongestion } from "../tcp-events.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import type { AcknowledgmentNews, LossRecovery } from "./loss-recovery.ts";
import { ProportionalRateReduction } from "./proportional-rate-reduction.ts";
import { ReorderingWindow } from "./reordering-window.ts";

/** §6.2 step 4: as many SACKed segments start recovery at once where no reordering was seen. */
const DUPLICATE_THRESHOLD = 3;
/** §7.2: before the first measurement. */
const PROBE_TIMEOUT_WITHOUT_MEASUREMENT: Milliseconds = 1000;
/** §7.2, TLP.max_ack_delay: how long a lone segment's acknowledgment may be delayed; Linux delays by at most this. */
const MAX_ACKNOWLEDGMENT_DELAY: Milliseconds = 200;
/** Timers and acknowledgments jitter by this much even on the shortest path. */
const SHORTEST_PROBE_TIMEOUT: Milliseconds = 10;

export class RackRecovery implements LossRecovery {
  active = false;
  private readonly reduction = new ProportionalRateReduction();
  private readonly reordering = new ReorderingWindow();
  /** One past the highest sequence number sent when the last loss was found: until it is acknowledged, it is the same loss. */
  private recover: SequenceNumber;
  /** Everything before `recover` is being sent again after a timeout, by slow start. */
  private afterTimeout = false;
  /** RACK.xmit_ts, RACK.end_seq, RACK.rtt: the most recently sent segment that has been delivered. */
  private sentAt: Milliseconds = Number.NEGATIVE_INFINITY;
  private end: SequenceNumber;
  private roundTrip: Milliseconds = 0;
  /** TLP.end_seq: SND.NXT when the probe was sent, until it is acknowledged; undefined when there is none. */
  private probeEnd: SequenceNumber | undefined;
  /** TLP.is_retrans */
  private probeRepeats = false;

  constructor(iss: SequenceNumber) {
    this.recover = iss;
    this.end = iss;
  }

  window(tcb: TransmissionControlBlock): number {
    return this.active ? this.reduction.window : tcb.congestion.window;
  }

  sent(octets: number): void {
    if (this.active) this.reduction.sent(octets);
  }

  acknowledged(tcb: TransmissionControlBlock, news: AcknowledgmentNews): void {
    const now = tcb.clock.now();
    for (const segment of news.delivered) this.update(segment, now);
    if (news.duplicateSack !== undefined) this.reordering.duplicateReported(tcb.snd.nxt);
    this.judgeProbe(tcb, news);
    if (isAtOrAfter(tcb.snd.una, this.recover)) this.repaired(tcb);
    this.detectLoss(tcb, now);
    if (this.active) this.reduction.acknowledged(news.deliveredLength, tcb.inFlight, tcb.segmentSize);
  }

  timedOut(tcb: TransmissionControlBlock): void {
    this.active = false;
    this.afterTimeout = true;
    this.recover = tcb.snd.nxt;
    this.probeEnd = undefined;
    tcb.disarm("reordering");
  }

  reorderingTimedOut(tcb: TransmissionControlBlock): void {
    this.detectLoss(tcb, tcb.clock.now());
    // No acknowledgment comes to let it out.
    if (this.active) this.reduction.acknowledged(0, tcb.inFlight, tcb.segmentSize);
  }

  /** §7.2: one probe for each tail, and none while losses are repaired or the peer's window is closed. */
  probeTimeout(tcb: TransmissionControlBlock): Milliseconds | undefined {
    if (this.active || this.afterTimeout || this.probeEnd !== undefined || tcb.snd.wnd === 0 || tcb.scoreboard.lostLength > 0)
      return undefined;
    const { smoothed } = tcb.retransmissionTimeout;
    if (smoothed === undefined) return PROBE_TIMEOUT_WITHOUT_MEASUREMENT;
    return Math.max(SHORTEST_PROBE_TIMEOUT, 2 * smoothed) + (tcb.scoreboard.count === 1 ? MAX_ACKNOWLEDGMENT_DELAY : 0);
  }

  /** §7.3: new data where there is some, else the last segment again; either draws an acknowledgment that shows what is missing. */
  probe(tcb: TransmissionControlBlock): void {
    tcb.context.counters.TCPLossProbes += 1;
    this.probeRepeats = !sendProbe(tcb);
    if (this.probeRepeats) {
      const last = tcb.scoreboard.last();
      if (last !== undefined) retransmit(tcb, last, "loss-probe");
    }
    this.probeEnd = tcb.snd.nxt;
  }

  /** §7.4: when the probe repaired the loss of the very last segment, nothing else will show that there was one. */
  private judgeProbe(tcb: TransmissionControlBlock, news: AcknowledgmentNews): void {
    if (this.probeEnd === undefined || isBefore(tcb.snd.una, this.probeEnd)) return;
    const lossRepaired = this.probeRepeats && news.duplicateSack === undefined;
    this.probeEnd = undefined;
    if (!lossRepaired || this.active) return;
    tcb.context.counters.TCPLossProbeRecovery += 1;
    tcb.congestion.enterRecovery(tcb.flightSize + news.octets, tcb.clock.now());
    windowReducedForLoss(tcb);
    reportCongestion(tcb, "enter-recovery");
  }

  /** §6.2 steps 1 to 3. */
  private update(segment: SentSegment, now: Milliseconds): void {
    const roundTrip = now - segment.sentAt;
    const repeated = segment.transmissions > 1;
    // Too soon to be the answer to the second sending: it says when the first one arrived, nothing about the second.
    if (repeated && roundTrip < this.reordering.minimumRoundTrip) return;
    this.reordering.delivered(segment, roundTrip, now);
    this.roundTrip = roundTrip;
    if (sentAfter(segment.sentAt, segment.end, this.sentAt, this.end)) {
      this.sentAt = segment.sentAt;
      this.end = segment.end;
    }
  }

  /** §6.2 step 5. */
  private detectLoss(tcb: TransmissionControlBlock, now: Milliseconds): void {
    const { scoreboard } = tcb;
    // Without a hole, and without anything sent out of order, there is nothing to find.
    if (scoreboard.sackedLength === 0 && scoreboard.repeatedCount === 0) {
      tcb.disarm("reordering");
      return;
    }
    const impatient = this.active || this.afterTimeout || scoreboard.sackedCount >= DUPLICATE_THRESHOLD;
    const patience = this.reordering.window(impatient, tcb.retransmissionTimeout.smoothed);
    let longestWait = 0;
    for (const segment of scoreboard) {
      if (segment.sacked || segment.lost) continue;
      if (!sentAfter(this.sentAt, this.end, segment.sentAt, segment.end)) continue;
      const wait = segment.sentAt + this.roundTrip + patience - now;
      if (wait <= 0) scoreboard.markLost(segment);
      else longestWait = Math.max(longestWait, wait);
    }
    // At least a millisecond, because a wait below the clock's precision would never be over.
    if (longestWait > 0) tcb.timer("reordering").arm(Math.max(1, longestWait));
    else tcb.disarm("reordering");
    if (scoreboard.lostLength > 0) this.enter(tcb);
  }

  private enter(tcb: TransmissionControlBlock): void {
    tcb.lossReason = "rack";
    // A window is reduced once for all that was lost of it (RFC 5681 §4.3).
    if (this.active || this.afterTimeout || isBefore(tcb.snd.una, this.recover)) return;
    this.active = true;
    this.recover = tcb.snd.nxt;
    this.probeEnd = undefined;
    // For marks of the same window it was reduced already (RFC 3168 §6.1.2).
    if (!tcb.ecn?.reduction.active) tcb.congestion.enterRecovery(tcb.flightSize, tcb.clock.now());
    windowReducedForLoss(tcb);
    this.reduction.start(tcb.flightSize, tcb.congestion.window);
    // §7.2: no probe in recovery, so the timer is set for the timeout.
    armRetransmission(tcb);
    tcb.context.counters.TCPSackRecovery += 1;
    reportCongestion(tcb, "enter-recovery");
  }

  /** Everything that was in flight when the loss was found has arrived. */
  private repaired(tcb: TransmissionControlBlock): void {
    // Keeps up with the stream: after 2 GiB without a loss an old number would look like one that lies ahead.
    this.recover = tcb.snd.una;
    this.afterTimeout = false;
    if (!this.active) return;
    this.active = false;
    this.reordering.recovered();
    reportCongestion(tcb, "leave-recovery");
  }
}

/** RACK_sent_after, §6.2: the later sending, by time and then by number. */
function sentAfter(aTime: Milliseconds, aEnd: SequenceNumber, bTime: Milliseconds, bEnd: SequenceNumber): boolean {
  return aTime > bTime || (aTime === bTime && sequenceDistance(bEnd, aEnd) > 0);
}
