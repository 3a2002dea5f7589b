// The window that a connection begins with, and begins with again after a pause (RFC 6928).
import { SMALLEST_SEGMENT_COUNT } from "./window-limits.ts";

/** §2: min(10 SMSS, max(2 SMSS, 14600)); so many segments where the user has said how many. In octets. */
export function initialWindow(segmentSize: number, segments: number | undefined): number {
  if (segments !== undefined) return Math.max(SMALLEST_SEGMENT_COUNT, segments) * segmentSize;
  return Math.min(10 * segmentSize, Math.max(2 * segmentSize, 14600));
}

/**
 * RFC 6928 §2 (which updates RFC 5681 §3.1): one lost SYN proves nothing, because it may have been only late; after more than one
 * retransmission the network gets one segment.
 */
export function windowAfterHandshake(segmentSize: number, segments: number | undefined, synTransmissions: number): number {
  return synTransmissions > 2 ? segmentSize : initialWindow(segmentSize, segments);
}
