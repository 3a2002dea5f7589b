// The sending half: what goes out at the end of an event, and how a segment is made (RFC 9293 §3.8.6.2.1, §3.7.4, RFC 5681).
import {
  isAfter,
  isAtOrAfter,
  isAtOrBefore,
  isBefore,
  type Milliseconds,
  PacketBuffer,
  type SequenceNumber,
  sequenceAdd,
  sequenceDistance,
} from "@netstrata/core";
import { SYN_TIMEOUT } from "./connection-options.ts";
import { sackBlocks, selectWindow } from "./receiver.ts";
import type { SentSegment } from "./scoreboard.ts";
import type { TcpRetransmissionEvent } from "./tcp-events.ts";
import { ACK, FIN, PSH, prependTcp, RST, SYN, TCP_HEADER_LENGTH, URG } from "./tcp-header.ts";
import { type TcpOptions, tcpOptionsLength, writeTcpOptions } from "./tcp-options.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** RFC 9293 §3.8.6.2.1: Fs, the part of the largest window that makes a segment worth sending. */
const USEFUL_WINDOW_FRACTION = 1 / 2;
/** §3.8.6.2.1: the override timeout, 0.1 to 1.0 seconds, after which what the window lets through is sent all the same. */
export const OVERRIDE_TIMEOUT = 200;

const NO_OPTIONS: TcpOptions = {};

/** Where it is written that a loss found in this way is repaired. */
const LOSS_CLAUSE: Readonly<Record<TcpRetransmissionEvent["reason"], string>> = {
  timeout: "RFC 6298 §5.4",
  "fast-retransmit": "RFC 5681 §3.2",
  "partial-acknowledgment": "RFC 6582 §3.2",
  "window-probe": "RFC 9293 §3.8.6.1",
  "path-mtu": "RFC 1191 §6.4",
  "peer-retransmission": "RFC 9293 §3.8.1",
  rack: "RFC 8985 §6.2",
  "loss-probe": "RFC 8985 §7.3",
};

/** Sends all that may be sent now, and an acknowledgment if one is due that found no company. Ends every event. */
export function sendPending(tcb: TransmissionControlBlock): void {
  if (tcb.state === "CLOSED") return;
  tcb.congestionLimited = false;
  // With holes to report the acknowledgment goes alone: a segment full of text has no room for SACK blocks.
  if (tcb.ackNow && tcb.sackPermitted && (tcb.duplicateSack !== undefined || (tcb.reassembler?.length ?? 0) > 0)) sendAcknowledgment(tcb);
  sendLost(tcb);
  if (tcb.state !== "SYN-SENT" && tcb.state !== "SYN-RECEIVED") sendNew(tcb);
  // What turned out to be too large for the path meanwhile.
  sendLost(tcb);
  if (tcb.ackNow) sendAcknowledgment(tcb);
  else if (tcb.unacknowledgedReceived > 0 && !tcb.isArmed("delayedAck")) tcb.timer("delayedAck").arm(tcb.options.delayedAck);
  armSendTimers(tcb);
}

/** What is believed lost goes first. */
function sendLost(tcb: TransmissionControlBlock): void {
  const { scoreboard, snd } = tcb;
  for (let lost = scoreboard.firstLost(); lost !== undefined; lost = scoreboard.firstLost()) {
    const length = sequenceDistance(lost.start, lost.end);
    if (tcb.inFlight > 0 && tcb.inFlight + length > tcb.recovery.window(tcb)) {
      tcb.congestionLimited = true;
      return;
    }
    // SHLD-16: what a shrunken window no longer covers waits for it to open, or for the probe.
    if ((lost.flags & SYN) === 0 && isAtOrAfter(lost.start, sequenceAdd(snd.una, snd.wnd))) return;
    retransmit(tcb, lost, tcb.lossReason);
  }
}

