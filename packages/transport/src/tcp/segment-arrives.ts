// SEGMENT ARRIVES for a connection (RFC 9293 §3.10.7.3 and §3.10.7.4), one function for each numbered check, in the RFC's order.
import { isAfter, isAtOrAfter, isAtOrBefore, isBefore, sequenceAdd, sequenceDistance } from "@netstrata/core";
import { acknowledge, setSendWindow, takeLateReports } from "./acknowledgment.ts";
import { acknowledgeOutOfWindow, challenge } from "./challenge-ack.ts";
import { becomeClosed, enterTimeWait } from "./closing.ts";
import { startCongestionControl } from "./congestion-feedback.ts";
import { noteFastOpenAnswer } from "./fast-open/active-fast-open.ts";
import { createLossRecovery } from "./loss-recovery/loss-recovery.ts";
import { armFinWait2 } from "./orphan.ts";
import { answersOurSyn, passesPaws } from "./paws.ts";

import { finIsNext, isAcceptable, noteDuplicate, receiveText, receiveUrgent, trimToWindow, windowShift } from "./receiver.ts";
import type { Segment } from "./segment.ts";
import { sendSynAcknowledgment } from "./segment-output.ts";
import { updateSegmentSize } from "./segment-size.ts";
import { retransmit } from "./sender.ts";
import { canReceive } from "./state.ts";
import { reportCongestion } from "./tcp-events.ts";
import { FIN, SYN, URG } from "./tcp-header.ts";
import { MAX_WINDOW_SCALE, type TcpOptions } from "./tcp-options.ts";
import { advancesTimestamp, applyTimestampsOfSyn, echoedRoundTrip, recordTimestampOf, timestampClock } from "./timestamps.ts";
import type { HandshakeListener, TransmissionControlBlock } from "./transmission-control-block.ts";
import { adoptUserTimeout, receiveUserTimeout } from "./user-timeout-option.ts";

/** What a check decides: go on with the next one, or be done with the segment. */
type Outcome = "continue" | "done" | "answer-with-reset";

/**
 * Processes a segment that belongs to `tcb`. The caller ends the event (`finishEvent`), and sends the reset when asked to.
 */
export function segmentArrives(tcb: TransmissionControlBlock, segment: Segment): "done" | "answer-with-reset" {
  tcb.segmentsIn += 1;
  tcb.lastReceivedAt = tcb.clock.now();
  if (segment.payload.length > 0) tcb.statistics.textSegmentsIn += 1;
  // Whatever it is, it is a sign of life (MUST-29).
  tcb.keepAliveProbesSent = 0;
  tcb.windowProbes = 0;
  if (tcb.state === "SYN-SENT") return segmentArrivesInSynSent(tcb, segment);
  for (const check of CHECKS) {
    const outcome = check(tcb, segment);
    if (outcome !== "continue") return outcome;
  }
  return "done";
}

/** §3.10.7.4; "third, check security" has nothing to check (RFC 9293 §3.10.7.4 leaves IP security options to IP). */
const CHECKS: readonly ((tcb: TransmissionControlBlock, segment: Segment) => Outcome)[] = [
  checkTimestamps,
  checkSequenceNumber,
  checkReset,
  checkSyn,
  noteEcn,
  checkAcknowledgment,
  checkUrgent,
  processText,
  checkFin,
];

