// The receiving half: which text is taken, when it is acknowledged, and what window is offered (RFC 9293 §3.10.7.4, §3.8.6).
import { isAtOrAfter, isAtOrBefore, isBefore, type SequenceNumber, sequenceAdd, sequenceDistance } from "@netstrata/core";
import { mayReceive } from "./buffers/connection-memory.ts";
import { gradualSynWindow, gradualWindow } from "./buffers/gradual-window.ts";
import type { ResolvedTcpOptions } from "./connection-options.ts";
import { Reassembler } from "./reassembler.ts";
import type { Segment } from "./segment.ts";
import { FIN, PSH, SYN } from "./tcp-header.ts";
import { MAX_WINDOW_SCALE, type SackBlock } from "./tcp-options.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** RFC 9293 §3.8.6.2.2: Fr, the part of the buffer that must be free before the window opens further. */
const WINDOW_FRACTION = 1 / 2;
/** RFC 2018 §3: four blocks fit into the option space, three beside timestamps. */
const MAX_SACK_BLOCKS = 4;
const MAX_SACK_BLOCKS_WITH_TIMESTAMPS = 3;
const NO_BLOCKS: readonly SackBlock[] = [];
/** A window that has grown by so many segments is worth telling. */
const SEGMENTS_PER_WINDOW_UPDATE = 2;

/** §3.10.7.4, first check: the four cases of the acceptability test (Table 6). */
export function isAcceptable(tcb: TransmissionControlBlock, segment: Segment): boolean {
  const { nxt, wnd } = tcb.rcv;
  const length = segment.length;
  const first = sequenceDistance(nxt, segment.seq);
  if (length === 0) return wnd === 0 ? first === 0 : first >= 0 && first < wnd;
  if (wnd === 0) return false;
  // The RFC asks whether its first or its last octet lies in the window; so asked, what begins before a small window and ends
  // behind it would never be taken, nor what it acknowledges. Something of it lies there in all three cases.
  return first < wnd && first + length > 0;
}

/** Cuts what lies outside the window off an acceptable segment, so that it begins at RCV.NXT or later. */
export function trimToWindow(tcb: TransmissionControlBlock, segment: Segment): void {
  let early = sequenceDistance(segment.seq, tcb.rcv.nxt);
  if (early > 0) {
    if (segment.hasSyn) {
      segment.flags &= ~SYN;
      segment.seq = sequenceAdd(segment.seq, 1);
      early -= 1;
    }
    const text = Math.min(early, segment.payload.length);
    // Not a probe of the window, which repeats an octet on purpose.
    if (text < segment.payload.length) noteDuplicate(tcb, segment.seq, text);
    segment.payload.consume(text);
    segment.seq = sequenceAdd(segment.seq, text);
    // What is early beyond the text is a FIN that was received before.
    if (early > text) segment.flags &= ~FIN;
  }
  const late = sequenceDistance(tcb.rcv.nxt, segment.seq) + segment.length - tcb.rcv.wnd;
  if (late > 0 && tcb.rcv.wnd > 0) {
    // The FIN stands behind the last octet: it goes first.
    const fin = segment.hasFin ? 1 : 0;
    segment.flags &= ~FIN;
    segment.payload.truncate(segment.payload.length - (late - fin));
  }
}

/** Text that was received before is reported back, so that the sender learns that it sent too soon (RFC 2883 §4). */
export function noteDuplicate(tcb: TransmissionControlBlock, left: SequenceNumber, length: number): void {
  const right = sequenceAdd(left, length);
  // Only what was received; what lies beyond the window was not.
  if (length > 0 && isAtOrBefore(right, tcb.rcv.nxt) && reportsDuplicates(tcb)) tcb.duplicateSack = { left, right };
}

function reportsDuplicates(tcb: TransmissionControlBlock): boolean {
  return tcb.sackPermitted && tcb.options.dsack;
}

/** The blocks for the next acknowledgment: a duplicate first, then what is held, the newest arrival first (RFC 2018 §4). */
export function sackBlocks(tcb: TransmissionControlBlock): readonly SackBlock[] {
  const duplicate = tcb.duplicateSack;
  tcb.duplicateSack = undefined;
  if (duplicate !== undefined) {
    if (isBefore(duplicate.left, tcb.rcv.nxt)) tcb.context.counters.TCPDSACKOldSent += 1;
    else tcb.context.counters.TCPDSACKOfoSent += 1;
  }
  const room = tcb.timestamps.enabled ? MAX_SACK_BLOCKS_WITH_TIMESTAMPS : MAX_SACK_BLOCKS;
  const held = tcb.reassembler?.recentBlocks(duplicate === undefined ? room : room - 1) ?? NO_BLOCKS;
  return duplicate === undefined ? held : [duplicate, ...held];
}