function sendNew(tcb: TransmissionControlBlock): void {
  const { snd } = tcb;
  const now = tcb.clock.now();
  // RFC 5681 §4.1: after a pause the window is no longer known to fit.
  if (tcb.scoreboard.isEmpty && now - tcb.lastSentAt > tcb.retransmissionTimeout.value && snd.nxt !== tcb.sendEnd) tcb.congestion.idled();
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
    if (tcb.inFlight > 0 && tcb.inFlight + length > tcb.recovery.window(tcb)) {
      tcb.congestionLimited = true;
      return;
    }
    sendFresh(tcb, length, withFin);
    if (tcb.scoreboard.lostLength > 0) return;
  }
}

/** MUST-38, SHLD-7: the conditions of §3.8.6.2.1; everything given to SEND counts as pushed. */
function isWorthSending(tcb: TransmissionControlBlock, length: number, last: boolean, withFin: boolean): boolean {
  if (withFin) return true;
  if (length === 0) return false;
  if (length === tcb.segmentSize) return true;
  const nagleAllows = tcb.options.noDelay || tcb.snd.nxt === tcb.snd.una;
  return nagleAllows && (last || length >= USEFUL_WINDOW_FRACTION * tcb.snd.maxWnd);
}

/** Sends `length` octets that were never sent before, and remembers them. */
export function sendFresh(tcb: TransmissionControlBlock, length: number, withFin: boolean): void {
  const start = tcb.snd.nxt;
  const flags = withFin ? FIN : 0;
  queueSent(tcb, length + (withFin ? 1 : 0), flags);
  if (withFin) tcb.finSent = true;
  tcb.bytesSent += length;
  transmit(tcb, start, length, ACK | flags);
}