/** §3.10.7.3 */
function segmentArrivesInSynSent(tcb: TransmissionControlBlock, segment: Segment): "done" | "answer-with-reset" {
  const { snd, context } = tcb;
  // First, check the ACK bit.
  if (segment.hasAck && (isAtOrBefore(segment.ack, tcb.iss) || isAfter(segment.ack, snd.nxt))) {
    context.drops.count("acknowledgment-out-of-range");
    return segment.hasRst ? "done" : "answer-with-reset";
  }
  if (segment.hasAck && !segment.hasRst && !answersOurSyn(tcb, segment, timestampClock(tcb))) return "answer-with-reset";
  // Second, check the RST bit. Without an acceptable ACK it is blind (RFC 5961 §3).
  if (segment.hasRst) {
    if (segment.hasAck) becomeClosed(tcb, "ECONNREFUSED");
    else context.drops.count("reset-out-of-window");
    return "done";
  }
  // Fourth, check the SYN bit.
  if (!segment.hasSyn) return "done";
  tcb.irs = segment.seq;
  tcb.rcv.nxt = sequenceAdd(segment.seq, 1);
  applySynOptions(tcb, segment.options);
  if (segment.hasAck) tcb.ecnHandshake.answerArrived(tcb, segment);
  else tcb.ecnHandshake.synArrived(tcb, segment);
  // RFC 7323 §2.2: the window in a segment with SYN is not scaled.
  setSendWindow(tcb, segment, segment.window);
  segment.seq = tcb.rcv.nxt;
  tcb.ackNow = true;
  if (!segment.hasAck) {
    // Simultaneous open (MUST-10): our SYN goes out once more, now with an ACK.
    tcb.setState("SYN-RECEIVED");
    sendSynAcknowledgment(tcb);
    // §3.10.7.3 lets text and FIN that came along be queued; they are left to be sent again, as nothing confirms the peer yet.
    return "done";
  }
  noteFastOpenAnswer(tcb, segment);
  becomeEstablished(tcb, segment);
  if (!tcb.scoreboard.isEmpty) {
    // RFC 7413 §4.1.3: the SYN was taken and its text was not, which is no sign of congestion.
    tcb.scoreboard.markAllLost();
    tcb.lossReason = "fast-open";
  }
  processTextAfterHandshake(tcb, segment);
  return "done";
}

/** Text, urgent pointer and FIN may come with the SYN,ACK. */
function processTextAfterHandshake(tcb: TransmissionControlBlock, segment: Segment): void {
  segment.flags &= ~SYN;
  trimToWindow(tcb, segment);
  for (const check of [checkUrgent, processText, checkFin]) if (check(tcb, segment) !== "continue") return;
}

/** Our SYN is acknowledged. */
function becomeEstablished(tcb: TransmissionControlBlock, segment: Segment): void {
  const synLost = (tcb.scoreboard.first()?.transmissions ?? 1) > 1;
  // The SYN is outside the send buffer, so its number is taken off before the buffer is asked.
  const syn = tcb.scoreboard.first();
  const roundTrip = syn === undefined ? 0 : tcb.clock.now() - syn.sentAt;
  tcb.scoreboard.acknowledge(sequenceAdd(tcb.iss, 1), []);
  tcb.snd.una = sequenceAdd(tcb.iss, 1);
  tcb.timeouts = 0;
  tcb.softError = undefined;
  // Karn's rule; but an echo tells which of the SYNs is answered (RFC 7323 §4).
  const measured = synLost || syn === undefined ? echoedRoundTrip(tcb, segment) : roundTrip;
  if (measured === undefined) tcb.retransmissionTimeout.handshakeWithoutMeasurement();
  else {
    tcb.retransmissionTimeout.measured(measured, tcb.options.rtoMinimum, tcb.snd.una, tcb.snd.nxt);
    tcb.statistics.roundTripMeasured(measured, tcb.clock.now());
  }
  tcb.disarm("retransmission");
  tcb.setState("ESTABLISHED");
  tcb.statistics.established(tcb.clock.now());
  tcb.userTimeout.due = tcb.options.userTimeoutOption > 0;
  adoptUserTimeout(tcb);
  updateSegmentSize(tcb);
  tcb.receiving.established(tcb);
  if (tcb.fastOpenQueue === undefined) startCongestionControl(tcb, syn?.transmissions ?? 1, measured);
  tcb.fastOpenQueue?.leave(false);
  tcb.fastOpenQueue = undefined;
  reportCongestion(tcb, "established");
  if (tcb.options.keepAlive) tcb.timer("keepAlive").arm(tcb.options.keepAliveIdle);
  // A CLOSE that was called in SYN-RECEIVED was kept until now (§3.10.4).
  if (tcb.finQueued) tcb.setState("FIN-WAIT-1");
  tcb.pending.opened = true;
  // What went out by Fast Open may be reported at once.
  if (isAfter(segment.ack, tcb.snd.una) || segment.options.sackBlocks !== undefined) acknowledge(tcb, segment);
}

/** MUST-15: without an MSS option the peer takes 536 octets over IPv4, 1220 over IPv6. RFC 7323 §2.2: both scale, or neither does. */
export function applySynOptions(tcb: TransmissionControlBlock, options: TcpOptions): void {
  const fallback = typeof tcb.remote.address === "number" ? 536 : 1220;
  tcb.snd.mss = Math.max(tcb.options.minimumSegmentSize, options.maximumSegmentSize ?? fallback);
  tcb.sackPermitted = tcb.options.sack && options.sackPermitted === true;
  tcb.recovery = createLossRecovery(tcb.iss, tcb.sackPermitted, tcb.options);
  tcb.peerScales = tcb.options.windowScaling && options.windowScale !== undefined;
  tcb.snd.shift = tcb.peerScales ? Math.min(options.windowScale ?? 0, MAX_WINDOW_SCALE) : 0;
  tcb.rcv.shift = tcb.peerScales ? windowShift(tcb.options) : 0;
  applyTimestampsOfSyn(tcb, options.timestamps);
  receiveUserTimeout(tcb, options.userTimeout);
}

