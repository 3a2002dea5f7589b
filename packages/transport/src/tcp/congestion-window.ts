// Whether one more segment fits into the congestion window (RFC 5681 §3.1), reckoned in octets or in segments.
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** A segment of `length` octets may go out now. One always may when there is nothing in flight. */
export function fitsWindow(tcb: TransmissionControlBlock, length: number): boolean {
  const { inFlight } = tcb;
  if (inFlight <= 0) return true;
  // As in Linux: however small, a segment counts.
  const counted = tcb.options.congestionAccounting === "segments" ? tcb.segmentSize : length;
  return inFlight + counted <= tcb.recovery.window(tcb);
}
