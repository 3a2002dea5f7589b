// Fifth, check the ACK field (RFC 9293 §3.10.7.4): SND.UNA, the send window, the round trip, loss recovery and congestion control.
import { isAfter, isBefore, type SequenceNumber, sequenceDistance } from "@netstrata/core";
import { tellCongestionControl } from "./congestion-feedback.ts";
import type { SentSegment } from "./scoreboard.ts";
import type { Segment } from "./segment.ts";
import { armRetransmission, probeAnswered } from "./send-timers.ts";
import type { TcpRoundTripEvent, TcpWindowEvent } from "./tcp-events.ts";
import type { SackBlock } from "./tcp-options.ts";
import { echoedRoundTrip, forgetRetransmission } from "./timestamps.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** What the acknowledgment at hand delivers. A fresh list each time, because emptying one by its length makes 1-octet round trips a tenth slower. */
let delivered: SentSegment[] = [];
const NO_BLOCKS: readonly SackBlock[] = [];

/** Takes an acknowledgment with SND.UNA =< SEG.ACK =< SND.NXT. */
export function acknowledge(tcb: TransmissionControlBlock, segment: Segment): void {
  const { snd, scoreboard, recovery } = tcb;
  const window = segment.window << snd.shift;
  const octets = sequenceDistance(snd.una, segment.ack);
  const flightBefore = tcb.flightSize;
  const isDuplicate = octets === 0 && isDuplicateAcknowledgment(tcb, segment, window);
  delivered = [];
  const held = scoreboard.sackedLength;
  if (octets > 0) {
    scoreboard.acknowledge(segment.ack, delivered);
    advance(tcb, segment.ack, octets);
  }
  const sackedBefore = scoreboard.sackedLength;
  const blocks = tcb.sackPermitted ? (segment.options.sackBlocks ?? NO_BLOCKS) : NO_BLOCKS;
  const duplicateSack = duplicateBlock(blocks, segment.ack);
  for (const block of blocks)
    if (block !== duplicateSack && isPlausible(tcb, block)) scoreboard.reportSacked(block.left, block.right, delivered);
  tcb.sample.roundTrip = undefined;
  if (octets > 0 || delivered.length > 0) measure(tcb, segment, octets > 0);
  tcb.statistics.delivered += delivered.length;
  if (duplicateSack !== undefined) {
    tcb.statistics.duplicates += Math.ceil(sequenceDistance(duplicateSack.left, duplicateSack.right) / tcb.segmentSize);
  }
  // RFC 6937 §3: DeliveredData is what SND.UNA moved over and was not known before, and what is newly reported.
  const deliveredLength = octets - (held - sackedBefore) + (scoreboard.sackedLength - sackedBefore);
  const wasActive = recovery.active;
  if (tcb.ecn !== undefined && !segment.hasSyn) {
    const marks = tcb.ecn.reported(tcb, segment, { segments: delivered.length, octets: deliveredLength });
    tcb.ecn.reduction.acknowledged(tcb, marks, deliveredLength, flightBefore);
  }
  recovery.acknowledged(tcb, { octets, delivered, deliveredLength, isDuplicate, duplicateSack });
  tellCongestionControl(tcb, octets, delivered.length, wasActive);
  // RFC 6298 §5.2 and §5.3: off when all is acknowledged, else counted anew. RFC 8985 §7.2: so is the probe, also by what is only
  // reported.
  if (scoreboard.isEmpty) tcb.disarm("retransmission");
  else if (octets > 0 || (tcb.probeDue && delivered.length > 0)) armRetransmission(tcb);
  if (tcb.timestamps.retransmitted !== undefined && scoreboard.repeatedCount === 0) forgetRetransmission(tcb);
  updateSendWindow(tcb, segment, window);
}

/** A SACK block must lie in what is outstanding; anything else is a mistake or an attack (RFC 2018 §5). */
function isPlausible(tcb: TransmissionControlBlock, block: SackBlock): boolean {
  const { una, nxt } = tcb.snd;
  return isAfter(block.left, una) && isBefore(block.left, block.right) && !isAfter(block.right, nxt);
}

/** RFC 2883 §4: the first block reports a duplicate when it lies below SEG.ACK, or inside the second block. */
function duplicateBlock(blocks: readonly SackBlock[], ack: SequenceNumber): SackBlock | undefined {
  const [first, second] = blocks;
  if (first === undefined || !isBefore(first.left, first.right)) return undefined;
  if (!isAfter(first.right, ack)) return first;
  const isInside = second !== undefined && !isBefore(first.left, second.left) && !isAfter(first.right, second.right);
  return isInside ? first : undefined;
}

/** RFC 5681 §2: the five conditions. */
function isDuplicateAcknowledgment(tcb: TransmissionControlBlock, segment: Segment, window: number): boolean {
  return !tcb.scoreboard.isEmpty && segment.length === 0 && segment.ack === tcb.snd.una && window === tcb.snd.wnd && window > 0;
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
  tcb.statistics.advanced(tcb.clock.now());
  tcb.softError = undefined;
  if (snd.up !== undefined && !isBefore(ack, snd.up)) snd.up = undefined;
  // A writer is woken for a third of the buffer, as in Linux, and not for each segment that goes.
  if (tcb.sendBlocked && tcb.sendBuffer.length * 3 <= tcb.options.sendBuffer * 2) {
    tcb.sendBlocked = false;
    tcb.pending.writable = true;
  }
  // RFC 1122 §3.3.1.4: forward progress is proof of a living next hop.
  tcb.context.ip.confirmReachability(tcb.remote.address);
}

/** RFC 6298 §3, Karn's rule: nothing is measured by an acknowledgment of segments that were sent twice, unless an echo tells which is answered. */
function measure(tcb: TransmissionControlBlock, segment: Segment, isProgress: boolean): void {
  let sentAt = Number.NEGATIVE_INFINITY;
  let repeatedAt = Number.NEGATIVE_INFINITY;
  for (const sent of delivered) {
    if (sent.transmissions > 1) repeatedAt = Math.max(repeatedAt, sent.sentAt);
    else sentAt = Math.max(sentAt, sent.sentAt);
  }
  const now = tcb.clock.now();
  if (repeatedAt !== Number.NEGATIVE_INFINITY) {
    if (!isProgress) return;
    // RFC 7323 §4.1, the RTTM rule: SND.UNA has moved.
    const echoed = echoedRoundTrip(tcb, segment);
    if (echoed === undefined) tcb.retransmissionTimeout.retransmissionAcknowledged(now - repeatedAt);
    else measureRoundTrip(tcb, echoed);
  } else if (sentAt !== Number.NEGATIVE_INFINITY) measureRoundTrip(tcb, now - sentAt);
}

function measureRoundTrip(tcb: TransmissionControlBlock, measured: number): void {
  tcb.sample.roundTrip = measured;
  tcb.statistics.roundTripMeasured(measured, tcb.clock.now());
  tcb.retransmissionTimeout.measured(measured, tcb.options.rtoMinimum);
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
      armRetransmission(tcb);
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