/** RFC 7323 §5.3: before the sequence number. */
function checkTimestamps(tcb: TransmissionControlBlock, segment: Segment): Outcome {
  if (!passesPaws(tcb, segment)) return "done";
  segment.advancesTimestamp = advancesTimestamp(tcb, segment);
  return "continue";
}

/** First, check sequence number. */
function checkSequenceNumber(tcb: TransmissionControlBlock, segment: Segment): Outcome {
  if (isAcceptable(tcb, segment)) {
    // A RST keeps its number: trimmed, it would fit wherever its text reaches RCV.NXT, and a long text is easy to aim (RFC 5961 §3.2).
    if (!segment.hasRst) trimToWindow(tcb, segment);
    return "continue";
  }
  if (tcb.rcv.wnd === 0 && segment.seq === tcb.rcv.nxt && !segment.hasSyn) {
    // A closed window still lets ACK, URG and RST through (MUST-66); the text is refused, and the answer tells the sender so.
    segment.payload.truncate(0);
    segment.flags &= ~FIN;
    tcb.ackNow = !segment.hasRst;
    return "continue";
  }
  if (tcb.state === "SYN-RECEIVED" && segment.hasSyn && !segment.hasRst && segment.seq === tcb.irs) return peerRepeatsSyn(tcb, segment);
  // The last segment again: our acknowledgment was lost, and the next one has to say which copy it answers (RFC 7323 §4.3).
  const end = sequenceAdd(segment.seq, segment.length);
  if (segment.advancesTimestamp && end === tcb.rcv.nxt && hasAcceptableAck(tcb, segment)) recordTimestampOf(tcb, segment);
  if (isBareAckAtRightEdge(tcb, segment)) {
    acknowledgeOutOfWindow(tcb);
    return "continue";
  }
  tcb.context.drops.count("out-of-window");
  if (segment.hasSyn && segment.hasAck && segment.seq === tcb.irs) tcb.ecn?.answerRepeated(segment);
  if (tcb.state === "TIME-WAIT" && segment.hasFin) tcb.timer("life").arm(tcb.options.timeWait);
  // An unacceptable segment is answered with an ACK, a RST is not.
  if (segment.hasRst) return "done";
  if (segment.payload.length > 0) {
    // What comes again shows that our acknowledgment was lost or late.
    if (isBefore(segment.seq, tcb.rcv.nxt)) {
      tcb.acknowledging.hurry(tcb);
      tcb.ecn?.repeated(tcb, segment);
    }
    noteDuplicate(tcb, segment.seq, segment.payload.length);
  }
  if (segment.length === 0) acknowledgeOutOfWindow(tcb);
  else tcb.ackNow = true;
  return "done";
}

/**
 * A peer that has filled our window says ACK from its right edge. Where the text that filled it was lost, that is not acceptable; but if both ends
 * are in this place, and each probes the other, neither would ever hear of the other's progress. So it is answered, as it must be, and its
 * acknowledgment counts (a deviation: Linux does not even answer it; RFC 9293 §A.2 knows of the like).
 */
function isBareAckAtRightEdge(tcb: TransmissionControlBlock, segment: Segment): boolean {
  const { nxt, wnd } = tcb.rcv;
  return wnd > 0 && segment.length === 0 && segment.hasAck && !segment.hasRst && segment.seq === sequenceAdd(nxt, wnd);
}

/** The SYN that brought us to SYN-RECEIVED again: unacceptable by its number, but not for what comes with it (RFC 9293 §A.2). */
function peerRepeatsSyn(tcb: TransmissionControlBlock, segment: Segment): Outcome {
  tcb.ackNow = true;
  if (segment.hasAck && !tcb.passive) {
    // Simultaneous open (MUST-10): the SYN,ACK acknowledges our SYN. The peer may be waiting for the same from us.
    trimToWindow(tcb, segment);
    return "continue";
  }
  // Our SYN,ACK was lost: a bare ACK would not help the peer.
  const syn = tcb.scoreboard.first();
  if (!segment.hasAck) tcb.ecnHandshake.synRepeated(tcb, segment);
  if (syn !== undefined && !segment.hasAck) retransmit(tcb, syn, "peer-retransmission");
  return "done";
}

