// Loss recovery (RFC 5681 §3.2, RFC 6582, RFC 6675 §5, RFC 8985): the states in which a connection is while something may be lost, and how
// acknowledgments lead from one to the other. What is lost, how much may be sent, and whether it was a false alarm, is asked of the other files.
import { isAfter, isAtOrAfter, type SequenceNumber, sequenceAdd, sequenceDistance } from "@netstrata/core";
import type { ResolvedTcpOptions } from "../connection-options.ts";
import { reportCongestion, reportRecovery, type TcpRecoveryEvent } from "../tcp-events.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import type { AcknowledgmentNews } from "./acknowledgment-news.ts";
import { DuplicateCount, remainingDuplicates } from "./duplicate-count.ts";
import { DuplicateThreshold } from "./duplicate-threshold.ts";
import { ForwardRecovery } from "./forward-recovery.ts";
import type { LossDetection } from "./loss-detection.ts";
import { ProportionalRateReduction } from "./proportional-rate-reduction.ts";
import { Rack } from "./rack.ts";
import { ReorderingDegree } from "./reordering-degree.ts";
import { TailLossProbe } from "./tail-loss-probe.ts";
import { UndoRecord } from "./undo-record.ts";

/**
 * Linux's ca_state, in its order: all is well; something is missing or was sent again, but not called lost; a mark or a repaired tail
 * reduces the window; a loss is being repaired; the retransmission timer has expired.
 */
export const RECOVERY_STATES = ["open", "disorder", "cwr", "recovery", "loss"] as const;
export type RecoveryState = (typeof RECOVERY_STATES)[number];

type Reason = TcpRecoveryEvent["reason"];

export class LossRecovery {
  state: RecoveryState = "open";
  readonly detection: LossDetection;
  readonly reordering: ReorderingDegree = new ReorderingDegree();
  readonly probe: TailLossProbe = new TailLossProbe();
  /** Duplicate acknowledgments of a peer without SACK: as many segments have left the network. */
  duplicates = 0;
  /** F-RTO wants new data to be sent before what is lost. */
  newDataFirst = false;
  /** "recover" of RFC 6582, RecoveryPoint of RFC 6675, Linux's high_seq: one past what was sent when the state began. */
  private point: SequenceNumber;
  private readonly reduction = new ProportionalRateReduction();
  private readonly undo = new UndoRecord();
  private readonly forward = new ForwardRecovery();
  /** The next segment goes out whatever the window says. */
  private forced = false;
  /** What was in flight at the timeout and too young to be called lost. In octets. */
  private youngAtTimeout = 0;
  /** scoreboard.lostTotal before the acknowledgment at hand. */
  private lostBefore = 0;

  constructor(iss: SequenceNumber, detection: LossDetection) {
    this.point = iss;
    this.detection = detection;
  }

  /** What the peer reports by SACK is made use of. */
  get usesReports(): boolean {
    return this.detection.name !== "newreno";
  }

  /** The window is being reduced, so it does not grow. */
  get active(): boolean {
    return this.state === "recovery" || this.state === "cwr";
  }

  /** How many octets may be in flight now: the congestion window, or what stands in its place during recovery. */
  window(tcb: TransmissionControlBlock): number {
    const { congestion, segmentSize, options } = tcb;
    if (this.state === "open") return congestion.window;
    if (this.active && reducesProportionally(tcb)) return this.reduction.window;
    let window = congestion.window;
    if (this.state === "loss") window += this.youngAtTimeout;
    // RFC 3042: without limited transmit, what duplicates say has arrived makes no room.
    else if (this.state === "disorder" && !options.limitedTransmit) window -= tcb.scoreboard.sackedLength + this.duplicates * segmentSize;
    return this.forced ? Math.max(window, tcb.inFlight + segmentSize) : window;
  }

  /** Octets have gone out, new or again. */
  sent(tcb: TransmissionControlBlock, octets: number, again: boolean): void {
    if (again) this.undo.sentAgain();
    this.forced = false;
    if (this.active) this.reduction.sent(tcb.options.congestionAccounting === "segments" ? tcb.segmentSize : octets);
  }

