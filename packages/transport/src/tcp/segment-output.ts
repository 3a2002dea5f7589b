// Making segments: text, options, header, checksum, and away to IP (RFC 9293 §3.1, §3.10.7).
import { isAfter, isBefore, PacketBuffer, type SequenceNumber, sequenceAdd, sequenceDistance } from "@netstrata/core";
import { NOT_ECT } from "./ecn/ecn-field.ts";
import { tcpOptionsLength, writeAlignedTimestamps, writeTcpOptions } from "./option-layout.ts";
import { sackBlocks, selectWindow, windowShift } from "./receiver.ts";
import { adaptToPath, announcedSegmentSize } from "./segment-size.ts";
import { ACK, prependTcp, RST, SYN, TCP_HEADER_LENGTH, URG } from "./tcp-header.ts";
import { ALIGNED_TIMESTAMPS_LENGTH, MAX_OPTIONS_LENGTH, type SackBlock, type TcpOptions } from "./tcp-options.ts";
import { nextTimestamps, timestampClock } from "./timestamps.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";
import { userTimeoutToSend } from "./user-timeout-option.ts";

const USER_TIMEOUT_LENGTH = 4;
const NO_BLOCKS: readonly SackBlock[] = [];

/** Makes a segment of the octets from `seq` on and hands it to IP. `isFresh`: they were never sent before, and it is no probe of a closed window. */
export function transmit(tcb: TransmissionControlBlock, seq: SequenceNumber, length: number, flags: number, isFresh = false): void {
  const { context, snd, rcv, ecn } = tcb;
  const isSyn = (flags & SYN) !== 0;
  const acknowledges = (flags & ACK) !== 0;
  const { optionLayout } = tcb.options;
  const options = isSyn ? synOptions(tcb, acknowledges) : segmentOptions(tcb, length, flags);
  const bareTimestamps = options === undefined && tcb.timestamps.enabled;
  const optionsLength = options !== undefined ? tcpOptionsLength(options, optionLayout) : bareTimestamps ? ALIGNED_TIMESTAMPS_LENGTH : 0;
  const packet = PacketBuffer.allocate(context.ip.headroom + TCP_HEADER_LENGTH, optionsLength + length);
  if (bareTimestamps) writeAlignedTimestamps(packet, timestampClock(tcb), acknowledges ? tcb.timestamps.recent : 0);
  else if (options !== undefined) writeTcpOptions(packet, options, optionLayout);
  if (length > 0) {
    const offset = isSyn ? 0 : sequenceDistance(tcb.bufferStart, seq);
    tcb.sendBuffer.copy(offset, length, packet.bytes, packet.start + optionsLength);
  }
  let urgentPointer = 0;
  if (snd.up !== undefined && isBefore(seq, snd.up) && !isSyn && (flags & RST) === 0) {
    // MUST-62: the octet after the last urgent one. Further away than the field can say, it says the farthest.
    urgentPointer = Math.min(65535, sequenceDistance(seq, snd.up));
    flags |= URG;
  }
  let { ipOptions } = tcb;
  if (isSyn) flags |= tcb.ecnHandshake.flags(tcb, acknowledges, synTransmissions(tcb));
  else if (ecn !== undefined && (flags & RST) === 0) {
    if (ecn.field(length, isFresh) !== NOT_ECT) ipOptions = tcb.markable(ipOptions);
    if (!hasForgottenMarks(tcb)) flags |= ecn.flags(length, isFresh);
  }
  prependTcp(
    packet,
    {
      sourcePort: tcb.local.port,
      destinationPort: tcb.remote.port,
      seq,
      ack: acknowledges ? rcv.nxt : 0,
      flags,
      window: flags === RST ? 0 : selectWindow(tcb, isSyn),
      urgentPointer,
    },
    optionsLength,
    tcb.local.address,
    tcb.remote.address,
  );
  if (acknowledges) {
    tcb.acknowledging.acknowledged(tcb, length > 0);
    tcb.timestamps.lastAckSent = rcv.nxt;
    tcb.ackNow = false;
    tcb.unacknowledgedReceived = 0;
    tcb.disarm("delayedAck");
  }
  tcb.segmentsOut += 1;
  context.counters.OutSegs += 1;
  if (length > 0) {
    tcb.lastSentAt = tcb.clock.now();
    tcb.statistics.textSegmentsOut += 1;
    tcb.statistics.textOut += length;
  }
  const result = context.ip.send(packet, ipOptions);
  if (result === "network-unreachable") tcb.softError = "ENETUNREACH";
  // Another connection has learnt that the path is narrower.
  else if (result === "message-too-long") adaptToPath(tcb);
}

