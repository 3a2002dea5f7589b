// The sending half: what goes out at the end of an event (RFC 9293 §3.8.6.2.1, §3.7.4, RFC 5681).
import { isAtOrAfter, isBefore, sequenceAdd, sequenceDistance } from "@netstrata/core";
import { restartAfterIdle } from "./congestion/idle-restart.ts";
import { fitsWindow } from "./congestion-window.ts";
import { sendLimit } from "./connection-statistics.ts";
import { noteApplicationLimit } from "./delivery-rate.ts";
import { isHeldBack } from "./nagle.ts";
import { isPaced, notePaced } from "./pacer.ts";
import { endsLostBurst, nextBurst } from "./segment-burst.ts";
import { sendAcknowledgment, transmit } from "./segment-output.ts";
import { widenToPath } from "./segment-size.ts";
import { armRetransmission, armSendTimers } from "./send-timers.ts";
import type { SentSegment } from "./sent-segment.ts";
import type { TcpRetransmissionEvent } from "./tcp-events.ts";
import { ACK, FIN, PSH, SYN } from "./tcp-header.ts";
import { noteRetransmission } from "./timestamps.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** RFC 9293 §3.8.6.2.1: Fs, the part of the largest window that makes a segment worth sending. */
const USEFUL_WINDOW_FRACTION = 1 / 2;

/** Where it is written that a loss found in this way is repaired. */
const LOSS_CLAUSE: Readonly<Record<TcpRetransmissionEvent["reason"], string>> = {
  timeout: "RFC 6298 §5.4",
  "fast-retransmit": "RFC 5681 §3.2",
  "partial-acknowledgment": "RFC 6582 §3.2",
  "window-probe": "RFC 9293 §3.8.6.1",
  "path-mtu": "RFC 1191 §6.4",
  "peer-retransmission": "RFC 9293 §3.8.1",
  rack: "RFC 8985 §6.2",
  sack: "RFC 6675 §5",
  "loss-probe": "RFC 8985 §7.3",
  "fast-open": "RFC 7413 §4.1.3",
};

/** Sends all that may be sent now, and an acknowledgment if one is due that found no company. Ends every event. */
export function sendPending(tcb: TransmissionControlBlock): void {
  if (tcb.state === "CLOSED") {
    tcb.statistics.limitedBy("idle", tcb);
    return;
  }
  tcb.congestionLimited = false;
  if (tcb.pathIsNarrow) widenToPath(tcb);
  // With holes to report the acknowledgment goes alone: a segment full of text has no room for SACK blocks.
  if (tcb.ackNow && tcb.sackPermitted && (tcb.duplicateSack !== undefined || (tcb.reassembler?.length ?? 0) > 0)) sendAcknowledgment(tcb);
  // RFC 5682 §2.1 step 2b: where it is in doubt that anything was lost, what is new goes first.
  if (tcb.recovery.newDataFirst) sendNewOrGiveUp(tcb);
  else sendLost(tcb);
  // RFC 7413 §4.2.2: a fast open does not wait for the end of the handshake.
  const maySend = (tcb.state !== "SYN-SENT" && tcb.state !== "SYN-RECEIVED") || tcb.fastOpenQueue !== undefined;
  if (maySend) sendNew(tcb);
  tcb.pushOnce = false;
  // What turned out to be too large for the path meanwhile.
  sendLost(tcb);
  // The window or the user holds the sender back now.
  if (tcb.pacer !== undefined && !tcb.isArmed("pacing")) tcb.pacer.busy = false;
  if (tcb.deliveryRate !== undefined) noteApplicationLimit(tcb);
  if (tcb.flightSize > 0 && maySend) tcb.validation.sent(tcb, tcb.congestionLimited || !fitsWindow(tcb, tcb.segmentSize));
  if (tcb.ackNow) sendAcknowledgment(tcb);
  else if (tcb.unacknowledgedReceived > 0) tcb.acknowledging.delay(tcb);
  armSendTimers(tcb);
  tcb.statistics.limitedBy(sendLimit(tcb), tcb);
}

function sendNewOrGiveUp(tcb: TransmissionControlBlock): void {
  const { nxt } = tcb.snd;
  sendNew(tcb);
  if (tcb.snd.nxt !== nxt) return;
  tcb.recovery.newDataRefused();
  sendLost(tcb);
}

/** As Linux counts: what the timer itself sends again is a timeout, what follows is slow start, all else is fast. */
function countRepair(tcb: TransmissionControlBlock, isTimeout: boolean): void {
  const { counters } = tcb.context;
  if (tcb.recovery.state === "recovery") counters.TCPFastRetrans += 1;
  else if (tcb.recovery.state === "loss" && !isTimeout) counters.TCPSlowStartRetrans += 1;
}