/** Sends our SYN: <SEQ=ISS><CTL=SYN>, or with an ACK in SYN-RECEIVED. */
export function sendSyn(tcb: TransmissionControlBlock): void {
  queueSent(tcb, 1, SYN);
  transmit(tcb, tcb.iss, 0, tcb.state === "SYN-SENT" ? SYN : SYN | ACK);
  armSendTimers(tcb);
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

/** Simultaneous open: <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>; the SYN is queued already. */
export function sendSynAcknowledgment(tcb: TransmissionControlBlock): void {
  transmit(tcb, tcb.iss, 0, SYN | ACK);
}

function queueSent(tcb: TransmissionControlBlock, length: number, flags: number): void {
  const now = tcb.clock.now();
  const start = tcb.snd.nxt;
  const end = sequenceAdd(start, length);
  tcb.scoreboard.push({ start, end, flags, firstSentAt: now, sentAt: now, transmissions: 1, lost: false, sacked: false });
  tcb.recovery.sent(length);
  tcb.snd.nxt = end;
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
  tcb.scoreboard.retransmitted(segment, tcb.clock.now());
  tcb.recovery.sent(sequenceDistance(segment.start, segment.end));
  tcb.segmentsRetransmitted += 1;
  tcb.context.counters.RetransSegs += 1;
  const length = sequenceDistance(segment.start, segment.end) - (segment.flags === 0 ? 0 : 1);
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

/** <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
export function sendAcknowledgment(tcb: TransmissionControlBlock): void {
  transmit(tcb, acceptableNumber(tcb), 0, ACK);
}

/**
 * SND.NXT, or the last number within a window that was shrunk or is being probed: beyond it the peer would not look at the rest
 * of the segment, and two ends that probe each other's closed windows would never see them open (RFC 9293 §A.2).
 */
function acceptableNumber(tcb: TransmissionControlBlock): SequenceNumber {
  const { snd } = tcb;
  const edge = sequenceAdd(snd.una, snd.wnd);
  // Before the handshake nothing was offered.
  if (!isAfter(snd.nxt, edge) || tcb.state === "SYN-SENT" || tcb.state === "SYN-RECEIVED") return snd.nxt;
  return snd.wnd === 0 ? edge : sequenceAdd(edge, -1);
}

/** A probe that the peer must answer because it lies before its window: keep-alive (RFC 9293 §3.8.4, SHLD-12: no data). */
export function sendKeepAlive(tcb: TransmissionControlBlock): void {
  transmit(tcb, sequenceAdd(tcb.snd.nxt, -1), 0, ACK);
}

/** <SEQ=SND.NXT><CTL=RST> (§3.10.5) */
export function sendReset(tcb: TransmissionControlBlock): void {
  tcb.context.counters.OutRsts += 1;
  transmit(tcb, acceptableNumber(tcb), 0, RST);
}

/** Makes a segment of the octets from `seq` on and hands it to IP. */
function transmit(tcb: TransmissionControlBlock, seq: SequenceNumber, length: number, flags: number): void {
  const { context, snd, rcv } = tcb;
  const isSyn = (flags & SYN) !== 0;
  let options = isSyn ? synOptions(tcb) : NO_OPTIONS;
  if (flags === ACK && length === 0 && tcb.sackPermitted) {
    const blocks = sackBlocks(tcb);
    if (blocks.length > 0) options = { sackBlocks: blocks };
  }
  const optionsLength = options === NO_OPTIONS ? 0 : tcpOptionsLength(options);
  const packet = PacketBuffer.allocate(context.ip.headroom + TCP_HEADER_LENGTH, optionsLength + length);
  if (optionsLength > 0) writeTcpOptions(packet, options);
  if (length > 0) {
    const offset = sequenceDistance(tcb.bufferStart, seq);
    tcb.sendBuffer.copy(offset, length, packet.bytes, packet.start + optionsLength);
    // MUST-61: PSH on the segment that empties the queue.
    if (offset + length === tcb.sendBuffer.length) flags |= PSH;
  }
  let urgentPointer = 0;
  if (snd.up !== undefined && isBefore(seq, snd.up) && !isSyn && (flags & RST) === 0) {
    // MUST-62: the octet after the last urgent one. Further away than the field can say, it says the farthest.
    urgentPointer = Math.min(65535, sequenceDistance(seq, snd.up));
    flags |= URG;
  }
  const acknowledges = (flags & ACK) !== 0;
  prependTcp(
    packet,
    {
      sourcePort: tcb.local.port,
      destinationPort: tcb.remote.port,
      seq,
      ack: acknowledges ? rcv.nxt : 0,
      flags,
      window: (flags & RST) !== 0 ? 0 : selectWindow(tcb, isSyn),
      urgentPointer,
    },
    optionsLength,
    tcb.local.address,
    tcb.remote.address,
  );
  if (acknowledges) {
    tcb.ackNow = false;
    tcb.unacknowledgedReceived = 0;
    tcb.disarm("delayedAck");
  }
  tcb.segmentsOut += 1;
  context.counters.OutSegs += 1;
  if (length > 0) tcb.lastSentAt = tcb.clock.now();
  const result = context.ip.send(packet, tcb.ipOptions);
  if (result === "network-unreachable") tcb.softError = "ENETUNREACH";
  // Another connection has learnt that the path is narrower.
  else if (result === "message-too-long") adaptToPath(tcb);
}

/** SHLD-5, RFC 7323 §2.2: a SYN,ACK offers window scaling only when the SYN did. */
function synOptions(tcb: TransmissionControlBlock): TcpOptions {
  const scales = tcb.state === "SYN-SENT" || tcb.peerScales;
  return {
    maximumSegmentSize: announcedSegmentSize(tcb),
    // RFC 2018 §2: a SYN,ACK allows it only in answer to a SYN that does.
    sackPermitted: tcb.state === "SYN-SENT" ? tcb.options.sack : tcb.sackPermitted,
    windowScale: scales ? windowShift(tcb.options.receiveBuffer) : undefined,
  };
}

/** MUST-14, MUST-67: the most text we take in a segment: what arrives unfragmented and what can be reassembled, less the header. */
function announcedSegmentSize(tcb: TransmissionControlBlock): number {
  const { ip } = tcb.context;
  const largest = Math.min(ip.maxReceiveSize(tcb.remote.address), ip.maxSendSize(tcb.remote.address)) - TCP_HEADER_LENGTH;
  return Math.min(65535, largest, tcb.options.maximumSegmentSize ?? largest);
}

/** The least shift with which the whole buffer can be offered, at most 14 (RFC 7323 §2.3). */
export function windowShift(buffer: number): number {
  let shift = 0;
  while (shift < 14 && buffer > 65535 << shift) shift += 1;
  return shift;
}

/** MUST-16: Eff.snd.MSS, the least of what the peer takes, the path takes and the user wants. */
export function updateSegmentSize(tcb: TransmissionControlBlock): void {
  const path = tcb.context.ip.maxSendSize(tcb.remote.address) - TCP_HEADER_LENGTH;
  tcb.segmentSize = Math.max(1, Math.min(tcb.snd.mss, path, tcb.options.maximumSegmentSize ?? path));
}

/** The path takes less than it did: what was too large is gone, which is not a sign of congestion (RFC 1191 §6.4). */
export function adaptToPath(tcb: TransmissionControlBlock): void {
  const before = tcb.segmentSize;
  updateSegmentSize(tcb);
  if (tcb.segmentSize >= before) return;
  tcb.congestion.segmentSizeChanged(tcb.segmentSize);
  tcb.scoreboard.markAllLost();
  tcb.lossReason = "path-mtu";
}

/** Exactly one of two timers runs while there is something to send: retransmission when something is out, persist when nothing may be. */
function armSendTimers(tcb: TransmissionControlBlock): void {
  if (!tcb.scoreboard.isEmpty) {
    tcb.disarm("persist");
    if (!tcb.isArmed("retransmission")) armRetransmission(tcb);
    return;
  }
  tcb.disarm("retransmission");
  const waiting = isBefore(tcb.snd.nxt, tcb.sendEnd) && tcb.state !== "SYN-SENT" && tcb.state !== "SYN-RECEIVED";
  if (!waiting) tcb.disarm("persist");
  else if (!tcb.isArmed("persist")) {
    // SHLD-29: the first probe one retransmission timeout after the window closed.
    const closed = isAtOrBefore(sequenceAdd(tcb.snd.una, tcb.snd.wnd), tcb.snd.nxt);
    tcb.timer("persist").arm(closed ? tcb.retransmissionTimeout.value : OVERRIDE_TIMEOUT);
  }
}

/** RFC 6298 §5.1, §5.3; the probe of RFC 8985 §7.2 and the user timeout may come before it. */
export function armRetransmission(tcb: TransmissionControlBlock): void {
  const first = tcb.scoreboard.first();
  if (first === undefined) return;
  const timeout = tcb.retransmissionTimeout.value;
  const probe = tcb.recovery.probeTimeout(tcb);
  tcb.probeDue = probe !== undefined && probe < timeout;
  // At least a millisecond: a remainder below the clock's precision would expire at once, for ever.
  tcb.timer("retransmission").arm(Math.max(1, Math.min(patienceLeft(tcb, first), tcb.probeDue ? (probe as number) : timeout)));
}

/** R2 (RFC 9293 §3.8.3): how much longer `first`, the oldest segment, may stay unacknowledged before the connection is given up. */
export function patienceLeft(tcb: TransmissionControlBlock, first: SentSegment): Milliseconds {
  const { userTimeout } = tcb.options;
  const isSyn = (first.flags & SYN) !== 0;
  // MUST-37: a peer that answers the probes of its closed window is alive, however long it keeps it closed; and what waited
  // behind the window has waited only since it opened.
  const alive = tcb.snd.wnd === 0 && !isSyn ? tcb.lastReceivedAt : tcb.windowOpenedAt;
  return (isSyn ? Math.min(SYN_TIMEOUT, userTimeout) : userTimeout) - (tcb.clock.now() - Math.max(first.firstSentAt, alive));
}