  /** RFC 6582 §3.2 step 1: duplicates of what was sent before the last recovery must not start another. */
  mayStart(tcb: TransmissionControlBlock): boolean {
    return isAfter(tcb.snd.una, this.point);
  }

  /**
   * SND.UNA and the scoreboard are up to date; marks what is lost. Returns DeliveredData (RFC 6937 §3) in octets, or in octets of whole
   * segments where those are counted; without SACK duplicates are part of it.
   */
  acknowledged(tcb: TransmissionControlBlock, news: AcknowledgmentNews): number {
    this.lostBefore = tcb.scoreboard.lostTotal;
    this.newDataFirst = false;
    this.learn(tcb, news);
    if (this.probe.acknowledged(tcb, news)) this.probeRepairedLoss(tcb, news);
    const delivered = this.deliveredBy(tcb, news);
    if (this.state !== "open" || news.octets === 0 || news.sackedCount > 0 || news.duplicateSack !== undefined) this.decide(tcb, news);
    // Keeps up with the stream: after 2 GiB without a loss an old number would look like one that lies ahead.
    else if (isAfter(tcb.snd.una, this.point)) this.point = sequenceAdd(tcb.snd.una, -1);
    if (this.active && delivered > 0) this.reduce(tcb, delivered, news.octets > 0);
    return delivered;
  }

  /** The timer "reordering" has expired: no acknowledgment comes to find the loss. */
  reorderingTimedOut(tcb: TransmissionControlBlock): void {
    const before = tcb.inFlight;
    this.detection.detect(tcb, this, false);
    if (tcb.inFlight === before) return;
    tcb.lossReason = this.detection.reason;
    if (this.state === "recovery" || this.state === "loss") return;
    this.enter(tcb);
    this.reduce(tcb, tcb.segmentSize, false);
  }

  /** The retransmission timer has expired (RFC 5681 §3.1, RFC 6298 §5, RFC 8985 §6.3). */
  timedOut(tcb: TransmissionControlBlock): void {
    const { scoreboard, snd, congestion, context } = tcb;
    const fresh = this.state === "open" || this.state === "disorder" || this.state === "cwr";
    const again = tcb.timeouts > 1;
    if (scoreboard.first()?.sacked === true) {
      // RFC 2018 §8: the peer has thrown away what it had reported.
      context.counters.TCPSACKReneging += 1;
      scoreboard.forgetSacked();
    }
    if (fresh && scoreboard.sackedCount >= this.reordering.degree) this.reordering.overestimated();
    this.duplicates = 0;
    const flightSize = Math.min(tcb.flightSize, congestion.window);
    this.detection.timedOut(tcb, this);
    // The threshold is lowered once for what was in flight (RFC 5681 §3.1 after equation 4).
    const reduces =
      this.state === "open" || this.state === "disorder" || !isAfter(this.point, snd.una) || (this.state === "loss" && !again);
    congestion.timedOut(flightSize, !reduces, tcb.clock.now());
    if (reduces) this.undo.begin(snd.una, scoreboard.resentCount);
    this.youngAtTimeout = tcb.inFlight;
    this.point = snd.nxt;
    this.probe.reset();
    this.forward.timedOut(tcb.options.frto && (fresh || again));
    tcb.disarm("reordering");
    this.become(tcb, "loss", "timeout");
    tcb.ecn?.windowReduced();
    reportCongestion(tcb, "timeout");
  }

  /**
   * The peer reports marks, which are answered once for each window: as a loss, but nothing has to be sent again, and nothing can be
   * undone (RFC 3168 §6.1.2, RFC 8311 §4.1). To be called before `acknowledged`. `flightSize` was in flight before the acknowledgment.
   */
  congestionExperienced(tcb: TransmissionControlBlock, flightSize: number): void {
    this.undo.forbid();
    if (this.state === "cwr") this.endOfMarks(tcb);
    if (this.state !== "open" && this.state !== "disorder") return;
    this.undo.end();
    this.startReduction(tcb, "mark", flightSize);
    this.become(tcb, "cwr", "marked");
    reportCongestion(tcb, "marked");
  }

