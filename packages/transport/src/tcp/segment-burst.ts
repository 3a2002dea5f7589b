// Text that leaves in bursts, as Linux hands it to a device that cuts it up (TSO): where a burst ends, and when it is worth waiting for a
// larger one (tcp_write_xmit(), tcp_tso_autosize(), tcp_tso_should_defer()). The last segment of a burst carries PSH.
import { type Milliseconds, sequenceDistance } from "@netstrata/core";
import { isHeldBack } from "./nagle.ts";
import type { SentSegment } from "./sent-segment.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** Octets that a device takes as one segment to be cut up, less the headers' (gso_max_size). */
const LARGEST_BURST = 65_215;
/** A burst takes about a millisecond at the pacing rate: 1/1024 of what goes in a second (sk_pacing_shift). */
const RATE_SHIFT = 1024;
/** The shorter the round trip, the longer a burst may be: LARGEST_BURST halves with each of these, in ms (tcp_tso_rtt_log). */
const ROUND_TRIP_STEP = 0.512;
const SLOW_START_GAIN = 2;
const AVOIDANCE_GAIN = 1.2;
/** Waiting for a larger burst is for those who have just sent one, and expect an acknowledgment now. */
const LONGEST_WAIT: Milliseconds = 1;
/** tcp_bound_to_half_wnd(): windows up to this are used whole. */
const SMALL_WINDOW = 536;
/** A stretch is never shorter than what every network carries: 68 octets less the header (RFC 791 §3.2). */
const SHORTEST_STRETCH = 48;

/** `size`, or half of the largest window where that is less, so that a window takes more than one. */
export function boundToHalfWindow(tcb: TransmissionControlBlock, size: number): number {
  const { maxWnd } = tcb.snd;
  const half = maxWnd > SMALL_WINDOW ? maxWnd >>> 1 : maxWnd;
  return half > 0 && size > half ? Math.max(half, SHORTEST_STRETCH) : size;
}

/** How much unsent text is kept together (tcp_xmit_size_goal()). */
export function longestStretch(tcb: TransmissionControlBlock): number {
  const { segmentSize } = tcb;
  return Math.max(1, Math.floor(boundToHalfWindow(tcb, LARGEST_BURST) / segmentSize)) * segmentSize;
}

/**
 * How much text goes out now as one burst, 0 for a FIN alone; -1: nothing.
 * @param probe asks for one segment at least, whatever the congestion window and the Nagle algorithm say (RFC 8985 §7.3)
 */
export function nextBurst(tcb: TransmissionControlBlock, probe: boolean): number {
  const { segmentSize, writeQueue, usableWindow: usable } = tcb;
  const quota = congestionQuota(tcb, probe);
  if (quota === 0) {
    tcb.congestionLimited = true;
    return -1;
  }
  const longest = burstLength(tcb);
  const allowed = Math.min(quota, longest);
  const { head } = writeQueue;
  // A FIN alone needs a place in the window as well.
  if (head === undefined) return usable >= 1 ? 0 : -1;
  writeQueue.fill(allowed * segmentSize - sequenceDistance(head.start, head.end));
  const length = sequenceDistance(head.start, head.end);
  const isTail = head.next === undefined;
  const hasFin = isTail && tcb.finQueued;
  if (usable < Math.min(segmentSize, length + (hasFin ? 1 : 0))) return -1;
  const mayWait = isTail && !probe && !hasFin;
  if (length <= segmentSize) return mayWait && length < segmentSize && isHeldBack(tcb) ? -1 : length;
  if (!probe && shouldDefer(tcb, length, longest)) return -1;
  // What is urgent goes out one by one.
  if (tcb.snd.up !== undefined) return segmentSize;
  const most = allowed * segmentSize;
  const sendable = Math.min(length, usable);
  if (most <= sendable) return most;
  const rest = sendable % segmentSize;
  return rest > 0 && isTail && !probe && isHeldBack(tcb) ? sendable - rest : sendable;
}

/** In segments: at most half a window, so that two bursts are on their way (tcp_cwnd_test()). */
function congestionQuota(tcb: TransmissionControlBlock, probe: boolean): number {
  const window = Math.floor(tcb.recovery.window(tcb) / tcb.segmentSize);
  const room = window - Math.ceil(Math.max(0, tcb.inFlight) / tcb.segmentSize);
  if (room <= 0) return probe || tcb.inFlight <= 0 ? 1 : 0;
  return Math.min(Math.max(1, window >>> 1), room);
}

/** In segments: what the pacing rate lets out in a millisecond. */
function burstLength({ congestion, retransmissionTimeout, statistics, segmentSize, options }: TransmissionControlBlock): number {
  const { smoothed } = retransmissionTimeout;
  if (smoothed === undefined || smoothed === 0) return Math.max(options.burstSegments, Math.floor(LARGEST_BURST / segmentSize));
  const gain = congestion.window < congestion.threshold / 2 ? SLOW_START_GAIN : AVOIDANCE_GAIN;
  const rate = (gain * 1000 * congestion.window) / smoothed;
  const nearness = LARGEST_BURST / 2 ** Math.floor((statistics.minimumRoundTrip ?? smoothed) / ROUND_TRIP_STEP);
  const octets = Math.min(LARGEST_BURST, rate / RATE_SHIFT + nearness);
  return Math.max(options.burstSegments, Math.floor(octets / segmentSize));
}

/** Part of a burst could go now, and the whole of it soon, when the acknowledgment comes that is expected now. */
function shouldDefer(tcb: TransmissionControlBlock, length: number, longest: number): boolean {
  const { snd, segmentSize, scoreboard } = tcb;
  if (tcb.recovery.state === "recovery" || tcb.recovery.state === "loss") return false;
  const now = tcb.clock.now();
  if (now - tcb.lastSentAt > LONGEST_WAIT) return false;
  const window = tcb.recovery.window(tcb);
  const room = Math.max(0, window - tcb.inFlight);
  const usable = tcb.usableWindow;
  const limit = Math.min(room, usable);
  if (limit >= longest * segmentSize) return false;
  const isTail = tcb.writeQueue.tail === tcb.writeQueue.head;
  if (!isTail && limit >= length) return false;
  const { burstDivisor } = tcb.options;
  if (limit >= Math.min(snd.wnd, window) / burstDivisor) return false;
  const oldest = scoreboard.first();
  if (oldest === undefined) return false;
  const smoothed = tcb.retransmissionTimeout.smoothed ?? 0;
  if (oldest.sentAt + smoothed - now > Math.min(smoothed / 2, LONGEST_WAIT)) return false;
  if (room < usable && room <= length) {
    tcb.congestionLimited = true;
    return true;
  }
  if (room >= usable && usable <= length) return true;
  // It will not become any longer.
  return !(isTail && tcb.finQueued) && tcb.writeQueue.head?.sealed !== true;
}

/**
 * What left in one burst and was lost together goes out in one again, as far as the window allows. To be asked of each segment before it
 * is sent again: it is the last of several.
 */
export function endsLostBurst(tcb: TransmissionControlBlock, segment: SentSegment): boolean {
  const next = segment.joined ? tcb.scoreboard.at(segment.end) : undefined;
  const room = tcb.recovery.window(tcb) - tcb.inFlight;
  const goesOn = next?.lost === true && !next.resent && room >= 2 * tcb.segmentSize && tcb.repeatedInBurst + 1 < burstLength(tcb);
  const isLast = !goesOn && tcb.repeatedInBurst > 0;
  segment.joined = goesOn;
  tcb.repeatedInBurst = goesOn ? tcb.repeatedInBurst + 1 : 0;
  return isLast;
}