/** Second, check the RST bit (RFC 5961 §3). */
function checkReset(tcb: TransmissionControlBlock, segment: Segment): Outcome {
  if (!segment.hasRst) return "continue";
  if (segment.seq !== tcb.rcv.nxt) {
    const inWindow = isAfter(segment.seq, tcb.rcv.nxt);
    tcb.context.drops.count(inWindow ? "reset-challenged" : "reset-out-of-window");
    if (inWindow) challenge(tcb);
    return "done";
  }
  if (tcb.state === "SYN-RECEIVED") {
    // A passive open returns to LISTEN, which the listener never left; an active one was refused.
    becomeClosed(tcb, tcb.passive ? "ECONNRESET" : "ECONNREFUSED");
  } else if (tcb.state === "CLOSING" || tcb.state === "LAST-ACK" || tcb.state === "TIME-WAIT") {
    // MUST-12: it ends in order only when all of our text has arrived.
    becomeClosed(tcb, tcb.sendBuffer.length > 0 ? "ECONNRESET" : undefined);
  } else {
    becomeClosed(tcb, "ECONNRESET");
  }
  return "done";
}

/** Fourth, check the SYN bit (RFC 5961 §4). */
function checkSyn(tcb: TransmissionControlBlock, segment: Segment): Outcome {
  if (!segment.hasSyn) return "continue";
  if (tcb.state === "SYN-RECEIVED" && tcb.passive) {
    becomeClosed(tcb, "ECONNRESET");
    return "done";
  }
  tcb.context.drops.count("syn-challenged");
  challenge(tcb);
  return "done";
}

/** RFC 3168 §6.1.3, RFC 9768 §3.2.2: what the field in the IP header says, of a segment that is in the window. */
function noteEcn(tcb: TransmissionControlBlock, segment: Segment): Outcome {
  tcb.ecn?.received(tcb, segment);
  return "continue";
}

/** Fifth, check the ACK field. */
function checkAcknowledgment(tcb: TransmissionControlBlock, segment: Segment): Outcome {
  const { snd } = tcb;
  if (!segment.hasAck) {
    tcb.context.drops.count("missing-acknowledgment");
    return "done";
  }
  if (tcb.state === "SYN-RECEIVED") {
    if (!isAfter(segment.ack, snd.una) || isAfter(segment.ack, snd.nxt)) {
      tcb.context.drops.count("acknowledgment-out-of-range");
      return "answer-with-reset";
    }
    const { listener } = tcb;
    if (listener !== undefined && !mayEstablish(tcb, listener, segment)) return listener.abortOnOverflow ? "answer-with-reset" : "done";
    recordTimestampOf(tcb, segment);
    setSendWindow(tcb, segment, segment.window << snd.shift);
    tcb.ecnHandshake.acknowledged(tcb, segment);
    if (tcb.options.userTimeoutOption > 0) receiveUserTimeout(tcb, segment.options.userTimeout);
    becomeEstablished(tcb, segment);
    // A server may have sent its FIN before the handshake was complete (RFC 7413 §4.2.2), and this may acknowledge it.
    return afterAcknowledgment(tcb, segment);
  }
  if (!hasAcceptableAck(tcb, segment)) {
    tcb.context.drops.count("acknowledgment-out-of-range");
    challenge(tcb);
    return "done";
  }
  // RFC 7323 §5.3 R3. Not before the acknowledgment is found to be of this connection, or anyone could set it (RFC 5961 §5).
  recordTimestampOf(tcb, segment);
  if (tcb.options.userTimeoutOption > 0) receiveUserTimeout(tcb, segment.options.userTimeout);
  if (isAtOrAfter(segment.ack, snd.una)) acknowledge(tcb, segment);
  else takeLateReports(tcb, segment);
  return afterAcknowledgment(tcb, segment);
}

/** RFC 5961 §5.2: neither what was never sent, nor what is too old to be a delayed duplicate. */
function hasAcceptableAck(tcb: TransmissionControlBlock, segment: Segment): boolean {
  const { una, nxt, maxWnd } = tcb.snd;
  return segment.hasAck && !isAfter(segment.ack, nxt) && sequenceDistance(segment.ack, una) <= maxWnd;
}

