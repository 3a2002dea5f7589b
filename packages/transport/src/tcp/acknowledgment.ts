// Fifth, check the ACK field (RFC 9293 §3.10.7.4): SND.UNA, the send window, the round trip, loss recovery and congestion control.
import { isAfter, isBefore, type SequenceNumber, sequenceDistance } from "@netstrata/core";
import { tellCongestionControl } from "./congestion-feedback.ts";
import type { Segment } from "./segment.ts";
import { armForReneging, armRetransmission, probeAnswered } from "./send-timers.ts";
import type { SentSegment } from "./sent-segment.ts";
import type { TcpRoundTripEvent, TcpWindowEvent } from "./tcp-events.ts";
import type { SackBlock } from "./tcp-options.ts";
import { echoedRoundTrip, echoesOriginal, forgetRetransmission } from "./timestamps.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** What the acknowledgment at hand delivers. A fresh list each time, because emptying one by its length makes 1-octet round trips a tenth slower. */
let delivered: SentSegment[] = [];
const NO_BLOCKS: readonly SackBlock[] = [];

/** Takes an acknowledgment with SND.UNA =< SEG.ACK =< SND.NXT. */
export function acknowledge(tcb: TransmissionControlBlock, segment: Segment): void {
  const { snd, scoreboard, recovery } = tcb;
  const window = segment.window << snd.shift;
  const octets = sequenceDistance(snd.una, segment.ack);
  // Linux holds text back (MSG_MORE) during the call only: whatever else lets text out lets this out as well.
  if (tcb.options.burstSegments > 0) tcb.withheld = false;
  const flightBefore = tcb.flightSize;
  // RFC 5681 §2: the five conditions of a duplicate.
  const isRepeat = octets === 0 && segment.length === 0 && window === snd.wnd;
  const isDuplicate = isRepeat && window > 0 && !scoreboard.isEmpty;
  delivered = [];
  const held = scoreboard.sackedLength;
  const countBefore = scoreboard.count;
  if (octets > 0) {
    scoreboard.acknowledge(segment.ack, delivered);
    advance(tcb, segment.ack, octets);
  }
  const acknowledgedCount = countBefore - scoreboard.count;
  const sackedBefore = scoreboard.sackedLength;
  const acknowledgedNews = delivered.length;
  const blocks = recovery.usesReports ? (segment.options.sackBlocks ?? NO_BLOCKS) : NO_BLOCKS;
  const duplicateSack = blocks.length === 0 ? undefined : duplicateBlock(tcb, blocks, segment.ack);
  reportBlocks(tcb, blocks, duplicateSack);
  tcb.sample.roundTrip = undefined;
  if (octets > 0 || delivered.length > 0) measure(tcb, segment, octets > 0);
  tcb.statistics.delivered += delivered.length;
  // RFC 6937 §3: DeliveredData is what SND.UNA moved over and was not known before, and what is newly reported.
  const deliveredLength = octets - (held - sackedBefore) + (scoreboard.sackedLength - sackedBefore);
  const wasActive = recovery.active;
  if (tcb.ecn !== undefined && !segment.hasSyn) {
    const marks = tcb.ecn.reported(tcb, segment, { segments: delivered.length, octets: deliveredLength });
    if (marks > 0) recovery.congestionExperienced(tcb, flightBefore);
  }
  const deliveredNow = recovery.acknowledged(tcb, {
    octets,
    delivered,
    deliveredLength,
    sackedCount: delivered.length - acknowledgedNews,
    acknowledgedCount,
    isRepeat,
    isDuplicate,
    duplicateSack,
    echoesOriginal: octets > 0 && echoesOriginal(tcb, segment),
  });
  tellCongestionControl(tcb, octets, delivered, deliveredLength, deliveredNow, wasActive);
  if (tcb.sendBlocked && octets > 0) wakeWriter(tcb);
  // RFC 6298 §5.2 and §5.3: off when all is acknowledged, else counted anew.
  if (scoreboard.isEmpty) tcb.disarm("retransmission");
  else if (octets > 0) armAfterProgress(tcb);
  // RFC 8985 §7.2: where something is reported missing, no probe has to ask.
  else if (tcb.probeDue && !recovery.mayProbe(tcb)) armRetransmission(tcb, "since sent");
  if (tcb.timestamps.retransmitted !== undefined && scoreboard.repeatedCount === 0) forgetRetransmission(tcb);
  updateSendWindow(tcb, segment, window);
}