/** What is believed lost goes first. */
function sendLost(tcb: TransmissionControlBlock): void {
  const { scoreboard, snd } = tcb;
  if (tcb.recovery.newDataFirst) return;
  const first = scoreboard.first();
  for (let lost = scoreboard.firstLost(); lost !== undefined; lost = scoreboard.firstLost()) {
    if ((lost.flags & SYN) === 0 && !fitsWindow(tcb, sequenceDistance(lost.start, lost.end))) {
      tcb.congestionLimited = true;
      return;
    }
    // SHLD-16: what a shrunken window no longer covers waits for it to open, or for the probe.
    if ((lost.flags & SYN) === 0 && isAtOrAfter(lost.start, sequenceAdd(snd.una, snd.wnd))) return;
    // RFC 6298 §5.4: what the timer sends again waits for nobody, least of all for a rate that may be why it expired.
    const isTimeout = lost === first && tcb.timeouts > 0;
    if (!isTimeout && isPaced(tcb)) return;
    countRepair(tcb, isTimeout);
    const endsBurst = tcb.options.burstSegments > 0 && endsLostBurst(tcb, lost);
    retransmit(tcb, lost, tcb.lossReason, tcb.segmentSize, endsBurst);
    // The timeout watches over the oldest segment, which has just begun its way again (RFC 6298 §5.1, RFC 6582 §4).
    if (lost === first) armRetransmission(tcb, "from now");
  }
}

function sendNew(tcb: TransmissionControlBlock): void {
  const { snd } = tcb;
  if (tcb.scoreboard.isEmpty && snd.nxt !== tcb.sendEnd) restartAfterIdle(tcb);
  while (isBefore(snd.nxt, tcb.sendEnd)) {
    const length = tcb.options.burstSegments > 0 ? nextBurst(tcb, false) : nextSegment(tcb);
    if (length < 0 || isPaced(tcb)) return;
    sendFresh(tcb, length);
    if (tcb.scoreboard.pendingCount > 0 && !tcb.recovery.newDataFirst) return;
  }
}

/** MUST-38, SHLD-7: how much text goes out now by the conditions of §3.8.6.2.1, 0 for a FIN alone; -1: nothing. */
function nextSegment(tcb: TransmissionControlBlock): number {
  // MUST-34: the usable window is negative when the peer has shrunk its window.
  const { segmentSize, usableWindow: usable } = tcb;
  const { head, tail } = tcb.writeQueue;
  const queued = head === undefined ? 0 : sequenceDistance(head.start, head.end);
  const length = Math.min(queued, usable, segmentSize);
  if (length < 0) return -1;
  const isLast = length === queued;
  const withFin = tcb.finQueued && head === tail && isLast && length + 1 <= usable;
  if (!withFin) {
    if (length === 0) return -1;
    const isUseful = length === segmentSize || (isLast && head !== tail) || (!isHeldBack(tcb) && (isLast || isLargePart(tcb, length)));
    if (!isUseful) return -1;
  }
  if (fitsWindow(tcb, length)) return length;
  tcb.congestionLimited = true;
  return -1;
}

/** §3.8.6.2.1, condition (3) */
function isLargePart({ snd }: TransmissionControlBlock, length: number): boolean {
  return length >= USEFUL_WINDOW_FRACTION * snd.maxWnd;
}

/** Sends the next `length` octets, which were never sent before, and the FIN where it follows and fits; in full segments. */
export function sendFresh(tcb: TransmissionControlBlock, length: number, withFin: boolean = finFits(tcb, length)): void {
  const { head } = tcb.writeQueue;
  const pushed = head?.pushed === true && sequenceDistance(head.start, head.end) <= length;
  const isBurst = tcb.options.burstSegments > 0 && length > tcb.segmentSize;
  let left = length;
  do {
    const part = Math.min(left, tcb.segmentSize);
    left -= part;
    const segment = sendSegment(tcb, part, withFin && left === 0, left === 0 && (pushed || isBurst));
    segment.pushed = pushed && left === 0;
    segment.joined = left > 0;
    // The path has turned out to be narrower: the rest is cut anew.
  } while (left > 0 && (tcb.scoreboard.pendingCount === 0 || tcb.recovery.newDataFirst));
}

/** The FIN follows the next `length` octets, and there is room for it. */
function finFits(tcb: TransmissionControlBlock, length: number): boolean {
  return tcb.finQueued && sequenceDistance(tcb.snd.nxt, tcb.sendEnd) === length + 1 && length + 1 <= tcb.usableWindow;
}

