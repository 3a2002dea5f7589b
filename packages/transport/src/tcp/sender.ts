// The sending half: what goes out at the end of an event (RFC 9293 §3.8.6.2.1, §3.7.4, RFC 5681).
import { isAfter, isAtOrAfter, sequenceAdd, sequenceDistance } from "@netstrata/core";
import { restartAfterIdle } from "./congestion/idle-restart.ts";
import { fitsWindow } from "./congestion-window.ts";
import { sendLimit } from "./connection-statistics.ts";
import { noteApplicationLimit } from "./delivery-rate.ts";
import { isPaced, notePaced } from "./pacer.ts";
import { joinBurst } from "./segment-burst.ts";
import { sendAcknowledgment, transmit } from "./segment-output.ts";
import { widenToPath } from "./segment-size.ts";
import { armRetransmission, armSendTimers } from "./send-timers.ts";
import type { SentSegment } from "./sent-segment.ts";
import type { TcpRetransmissionEvent } from "./tcp-events.ts";
import { ACK, FIN, SYN } from "./tcp-header.ts";
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
    retransmit(tcb, lost, tcb.lossReason);
    // The timeout watches over the oldest segment, which has just begun its way again (RFC 6298 §5.1, RFC 6582 §4).
    if (lost === first) armRetransmission(tcb, "from now");
  }
}

function sendNew(tcb: TransmissionControlBlock): void {
  const { snd } = tcb;
  if (tcb.scoreboard.isEmpty && snd.nxt !== tcb.sendEnd) restartAfterIdle(tcb);
  for (;;) {
    const unsent = sequenceDistance(snd.nxt, tcb.sendEnd);
    if (unsent <= 0) return;
    const fin = tcb.finQueued ? 1 : 0;
    const text = unsent - fin;
    // MUST-34: the usable window is negative when the peer has shrunk its window.
    const usable = sequenceDistance(snd.nxt, sequenceAdd(snd.una, snd.wnd));
    const length = Math.min(text, usable, tcb.segmentSize);
    if (length < 0) return;
    const last = length === text;
    const withFin = fin === 1 && last && length + 1 <= usable;
    if (!isWorthSending(tcb, length, last, withFin)) return;
    if (!fitsWindow(tcb, length)) {
      tcb.congestionLimited = true;
      return;
    }
    if (isPaced(tcb)) return;
    joinBurst(tcb, text, usable);
    sendFresh(tcb, length, withFin);
    if (tcb.scoreboard.pendingCount > 0 && !tcb.recovery.newDataFirst) return;
  }
}

/** SHLD-7, MUST-17 */
function nagleAllows(tcb: TransmissionControlBlock): boolean {
  const { snd, options } = tcb;
  if (tcb.pushOnce) return true;
  if (options.cork) return false;
  if (options.noDelay || snd.nxt === tcb.bufferStart) return true;
  return options.nagle === "minshall" && !isAfter(snd.smallEnd, snd.una);
}

/** MUST-38, SHLD-7: the conditions of §3.8.6.2.1; everything given to SEND counts as pushed. */
function isWorthSending(tcb: TransmissionControlBlock, length: number, last: boolean, withFin: boolean): boolean {
  if (withFin) return true;
  if (length === 0) return false;
  if (length === tcb.segmentSize) return true;
  return nagleAllows(tcb) && (last || length >= USEFUL_WINDOW_FRACTION * tcb.snd.maxWnd);
}

/** Sends `length` octets that were never sent before, and remembers them. */
export function sendFresh(tcb: TransmissionControlBlock, length: number, withFin: boolean): void {
  const start = tcb.snd.nxt;
  const flags = withFin ? FIN : 0;
  queueSent(tcb, length + (withFin ? 1 : 0), flags);
  if (withFin) tcb.finSent = true;
  tcb.bytesSent += length;
  if (length < tcb.segmentSize) tcb.snd.smallEnd = tcb.snd.nxt;
  // RFC 3168 §6.1.6: a probe of a closed window must not look like other text.
  const isFresh = tcb.snd.wnd > 0;
  transmit(tcb, start, length, ACK | flags, isFresh);
}

/** Sends our SYN: <SEQ=ISS><CTL=SYN>, or with an ACK in SYN-RECEIVED. RFC 7413 §4.1.3: maybe with text. */
export function sendSyn(tcb: TransmissionControlBlock): void {
  const text = tcb.fastOpen?.length ?? 0;
  queueSent(tcb, 1, SYN);
  // Apart from the SYN, because what is not acknowledged with it goes out again without it.
  if (text > 0) queueSent(tcb, text, 0);
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
  const { snd } = tcb;
  const fin = tcb.finQueued && !tcb.finSent ? 1 : 0;
  const text = sequenceDistance(snd.nxt, tcb.sendEnd) - fin;
  const length = Math.min(text, sequenceDistance(snd.nxt, sequenceAdd(snd.una, snd.wnd)), tcb.segmentSize);
  if (length <= 0) return false;
  sendFresh(tcb, length, false);
  return true;
}

function queueSent(tcb: TransmissionControlBlock, length: number, flags: number): void {
  const now = tcb.clock.now();
  const start = tcb.snd.nxt;
  const end = sequenceAdd(start, length);
  const inFlight = tcb.deliveryRate === undefined ? 0 : tcb.inFlight;
  tcb.scoreboard.push(start, end, flags, now);
  noteSent(tcb, inFlight);
  tcb.recovery.sent(tcb, length, false);
  notePaced(tcb, length);
  tcb.sentFresh = true;
  tcb.snd.nxt = end;
}

/** For whoever samples delivery rates: the last segment of the scoreboard has gone out. */
function noteSent(tcb: TransmissionControlBlock, inFlight: number): void {
  const last = tcb.deliveryRate === undefined ? undefined : tcb.scoreboard.last();
  if (last !== undefined) tcb.deliveryRate?.sent(last, inFlight, tcb.scoreboard.lostTotal, tcb.clock.now());
}

/** Sends a queued segment again. */
export function retransmit(
  tcb: TransmissionControlBlock,
  segment: SentSegment,
  reason: TcpRetransmissionEvent["reason"],
  longest: number = tcb.segmentSize,
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
  transmit(tcb, segment.start, length, acknowledges | segment.flags);
}