/** Linux keeps of a connection that is over too little to go on counting; what ends it is told by the connection itself while somebody holds it. */
function hasForgottenMarks(tcb: TransmissionControlBlock): boolean {
  if (tcb.state !== "TIME-WAIT" || tcb.options.timeWaitFeedback) return false;
  return tcb.readClosed || tcb.unacknowledgedReceived === 0;
}

/** How often our SYN or SYN,ACK has been sent, with this time. */
function synTransmissions(tcb: TransmissionControlBlock): number {
  return tcb.scoreboard.first()?.transmissions ?? 1;
}

/** SHLD-5, RFC 7323 §2.2, §3.2: a SYN,ACK offers window scaling and timestamps only when the SYN did. */
function synOptions(tcb: TransmissionControlBlock, acknowledges: boolean): TcpOptions {
  const asks = tcb.state === "SYN-SENT";
  const scales = tcb.options.windowScaling && (asks || tcb.peerScales);
  const options = {
    maximumSegmentSize: announcedSegmentSize(tcb),
    // RFC 2018 §2: a SYN,ACK allows it only in answer to a SYN that does.
    sackPermitted: asks ? tcb.options.sack : tcb.sackPermitted,
    windowScale: scales ? windowShift(tcb.options) : undefined,
    userTimeout: userTimeoutToSend(tcb),
    timestamps: (asks ? tcb.options.timestamps : tcb.timestamps.enabled) ? nextTimestamps(tcb, acknowledges) : undefined,
    // RFC 7413 §4.1.3: a SYN that is sent again is a plain one.
    fastOpen: synTransmissions(tcb) === 1 ? tcb.fastOpen?.option : undefined,
  };
  const accurateEcn = acknowledges ? tcb.ecnHandshake.option(tcb, options, synTransmissions(tcb)) : undefined;
  return accurateEcn === undefined ? options : { ...options, accurateEcn };
}

/** What a segment without SYN carries; undefined: at most timestamps. */
function segmentOptions(tcb: TransmissionControlBlock, length: number, flags: number): TcpOptions | undefined {
  const blocks = flags === ACK && length === 0 && tcb.sackPermitted ? sackBlocks(tcb) : NO_BLOCKS;
  const countsOctets = tcb.ecn !== undefined && tcb.ecn.optionLength > 0 && (flags & RST) === 0;
  // RFC 5482 §3: in the first segment without SYN, and whenever it changes; not where full segments leave no room.
  const userTimeout =
    tcb.userTimeout.due && (flags & RST) === 0 && length + USER_TIMEOUT_LENGTH <= tcb.segmentSize ? userTimeoutToSend(tcb) : undefined;
  if (blocks.length === 0 && !countsOctets && userTimeout === undefined) return undefined;
  // RFC 7323 §3.2: in every segment, once they are in use.
  const timestamps = tcb.timestamps.enabled ? nextTimestamps(tcb, (flags & ACK) !== 0) : undefined;
  const options: TcpOptions = { timestamps, sackBlocks: blocks.length > 0 ? blocks : undefined };
  if (userTimeout !== undefined && tcpOptionsLength({ ...options, userTimeout }, tcb.options.optionLayout) <= MAX_OPTIONS_LENGTH) {
    tcb.userTimeout.due = false;
    return { ...options, userTimeout };
  }
  return (
    (countsOctets ? tcb.ecn?.addOption(tcb, options) : undefined) ?? (blocks.length > 0 || timestamps !== undefined ? options : undefined)
  );
}

/** Simultaneous open: <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>; the SYN is queued already. */
export function sendSynAcknowledgment(tcb: TransmissionControlBlock): void {
  transmit(tcb, tcb.iss, 0, SYN | ACK);
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

/** Asks whether the window is still closed by an old octet's number, which has to be answered (RFC 9293 §3.8.6.1, without giving any text away). */
export function sendWindowProbe(tcb: TransmissionControlBlock): void {
  transmit(tcb, sequenceAdd(tcb.snd.una, -1), 0, ACK);
}

/** <SEQ=SND.NXT><CTL=RST> (§3.10.5), or with an ACK, as BSD and Linux have always sent it. */
export function sendReset(tcb: TransmissionControlBlock): void {
  tcb.context.counters.OutRsts += 1;
  transmit(tcb, acceptableNumber(tcb), 0, tcb.options.resetWithAck ? RST | ACK : RST);
}