/** The handshake would be complete; but the listener may have no room, or wait for text. */
function mayEstablish(tcb: TransmissionControlBlock, listener: HandshakeListener, segment: Segment): boolean {
  const { context } = tcb;
  if (listener.isFull) {
    // The peer believes itself connected; what it sends, or our SYN,ACK, brings another chance.
    context.counters.ListenOverflows += 1;
    context.counters.ListenDrops += 1;
    context.drops.count("accept-queue-full");
    if (listener.abortOnOverflow) becomeClosed(tcb, "ECONNABORTED");
    return false;
  }
  if (tcb.timeouts >= listener.deferRetries || segment.length > 0) return true;
  tcb.handshakeDeferred = true;
  context.counters.TCPDeferAcceptDrop += 1;
  return false;
}

/** The states in which the acknowledgment of our FIN means something. */
function afterAcknowledgment(tcb: TransmissionControlBlock, segment: Segment): Outcome {
  const everything = tcb.finAcknowledged;
  switch (tcb.state) {
    case "FIN-WAIT-1":
      if (everything) {
        tcb.setState("FIN-WAIT-2");
        if (tcb.orphaned) armFinWait2(tcb);
        tcb.pending.finished = true;
      }
      return "continue";
    case "CLOSING":
      if (everything) enterTimeWait(tcb);
      return "done";
    case "LAST-ACK":
      if (everything) becomeClosed(tcb, undefined);
      return "done";
    case "TIME-WAIT":
      if (segment.hasFin) {
        tcb.ackNow = true;
        tcb.timer("life").arm(tcb.options.timeWait);
      }
      return "done";
    default:
      return "continue";
  }
}

/** Sixth, check the URG bit. */
function checkUrgent(tcb: TransmissionControlBlock, segment: Segment): Outcome {
  if ((segment.flags & URG) !== 0 && canReceive(tcb.state)) receiveUrgent(tcb, segment);
  return "continue";
}

/** Seventh, process the segment text. */
function processText(tcb: TransmissionControlBlock, segment: Segment): Outcome {
  if (segment.payload.length === 0) return "continue";
  const end = sequenceAdd(segment.seq, segment.payload.length);
  if (!canReceive(tcb.state) || (tcb.rcv.fin !== undefined && isAfter(end, tcb.rcv.fin))) {
    // Text behind the peer's FIN cannot be.
    tcb.context.drops.count("after-fin");
    return "continue";
  }
  if ((tcb.readClosed || tcb.refusesText) && tcb.finQueued) {
    // SHLD-3: data for a user who has closed for good is answered with a RST.
    tcb.context.counters.TCPAbortOnData += 1;
    becomeClosed(tcb, "ECONNRESET");
    // With the number that the peer acknowledges, because none but the one it waits for resets it at once (RFC 5961 §3.2).
    return "answer-with-reset";
  }
  receiveText(tcb, segment);
  // Whoever only stopped reading lets the peer finish, and throws its text away.
  if (tcb.readClosed) {
    tcb.unreadDiscarded = true;
    tcb.receiveBuffer.clear();
  }
  return "continue";
}

/** Eighth, check the FIN bit. The FIN may have come ahead of text that is still missing. */
function checkFin(tcb: TransmissionControlBlock, segment: Segment): Outcome {
  if (segment.hasFin && canReceive(tcb.state)) {
    tcb.rcv.fin ??= sequenceAdd(segment.seq, segment.payload.length);
    if (!finIsNext(tcb)) tcb.ackNow = true;
  }
  if (!finIsNext(tcb) || !canReceive(tcb.state)) return "done";
  tcb.rcv.nxt = sequenceAdd(tcb.rcv.nxt, 1);
  tcb.rcv.wnd = Math.max(0, tcb.rcv.wnd - 1);
  tcb.reassembler = undefined;
  tcb.pending.readable = true;
  tcb.unacknowledgedReceived += 1;
  if (tcb.state !== "ESTABLISHED" || tcb.acknowledging.finReceived(tcb)) tcb.ackNow = true;
  switch (tcb.state) {
    case "ESTABLISHED":
      tcb.setState("CLOSE-WAIT");
      break;
    case "FIN-WAIT-1":
      // Our FIN is not acknowledged, or the fifth check would have moved us on.
      tcb.setState("CLOSING");
      break;
    case "FIN-WAIT-2":
      enterTimeWait(tcb);
      break;
  }
  return "done";
}