/** Seventh: takes the segment's text, in order or ahead of its turn. */
export function receiveText(tcb: TransmissionControlBlock, segment: Segment): void {
  const { rcv, context } = tcb;
  if (!mayReceive(tcb, segment.payload.length)) {
    tcb.ackNow = true;
    return;
  }
  const text = segment.payload.view();
  tcb.largestReceived = Math.max(tcb.largestReceived, text.length);
  tcb.statistics.lastTextAt = tcb.lastReceivedAt;
  if (segment.seq !== rcv.nxt) {
    tcb.statistics.outOfOrder += 1;
    // MAY-13: an immediate acknowledgment tells the sender of the hole (RFC 5681 §4.2).
    tcb.ackNow = true;
    tcb.reassembler ??= new Reassembler();
    const kept = tcb.reassembler.insert(segment.seq, text);
    // RFC 2883 §4.1: also of what is held ahead of its turn.
    if (tcb.reassembler.duplicate !== undefined && reportsDuplicates(tcb)) tcb.duplicateSack = tcb.reassembler.duplicate;
    tcb.receiving.arrived(tcb, segment);
    if (kept) context.counters.TCPOFOQueue += 1;
    else {
      context.counters.TCPOFODrop += 1;
      context.drops.count("reassembly-full");
    }
    return;
  }
  acceptInOrder(tcb, text);
  tcb.unacknowledgedReceived += text.length;
  if (tcb.reassembler !== undefined && tcb.reassembler.length > 0) {
    // RFC 5681 §4.2: a segment that fills a hole is acknowledged at once.
    tcb.ackNow = true;
    tcb.reassembler.duplicate = undefined;
    for (let next = tcb.reassembler.take(rcv.nxt); next !== undefined; next = tcb.reassembler.take(rcv.nxt)) {
      acceptInOrder(tcb, next);
      context.counters.TCPOFOMerge += 1;
    }
    // What was held was brought again, from below.
    if (tcb.reassembler.duplicate !== undefined && reportsDuplicates(tcb)) tcb.duplicateSack = tcb.reassembler.duplicate;
  }
  tcb.receiving.arrived(tcb, segment);
  // SHLD-18, SHLD-19
  if (tcb.acknowledging.received(tcb, text.length, (segment.flags & PSH) !== 0)) tcb.ackNow = true;
}

function acceptInOrder(tcb: TransmissionControlBlock, text: Uint8Array): void {
  tcb.receiveBuffer.append(text);
  tcb.rcv.nxt = sequenceAdd(tcb.rcv.nxt, text.length);
  tcb.rcv.wnd = Math.max(0, tcb.rcv.wnd - text.length);
  tcb.bytesReceived += text.length;
  tcb.pending.readable = true;
}

/** True when RCV.NXT has come to the peer's FIN: everything before it is here. */
export function finIsNext(tcb: TransmissionControlBlock): boolean {
  return tcb.rcv.fin !== undefined && tcb.rcv.fin === tcb.rcv.nxt;
}

/** Sixth: remembers how far urgent data goes, and has the user told when that is news (MUST-32, MUST-62). */
export function receiveUrgent(tcb: TransmissionControlBlock, segment: Segment): void {
  const { rcv } = tcb;
  const { up } = segment;
  const read = sequenceAdd(rcv.nxt, -tcb.receiveBuffer.length);
  if (isAtOrBefore(up, read) || (rcv.up !== undefined && isAtOrAfter(rcv.up, up))) return;
  rcv.up = up;
  tcb.pending.urgent = true;
}

/** How far the window may open now: the room in the buffer, or what was offered where opening it would be silly. */
function openWindow(tcb: TransmissionControlBlock): number {
  // MUST-39: §3.8.6.2.2. SHLD-14: the right edge never moves to the left.
  const step = Math.min(WINDOW_FRACTION * tcb.receiving.limit, tcb.segmentSize);
  return tcb.receiveRoom >= tcb.rcv.wnd + step ? tcb.receiveRoom : tcb.rcv.wnd;
}

/** Sets RCV.WND for the segment that is about to go out, and returns the Window field for it. */
export function selectWindow(tcb: TransmissionControlBlock, isSyn: boolean): number {
  const { rcv } = tcb;
  // RFC 7323 §2.2: the window in a SYN is never scaled.
  const unit = isSyn ? 1 : 1 << rcv.shift;
  const isGradual = tcb.options.windowGrowth === "gradual";
  const open = !isGradual ? openWindow(tcb) : isSyn ? gradualSynWindow(tcb, tcb.state !== "SYN-SENT") : gradualWindow(tcb);
  // Rounded up, because rounding down would move the right edge to the left with every odd octet (RFC 7323 §2.4). But a peer
  // that sends octet by octet must not push the edge before it for ever: less than a unit beyond the buffer it is rounded down,
  // and the octets between are taken all the same, because they were offered before.
  const roundedUp = Math.ceil(open / unit);
  const field = Math.min(65535, roundedUp * unit < tcb.freeReceiveBuffer + unit ? roundedUp : Math.floor(open / unit));
  rcv.wnd = isSyn ? field : Math.max(open, field * unit);
  return field;
}

/** The user has read: does the peer gain enough from knowing? */
export function windowUpdateDue(tcb: TransmissionControlBlock): boolean {
  const step = Math.min(WINDOW_FRACTION * tcb.receiving.limit, SEGMENTS_PER_WINDOW_UPDATE * tcb.segmentSize);
  return tcb.receiveRoom >= tcb.rcv.wnd + step;
}

/** The shift that is chosen, or the least with which the buffer can be offered whole, however large it may grow; at most 14 (RFC 7323 §2.3). */
export function windowShift(options: ResolvedTcpOptions): number {
  if (options.windowScale !== undefined) return options.windowScale;
  let shift = 0;
  const largest = options.autoTuning ? Math.max(options.receiveBuffer, options.receiveBufferMaximum) : options.receiveBuffer;
  while (shift < MAX_WINDOW_SCALE && largest > 65535 << shift) shift += 1;
  return shift;
}