/** An acknowledgment that comes late, below SND.UNA, may still report what has arrived above it. */
export function takeLateReports(tcb: TransmissionControlBlock, segment: Segment): void {
  const { scoreboard, recovery } = tcb;
  const blocks = segment.options.sackBlocks;
  if (blocks === undefined || !recovery.usesReports || scoreboard.isEmpty) return;
  delivered = [];
  const before = scoreboard.sackedLength;
  reportBlocks(tcb, blocks, undefined);
  if (delivered.length === 0) return;
  tcb.statistics.delivered += delivered.length;
  recovery.acknowledged(tcb, {
    octets: 0,
    delivered,
    deliveredLength: scoreboard.sackedLength - before,
    sackedCount: delivered.length,
    acknowledgedCount: 0,
    isRepeat: false,
    isDuplicate: false,
    duplicateSack: undefined,
    echoesOriginal: false,
  });
}

/** In the order of their numbers, so that what was displaced on its way can be told (RFC 8985 §6.2 step 3). */
function reportBlocks(tcb: TransmissionControlBlock, blocks: readonly SackBlock[], except: SackBlock | undefined): void {
  const ordered = blocks.length > 1 ? [...blocks].sort((a, b) => sequenceDistance(b.left, a.left)) : blocks;
  for (const block of ordered) {
    if (block !== except && isPlausible(tcb, block)) tcb.scoreboard.reportSacked(block.left, block.right, delivered);
  }
}

/** A SACK block must lie in what is outstanding; anything else is a mistake or an attack (RFC 2018 §5). */
function isPlausible(tcb: TransmissionControlBlock, block: SackBlock): boolean {
  const { una, nxt } = tcb.snd;
  return isAfter(block.left, una) && isBefore(block.left, block.right) && !isAfter(block.right, nxt);
}

/** The peer may have thrown away what it had reported (RFC 2018 §8): then the timer must not wait for as long as it usually does. */
function armAfterProgress(tcb: TransmissionControlBlock): void {
  if (tcb.scoreboard.first()?.sacked === true) armForReneging(tcb);
  else armRetransmission(tcb, "from now");
}

/** RFC 2883 §4: the first block reports a duplicate when it lies below SEG.ACK, or inside the second block. */
function duplicateBlock(tcb: TransmissionControlBlock, blocks: readonly SackBlock[], ack: SequenceNumber): SackBlock | undefined {
  const [first, second] = blocks;
  if (!isBefore(first.left, first.right)) return undefined;
  const isBelow = !isAfter(first.right, ack);
  if (!isBelow && (second === undefined || isBefore(first.left, second.left) || isAfter(first.right, second.right))) return undefined;
  return tcb.options.dsack && isCredible(tcb, first, isBelow) ? first : undefined;
}

/** What was never sent again cannot have arrived twice by our doing, and what is older than any window is made up (RFC 2883 §5). */
function isCredible(tcb: TransmissionControlBlock, block: SackBlock, isBelow: boolean): boolean {
  const { counters } = tcb.context;
  if (isBelow && sequenceDistance(block.left, tcb.snd.una) > Math.max(tcb.snd.maxWnd, tcb.segmentSize)) {
    counters.TCPDSACKIgnoredOld += 1;
    return false;
  }
  tcb.statistics.duplicates += Math.max(1, Math.ceil(sequenceDistance(block.left, block.right) / tcb.segmentSize));
  if (tcb.statistics.duplicates > tcb.segmentsRetransmitted) {
    counters.TCPDSACKIgnoredDubious += 1;
    return false;
  }
  if (isBelow) counters.TCPDSACKRecv += 1;
  else counters.TCPDSACKOfoRecv += 1;
  return true;
}

/** SND.UNA moves by `octets`. */
function advance(tcb: TransmissionControlBlock, ack: SequenceNumber, octets: number): void {
  const { snd } = tcb;
  // The FIN takes a sequence number, but no place in the buffer. (The SYN's was taken off before, in SYN-SENT or SYN-RECEIVED.)
  const text = Math.min(octets, tcb.sendBuffer.length);
  if (text > 0) {
    tcb.sendBuffer.acknowledge(text);
    tcb.bytesAcknowledged += text;
  }
  snd.una = ack;
  tcb.timeouts = 0;
  // Slow is not stuck: RFC 6429 is about peers that take nothing.
  tcb.orphanProbes = 0;
  tcb.statistics.advanced(tcb.lastReceivedAt);
  tcb.softError = undefined;
  if (snd.up !== undefined && !isBefore(ack, snd.up)) snd.up = undefined;
  // RFC 1122 §3.3.1.4: forward progress is proof of a living next hop.
  tcb.context.ip.confirmReachability(tcb.remote.address);
}