  /** Whether a tail loss probe may be scheduled (RFC 8985 §7.2). */
  mayProbe(tcb: TransmissionControlBlock): boolean {
    const { options, snd } = tcb;
    if (!options.tailLossProbe || !this.usesReports || snd.wnd === 0) return false;
    // §7.3: two at a time are not allowed. Linux finds that out when the second one is due, which delays the timeout.
    if (this.probe.isOut && options.congestionAccounting === "octets") return false;
    return this.state === "open" || this.state === "cwr";
  }

  /** F-RTO could not send anything new (RFC 5682 §2.1 step 2b). */
  newDataRefused(): void {
    this.newDataFirst = false;
    this.forward.end();
  }

  /** Whether something new went out since the state began. */
  private newSent(tcb: TransmissionControlBlock): boolean {
    return isAfter(tcb.snd.nxt, this.point);
  }

  private learn(tcb: TransmissionControlBlock, news: AcknowledgmentNews): void {
    const { duplicateSack } = news;
    if (duplicateSack !== undefined) {
      const length = sequenceDistance(duplicateSack.left, duplicateSack.right);
      this.undo.duplicateReported(duplicateSack.right, Math.max(1, Math.ceil(length / tcb.segmentSize)));
    }
    if (this.usesReports && this.reordering.observe(news.delivered, tcb)) {
      tcb.context.counters.TCPSACKReorder += 1;
    }
    this.detection.learn(tcb, this, news);
  }

  /** DeliveredData of RFC 6937 §3, also by what a peer without SACK lets us guess. In octets. */
  private deliveredBy(tcb: TransmissionControlBlock, news: AcknowledgmentNews): number {
    const { segmentSize } = tcb;
    if (!this.usesReports) {
      if (news.octets === 0) return news.isDuplicate ? segmentSize : 0;
      return Math.max(news.acknowledgedCount - this.duplicates, 1) * segmentSize;
    }
    return tcb.options.congestionAccounting === "segments" ? news.delivered.length * segmentSize : news.deliveredLength;
  }

  private decide(tcb: TransmissionControlBlock, news: AcknowledgmentNews): void {
    if (this.state !== "open" && isAtOrAfter(tcb.snd.una, this.point) && this.reachedPoint(tcb, news)) return;
    if (this.state === "recovery") this.decideInRecovery(tcb, news);
    else if (this.state === "loss") this.decideInLoss(tcb, news);
    else this.decideOtherwise(tcb, news);
  }

  /** All that was sent when the state began is acknowledged. True when that is all there is to do. */
  private reachedPoint(tcb: TransmissionControlBlock, news: AcknowledgmentNews): boolean {
    if (this.state === "cwr") this.endOfMarks(tcb);
    else if (this.state === "recovery") {
      this.duplicates = 0;
      return this.repaired(tcb, news);
    }
    return false;
  }

  /** Something above the point must be acknowledged: by then the peer has heard of CWR, and its ECE is a new one. */
  private endOfMarks(tcb: TransmissionControlBlock): void {
    if (!isAfter(tcb.snd.una, this.point)) return;
    this.become(tcb, "open", "repaired");
    reportCongestion(tcb, "reduced");
  }

  private decideInRecovery(tcb: TransmissionControlBlock, news: AcknowledgmentNews): void {
    if (news.octets === 0) this.countDuplicate(tcb, news);
    else if (this.partialOriginal(tcb, news)) return;
    this.afterProgress(news);
    if (this.undoesByDuplicates(tcb)) this.keepOpen(tcb);
    this.detection.detect(tcb, this, news.octets > 0);
    if (this.state === "recovery") {
      tcb.lossReason = this.usesReports ? this.detection.reason : "partial-acknowledgment";
      // RFC 6582 §3.2: a partial acknowledgment sends the next hole at once.
      if (news.octets > 0 && !reducesProportionally(tcb) && tcb.scoreboard.pendingCount > 0) this.forced = true;
    } else if (this.isLossEvident(tcb)) this.enter(tcb);
  }

