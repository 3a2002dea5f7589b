// TCP timestamps (RFC 7323 §3, §4): what is sent, what is echoed, and the round trip that comes back. PAWS is in paws.ts.
import { isAfter, isBefore, type Milliseconds, type SequenceNumber } from "@netstrata/core";
import type { Segment } from "./segment.ts";
import type { Timestamps } from "./tcp-options.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** No round trip lasts longer than two segment lifetimes (RFC 9293 §3.4.2): an echo that says so is broken. */
const LONGEST_ROUND_TRIP: Milliseconds = 240_000;

/** §5.5: without news for so long TS.Recent is no longer valid. */
export const TIMESTAMP_LIFETIME: Milliseconds = 24 * 86_400_000;

/** What RFC 7323 adds to the transmission control block. */
export interface TimestampVariables {
  /** Snd.TS.OK: both SYNs had the option. */
  enabled: boolean;
  /** Added to the clock, so that it tells nobody how long the host has been up (§5.4). */
  offset: number;
  /** TS.Recent (§4.3); 0 when nothing has been recorded that PAWS could compare with. */
  recent: number;
  /** When it was recorded. */
  recentAt: Milliseconds;
  /** Last.ACK.sent */
  lastAckSent: SequenceNumber;
  /** TSval of the first retransmission since everything that was sent twice has been acknowledged (RFC 3522 §3.2: RetransmitTS). */
  retransmitted: number | undefined;
}

export function createTimestampVariables(): TimestampVariables {
  return { enabled: false, offset: 0, recent: 0, recentAt: 0, lastAckSent: 0, retransmitted: undefined };
}

/** Snd.TSclock: milliseconds, modulo 2^32 (§5.4). */
export function timestampClock(tcb: TransmissionControlBlock): number {
  return (Math.floor(tcb.clock.now()) + tcb.timestamps.offset) >>> 0;
}

/** The option for the next segment. §3.2: without an ACK there is nothing to echo. */
export function nextTimestamps(tcb: TransmissionControlBlock, acknowledges: boolean): Timestamps {
  return { value: timestampClock(tcb), echoReply: acknowledges ? tcb.timestamps.recent : 0 };
}

/** The peer's SYN: §3.2, the option is in use when both SYNs have it. */
export function applyTimestampsOfSyn(tcb: TransmissionControlBlock, received: Timestamps | undefined): void {
  const { timestamps } = tcb;
  timestamps.enabled = tcb.options.timestamps && received !== undefined;
  if (!timestamps.enabled || received === undefined) return;
  timestamps.lastAckSent = tcb.rcv.nxt;
  recordTimestamp(tcb, received.value);
}

/** §4.3 (2): the segment begins at or before the number last acknowledged. To be asked before the segment is trimmed. */
export function advancesTimestamp(tcb: TransmissionControlBlock, segment: Segment): boolean {
  return tcb.timestamps.enabled && !isAfter(segment.seq, tcb.timestamps.lastAckSent);
}

/**
 * How many ticks `value` lies before TS.Recent; 0 when it does not, or when TS.Recent says nothing: nothing has been recorded, or
 * so long ago that the peer's clock may have come around (§5.5).
 */
export function ticksBack(tcb: TransmissionControlBlock, value: number): number {
  const { recent, recentAt } = tcb.timestamps;
  const back = (recent - value) | 0;
  if (back <= 0 || recent === 0 || tcb.lastReceivedAt - recentAt > TIMESTAMP_LIFETIME) return 0;
  return back;
}

/** A segment that is accepted, or would have been had it not come before: its time is the next to be echoed (§4.3, §5.3 R3). */
export function recordTimestampOf(tcb: TransmissionControlBlock, segment: Segment): void {
  const { timestamps } = segment.options;
  if (segment.advancesTimestamp && timestamps !== undefined && ticksBack(tcb, timestamps.value) === 0)
    recordTimestamp(tcb, timestamps.value);
}

function recordTimestamp(tcb: TransmissionControlBlock, value: number): void {
  tcb.timestamps.recent = value;
  // The time of this arrival: the clock is not asked again, which on some hosts costs more than all the rest here.
  tcb.timestamps.recentAt = tcb.lastReceivedAt;
}

/**
 * The round trip that an acknowledgment shows by its echo, also of a segment that was sent twice (§4.1); undefined when it has
 * none or it cannot be true. At least the one millisecond in which the clock counts.
 */
export function echoedRoundTrip(tcb: TransmissionControlBlock, segment: Segment): Milliseconds | undefined {
  const { timestamps } = segment.options;
  // An echo of 0 may be that of a peer that echoes nothing.
  if (!tcb.timestamps.enabled || timestamps === undefined || timestamps.echoReply === 0) return undefined;
  const elapsed = (timestampClock(tcb) - timestamps.echoReply) | 0;
  return elapsed < 0 || elapsed > LONGEST_ROUND_TRIP ? undefined : Math.max(1, elapsed);
}

/** Something goes out again. */
export function noteRetransmission(tcb: TransmissionControlBlock): void {
  if (tcb.timestamps.enabled) tcb.timestamps.retransmitted ??= timestampClock(tcb);
}

/** All that was sent twice is acknowledged. */
export function forgetRetransmission(tcb: TransmissionControlBlock): void {
  tcb.timestamps.retransmitted = undefined;
}

/**
 * Eifel detection (RFC 3522 §3.2 step 4): the acknowledgment echoes a time before the first retransmission, so it answers the
 * original, and sending it again was needless. Without timestamps, or with nothing sent twice, false.
 */
export function echoesOriginal(tcb: TransmissionControlBlock, segment: Segment): boolean {
  const { retransmitted } = tcb.timestamps;
  const { timestamps } = segment.options;
  return (
    retransmitted !== undefined && timestamps !== undefined && timestamps.echoReply !== 0 && isBefore(timestamps.echoReply, retransmitted)
  );
}
