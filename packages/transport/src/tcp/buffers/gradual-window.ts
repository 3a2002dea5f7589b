// The window as Linux opens it: whole segments in the SYN, then towards the threshold that grows with what arrives
// (RFC 9293 §3.8.6.2.2 leaves the way to avoid silly windows to the receiver).
import { announcedSegmentSize } from "../segment-size.ts";
import { ALIGNED_TIMESTAMPS_LENGTH } from "../tcp-options.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";

/** Below this part of the buffer the window is closed rather than silly. */
const CLOSING_FRACTION = 1 / 16;
/** What a segment is taken to be before one has arrived. */
const SEGMENT_GUESS = 536;

/** The window of our SYN: as many whole segments as the buffer holds. */
export function gradualSynWindow(tcb: TransmissionControlBlock, answers: boolean): number {
  const { limit } = tcb.receiving;
  const timestamps = answers && tcb.timestamps.enabled ? ALIGNED_TIMESTAMPS_LENGTH : 0;
  const segmentSize = announcedSegmentSize(tcb) - timestamps;
  return limit > segmentSize ? limit - (limit % segmentSize) : limit;
}

/** How far the window may be open now; never less than it is (SHLD-14). */
export function gradualWindow(tcb: TransmissionControlBlock): number {
  const { wnd, shift } = tcb.rcv;
  const { limit } = tcb.receiving;
  const segmentSize = Math.min(tcb.largestReceived === 0 ? SEGMENT_GUESS : tcb.largestReceived, limit);
  let free = tcb.freeReceiveBuffer;
  if (2 * free < limit && (free < limit * CLOSING_FRACTION || free < segmentSize)) return wnd;
  free = tcb.receiveRoom;
  if (shift > 0) return Math.max(free, wnd);
  // Without scaling it moves by whole segments.
  if (wnd <= free - segmentSize || wnd > free) return Math.max(wnd, free - (free % segmentSize));
  return segmentSize === limit && free > wnd + limit / 2 ? free : wnd;
}