  private decideInLoss(tcb: TransmissionControlBlock, news: AcknowledgmentNews): void {
    const resentBefore = tcb.scoreboard.resentCount;
    this.processLoss(tcb, news);
    const { pendingCount } = tcb.scoreboard;
    this.detection.detect(tcb, this, news.octets > 0);
    if (tcb.scoreboard.pendingCount > pendingCount) tcb.lossReason = this.detection.reason;
    const lostAgain = tcb.scoreboard.resentCount < resentBefore;
    if ((this.state as RecoveryState) === "open" || (lostAgain && this.state !== "loss")) this.decideOtherwise(tcb, news);
  }

  private decideOtherwise(tcb: TransmissionControlBlock, news: AcknowledgmentNews): void {
    if (!this.usesReports) {
      if (news.octets > 0) this.duplicates = 0;
      this.countDuplicate(tcb, news);
    }
    if (this.state === "open" || this.state === "disorder") this.undoesByDuplicates(tcb);
    this.detection.detect(tcb, this, news.octets > 0);
    if (this.isLossEvident(tcb)) this.enter(tcb);
    else if (this.state !== "cwr") this.keepOpen(tcb);
  }

  private processLoss(tcb: TransmissionControlBlock, news: AcknowledgmentNews): void {
    const repaired = isAtOrAfter(tcb.snd.una, this.point);
    if (news.octets > 0 && this.isFalseAlarm(tcb, news)) {
      this.undoTimeout(tcb, news, news.echoesOriginal ? "original-arrived" : "all-duplicates");
      return;
    }
    const decision = this.forward.acknowledged(tcb, news, this.originalArrived(news), this.newSent(tcb), repaired);
    if (decision === "spurious") {
      tcb.context.counters.TCPSpuriousRTOs += 1;
      this.undoTimeout(tcb, news, "spurious-timeout");
      return;
    }
    if (decision === "send-new") {
      this.point = tcb.snd.nxt;
      this.newDataFirst = true;
      return;
    }
    if (repaired) {
      this.repaired(tcb, news);
      return;
    }
    if (this.usesReports) return;
    if (this.newSent(tcb) && news.octets === 0) this.countDuplicate(tcb, news);
    else if (news.octets > 0) this.duplicates = 0;
  }

  /** RFC 5682 §3.1 step 3b: something arrived that was sent once, and before the timer expired. */
  private originalArrived({ delivered }: AcknowledgmentNews): boolean {
    // Without reports an acknowledgment of what was sent twice may be due to the second copy alone.
    if (!this.usesReports && delivered.some(({ transmissions }) => transmissions > 1)) return false;
    return delivered.some(({ transmissions, end }) => transmissions === 1 && !isAfter(end, this.point));
  }

  /** A partial acknowledgment that answers the original, not the retransmission. True when nothing more is to be done about it. */
  private partialOriginal(tcb: TransmissionControlBlock, news: AcknowledgmentNews): boolean {
    if (!tcb.options.undo || !this.undo.possible || !news.echoesOriginal) return false;
    this.reordering.filledLate(sequenceAdd(tcb.snd.una, -news.octets), tcb);
    tcb.context.counters.TCPTSReorder += 1;
    // With retransmissions on their way nothing more is sent again, but it is too early to go back.
    if (tcb.scoreboard.resentCount > 0) return true;
    this.restore(tcb, true);
    tcb.context.counters.TCPPartialUndo += 1;
    this.keepOpen(tcb, "original-arrived");
    return false;
  }

  /** DSACKs have shown that every retransmission was one too many. */
  private undoesByDuplicates(tcb: TransmissionControlBlock): boolean {
    if (!tcb.options.undo || !this.undo.allDuplicates) return false;
    this.detection.recovered(true);
    this.restore(tcb, false);
    tcb.context.counters.TCPDSACKUndo += 1;
    reportRecovery(tcb, this.state, this.state, "all-duplicates");
    return true;
  }