function sendSegment(tcb: TransmissionControlBlock, length: number, withFin: boolean, push: boolean): SentSegment {
  const start = tcb.snd.nxt;
  const flags = withFin ? FIN : 0;
  const segment = queueSent(tcb, length + (withFin ? 1 : 0), flags);
  if (withFin) tcb.finSent = true;
  tcb.bytesSent += length;
  if (length < tcb.segmentSize) tcb.snd.smallEnd = tcb.snd.nxt;
  // RFC 3168 §6.1.6: a probe of a closed window must not look like other text.
  const isFresh = tcb.snd.wnd > 0;
  transmit(tcb, start, length, ACK | flags | (push ? PSH : 0), isFresh);
  return segment;
}

/** Sends our SYN: <SEQ=ISS><CTL=SYN>, or with an ACK in SYN-RECEIVED. RFC 7413 §4.1.3: maybe with text. */
export function sendSyn(tcb: TransmissionControlBlock): void {
  const text = tcb.fastOpen?.length ?? 0;
  queueSent(tcb, 1, SYN);
  // Apart from the SYN, because what is not acknowledged with it goes out again without it.
  if (text > 0) queueSent(tcb, text, 0).pushed = true;
  tcb.bytesSent += text;
  transmit(tcb, tcb.iss, text, tcb.state === "SYN-SENT" ? SYN : SYN | ACK);
  armSendTimers(tcb);
}

/** A SYN,ACK that nothing here will remember (RFC 4987 §3.6). */
export function sendCookie(tcb: TransmissionControlBlock): void {
  tcb.snd.nxt = sequenceAdd(tcb.iss, 1);
  transmit(tcb, tcb.iss, 0, SYN | ACK);
}

/** A segment of new data for a tail loss probe, whatever the congestion window says (RFC 8985 §7.3); false when there is none to send. */
export function sendProbe(tcb: TransmissionControlBlock): boolean {
  const { head } = tcb.writeQueue;
  if (head === undefined) return false;
  const next = Math.min(sequenceDistance(head.start, head.end), tcb.usableWindow, tcb.segmentSize);
  const length = tcb.options.burstSegments > 0 ? nextBurst(tcb, true) : next;
  if (length <= 0) return false;
  sendFresh(tcb, length);
  return true;
}

function queueSent(tcb: TransmissionControlBlock, length: number, flags: number): SentSegment {
  const now = tcb.clock.now();
  const start = tcb.snd.nxt;
  const end = sequenceAdd(start, length);
  const inFlight = tcb.deliveryRate === undefined ? 0 : tcb.inFlight;
  const segment = tcb.scoreboard.push(start, end, flags, now);
  tcb.deliveryRate?.sent(segment, inFlight, tcb.scoreboard.lostTotal, now);
  tcb.recovery.sent(tcb, length, false);
  notePaced(tcb, length);
  tcb.sentFresh = true;
  tcb.snd.nxt = end;
  tcb.writeQueue.sent(end);
  return segment;
}

/** Sends a queued segment again. */
export function retransmit(
  tcb: TransmissionControlBlock,
  segment: SentSegment,
  reason: TcpRetransmissionEvent["reason"],
  longest: number = tcb.segmentSize,
  endsBurst = false,
): void {
  if (sequenceDistance(segment.start, segment.end) > longest + (segment.flags === 0 ? 0 : 1)) {
    tcb.scoreboard.split(segment, sequenceAdd(segment.start, longest), SYN);
  }
  const now = tcb.clock.now();
  tcb.deliveryRate?.sent(segment, tcb.inFlight, tcb.scoreboard.lostTotal, now);
  tcb.scoreboard.retransmitted(segment, now);
  noteRetransmission(tcb);
  tcb.recovery.sent(tcb, sequenceDistance(segment.start, segment.end), true);
  notePaced(tcb, sequenceDistance(segment.start, segment.end));
  tcb.segmentsRetransmitted += 1;
  tcb.context.counters.RetransSegs += 1;
  const length = sequenceDistance(segment.start, segment.end) - (segment.flags === 0 ? 0 : 1);
  tcb.statistics.textRepeated += length;
  const { observer } = tcb.context.host;
  if (observer !== undefined) {
    const event: TcpRetransmissionEvent = {
      layer: "tcp",
      kind: "retransmission",
      local: tcb.local,
      remote: tcb.remote,
      sequenceNumber: segment.start,
      length,
      reason,
      clause: LOSS_CLAUSE[reason],
    };
    observer.observe(event);
  }
  const acknowledges = tcb.state === "SYN-SENT" ? 0 : ACK;
  transmit(tcb, segment.start, length, acknowledges | segment.flags | (endsBurst || pushesAgain(tcb, segment) ? PSH : 0));
}

/** As it was sent, where bursts are; else MUST-61: PSH means that there is nothing behind it. */
function pushesAgain(tcb: TransmissionControlBlock, { pushed, end }: SentSegment): boolean {
  return pushed && (tcb.options.burstSegments > 0 || tcb.finQueued || end === tcb.sendEnd);
}