/** The user waits for room. A writer is woken for a third of the buffer, as in Linux, and not for each segment that goes. */
function wakeWriter(tcb: TransmissionControlBlock): void {
  tcb.sending.grow(tcb);
  if (tcb.sendBuffer.length * 3 > tcb.sending.limit * 2) return;
  tcb.sendBlocked = false;
  tcb.pending.writable = true;
}

/** RFC 6298 §3, Karn's rule: nothing is measured by an acknowledgment of segments that were sent twice, unless an echo tells which is answered. */
function measure(tcb: TransmissionControlBlock, segment: Segment, isProgress: boolean): void {
  // The oldest for the timeout, since an acknowledgment may have been delayed for it (RFC 7323 §4.1); the newest for who wants to know the path.
  let oldest = Number.POSITIVE_INFINITY;
  let newest = Number.NEGATIVE_INFINITY;
  let repeatedAt = Number.NEGATIVE_INFINITY;
  for (const sent of delivered) {
    if (sent.transmissions > 1) repeatedAt = Math.max(repeatedAt, sent.sentAt);
    else {
      oldest = Math.min(oldest, sent.sentAt);
      newest = Math.max(newest, sent.sentAt);
    }
  }
  const now = tcb.clock.now();
  if (repeatedAt !== Number.NEGATIVE_INFINITY) {
    if (!isProgress) return;
    // RFC 7323 §4.1, the RTTM rule: SND.UNA has moved.
    const echoed = echoedRoundTrip(tcb, segment);
    if (echoed === undefined) tcb.retransmissionTimeout.retransmissionAcknowledged(now - repeatedAt);
    else measureRoundTrip(tcb, echoed, echoed);
  } else if (newest !== Number.NEGATIVE_INFINITY) measureRoundTrip(tcb, now - oldest, now - newest);
}

function measureRoundTrip(tcb: TransmissionControlBlock, measured: number, newest: number): void {
  tcb.sample.roundTrip = newest;
  tcb.statistics.roundTripMeasured(measured, tcb.lastReceivedAt);
  tcb.retransmissionTimeout.measured(measured, tcb.options.rtoMinimum, tcb.snd.una, tcb.snd.nxt);
  const { observer } = tcb.context.host;
  if (observer === undefined) return;
  const event: TcpRoundTripEvent = {
    layer: "tcp",
    kind: "round-trip",
    local: tcb.local,
    remote: tcb.remote,
    measured,
    retransmissionTimeout: tcb.retransmissionTimeout.value,
  };
  observer.observe(event);
}

/** Old segments must not bring old windows back: SND.WL1 and SND.WL2 tell which news is newest. */
function updateSendWindow(tcb: TransmissionControlBlock, segment: Segment, window: number): void {
  const { snd } = tcb;
  if (!isBefore(snd.wl1, segment.seq) && !(snd.wl1 === segment.seq && !isAfter(snd.wl2, segment.ack))) return;
  const before = snd.wnd;
  setSendWindow(tcb, segment, window);
  if (window === 0) probeAnswered(tcb);
  if ((before === 0) === (window === 0)) return;
  // An opened window ends the back-off of the probes.
  if (before === 0) {
    tcb.windowOpenedAt = tcb.clock.now();
    tcb.disarm("persist");
    tcb.windowProbesSince = undefined;
    tcb.retransmissionTimeout.endBackOff();
    if (!tcb.scoreboard.isEmpty) {
      // What was sent into the closed window was thrown away.
      tcb.scoreboard.markAllLost();
      tcb.lossReason = "window-probe";
      armRetransmission(tcb, "from now");
    }
  }
  const { observer } = tcb.context.host;
  if (observer === undefined) return;
  const event: TcpWindowEvent = { layer: "tcp", kind: "window", local: tcb.local, remote: tcb.remote, window };
  observer.observe(event);
}

/** SND.WND, SND.WL1, SND.WL2 and MAX.SND.WND from a segment. */
export function setSendWindow(tcb: TransmissionControlBlock, segment: Segment, window: number): void {
  const { snd } = tcb;
  snd.wnd = window;
  snd.wl1 = segment.seq;
  snd.wl2 = segment.ack;
  snd.maxWnd = Math.max(snd.maxWnd, window);
}