  private isFalseAlarm(tcb: TransmissionControlBlock, news: AcknowledgmentNews): boolean {
    return tcb.options.undo && this.undo.possible && (news.echoesOriginal || this.undo.allDuplicates);
  }

  private undoTimeout(tcb: TransmissionControlBlock, _news: AcknowledgmentNews, reason: Reason): void {
    this.restore(tcb, true);
    tcb.context.counters.TCPLossUndo += 1;
    tcb.timeouts = 0;
    this.forward.end();
    if (!this.holds(tcb)) this.become(tcb, "open", reason);
  }

  /** The way back to where the window was before the reduction. `unmark`: nothing was lost at all. */
  private restore(tcb: TransmissionControlBlock, unmark: boolean): void {
    if (unmark) tcb.scoreboard.unmarkLost();
    if (tcb.options.undo && this.undo.allowed) tcb.congestion.undo?.();
    this.undo.end();
    this.forced = false;
    reportCongestion(tcb, "undo");
  }

  /** What was lost is repaired. True when the state is held all the same. */
  private repaired(tcb: TransmissionControlBlock, news: AcknowledgmentNews): boolean {
    const wasRecovery = this.state === "recovery";
    const undone = this.isFalseAlarm(tcb, news);
    if (undone) {
      this.restore(tcb, false);
      if (wasRecovery) tcb.context.counters.TCPFullUndo += 1;
      else tcb.context.counters.TCPLossUndo += 1;
    }
    this.detection.recovered(undone);
    if (this.holds(tcb)) return true;
    const reason = undone ? (news.echoesOriginal ? "original-arrived" : "all-duplicates") : "repaired";
    this.become(tcb, "open", reason);
    if (wasRecovery && !undone) this.leave(tcb);
    return false;
  }

  /** RFC 6582 §3.2 step 3, and the way in which models of the path end recovery. */
  private leave(tcb: TransmissionControlBlock): void {
    const { congestion, options } = tcb;
    const asRenoDoes = !this.usesReports && options.congestionAccounting === "octets";
    if (asRenoDoes || congestion.delivered !== undefined) congestion.leaveRecovery(tcb.flightSize);
    reportCongestion(tcb, "leave-recovery");
  }

  /** Linux, and without SACK only: the state lasts until something above the point is acknowledged (RFC 6582 §3.2 step 1 by other means). */
  private holds(tcb: TransmissionControlBlock): boolean {
    if (this.usesReports || tcb.snd.una !== this.point || tcb.options.congestionAccounting !== "segments") return false;
    return true;
  }

  private isLossEvident(tcb: TransmissionControlBlock): boolean {
    return tcb.scoreboard.lostCount > 0;
  }

  /** A loss was found (RFC 5681 §3.2 step 2, RFC 6675 §5 step 4, RFC 8985 §6.2). */
  private enter(tcb: TransmissionControlBlock): void {
    const { counters } = tcb.context;
    tcb.lossReason = this.detection.reason;
    if (this.usesReports) counters.TCPSackRecovery += 1;
    else counters.TCPRenoRecovery += 1;
    this.undo.begin(tcb.snd.una, tcb.scoreboard.resentCount);
    // A window is reduced once for all that was lost of it (RFC 5681 §4.3).
    if (this.state === "cwr") this.undo.forbid();
    else this.startReduction(tcb, "loss", tcb.flightSize);
    this.forced = !reducesProportionally(tcb);
    this.become(tcb, "recovery", this.detection.reason);
    reportCongestion(tcb, "enter-recovery");
  }

  private startReduction(tcb: TransmissionControlBlock, cause: "loss" | "mark", flightSize: number): void {
    const { congestion, snd } = tcb;
    const now = tcb.clock.now();
    this.point = snd.nxt;
    this.probe.reset();
    const before = congestion.window;
    // RFC 5681 §3.2 step 2: what limited transmit sent beyond the window does not count.
    const base = Math.min(flightSize, before);
    if (cause === "mark" && congestion.congestionExperienced !== undefined) congestion.congestionExperienced(base, now);
    else congestion.enterRecovery(base, now);
    const inSegments = tcb.options.congestionAccounting === "segments";
    this.reduction.start(inSegments ? before : flightSize, congestion.threshold, before);
    tcb.ecn?.windowReduced();
  }

