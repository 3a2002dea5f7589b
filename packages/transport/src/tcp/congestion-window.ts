// Whether one more segment fits into the congestion window (RFC 5681 §3.1), reckoned in octets or in segments.
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** The congestion window, or what stands in its place while losses are repaired or marks answered. */
export function usableWindow(tcb: TransmissionControlBlock): number {
  return tcb.ecn?.reduction.active ? tcb.ecn.reduction.window : tcb.recovery.window(tcb);
}

/** A segment of `length` octets may go out now. One always may when there is nothing in flight. */
export function fitsWindow(tcb: TransmissionControlBlock, length: number): boolean {
  if (tcb.options.congestionAccounting === "octets") {
    const { inFlight } = tcb;
    return inFlight <= 0 || inFlight + length <= usableWindow(tcb);
  }
  const segments = segmentsInFlight(tcb);
  return segments <= 0 || (segments + 1) * tcb.segmentSize <= usableWindow(tcb);
}

/** As Linux's tcp_packets_in_flight: however small, a segment counts. */
export function segmentsInFlight({ scoreboard }: TransmissionControlBlock): number {
  let lost = 0;
  if (scoreboard.lostLength > 0) for (const segment of scoreboard) if (segment.lost) lost += 1;
  return scoreboard.count - scoreboard.sackedCount - lost;
}