  private reduce(tcb: TransmissionControlBlock, delivered: number, progress: boolean): void {
    if (!reducesProportionally(tcb)) return;
    this.reduction.acknowledged({
      delivered,
      pipe: tcb.inFlight,
      safe: progress && tcb.scoreboard.lostTotal === this.lostBefore,
      segmentSize: tcb.segmentSize,
      unit: tcb.options.congestionAccounting === "segments" ? tcb.segmentSize : 1,
    });
  }

  /** RFC 8985 §7.4.2: the reduction that the loss of the probed segment deserves, at once. */
  private probeRepairedLoss(tcb: TransmissionControlBlock, news: AcknowledgmentNews): void {
    tcb.context.counters.TCPLossProbeRecovery += 1;
    if (this.active) return;
    this.undo.end();
    this.startReduction(tcb, "loss", tcb.flightSize + news.octets);
    this.become(tcb, "cwr", "probe-repaired-loss");
    reportCongestion(tcb, "enter-recovery");
    this.keepOpen(tcb);
  }

  /** Open, or disorder where something is missing or was sent again. */
  private keepOpen(tcb: TransmissionControlBlock, reason?: Reason): void {
    const { scoreboard } = tcb;
    const repeated = this.anythingRepeated(tcb);
    const missing = scoreboard.sackedCount + scoreboard.lostCount + this.duplicates > 0;
    const to = repeated || missing ? "disorder" : "open";
    if (this.state === to) return;
    // Without reports the point of the last recovery goes on to count (RFC 6582 §3.2 step 1).
    if (this.usesReports) this.point = tcb.snd.nxt;
    this.become(tcb, to, reason ?? (to === "open" ? "repaired" : "out-of-order"));
  }

  private anythingRepeated({ scoreboard }: TransmissionControlBlock): boolean {
    return scoreboard.resentCount > 0 || (scoreboard.first()?.transmissions ?? 1) > 1;
  }

  private countDuplicate(tcb: TransmissionControlBlock, { isDuplicate }: AcknowledgmentNews): void {
    if (this.usesReports || !isDuplicate) return;
    // No more can have left than are out, less what is missing.
    const { count, lostCount } = tcb.scoreboard;
    const most = count - Math.min(count, Math.max(1, lostCount));
    if (this.duplicates < most) {
      this.duplicates += 1;
      return;
    }
    this.duplicates = most;
    this.reordering.displaced(count * tcb.segmentSize, tcb.segmentSize);
    tcb.context.counters.TCPRenoReorder += 1;
  }

  private afterProgress(news: AcknowledgmentNews): void {
    if (news.octets > 0) this.duplicates = remainingDuplicates(this.duplicates, news);
  }

  private become(tcb: TransmissionControlBlock, to: RecoveryState, reason: Reason): void {
    const from = this.state;
    if (from === to && to !== "loss") return;
    this.state = to;
    if (to !== "loss") this.youngAtTimeout = 0;
    reportRecovery(tcb, from, to, reason);
  }
}

function reducesProportionally({ options, congestion }: TransmissionControlBlock): boolean {
  return options.proportionalRateReduction && congestion.delivered === undefined;
}

/** RACK where the peer reports by SACK (RFC 8985), unless another way is asked for; without reports there is only one way (RFC 6582). */
export function createLossRecovery(
  iss: SequenceNumber,
  sackPermitted: boolean,
  options: Pick<ResolvedTcpOptions, "lossRecovery">,
): LossRecovery {
  if (!sackPermitted || options.lossRecovery === "newreno") return new LossRecovery(iss, new DuplicateCount());
  return new LossRecovery(iss, options.lossRecovery === "sack" ? new DuplicateThreshold(iss) : new Rack(iss));
}
