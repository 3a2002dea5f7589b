// Text that leaves in bursts: several full segments given to the device as one, of which the last carries PSH, so that the receiver's
// device passes the burst on at once. How long it is, Linux reckons from the pacing rate (tcp_tso_autosize(), __tcp_transmit_skb()).
import { isBefore, sequenceAdd, sequenceDistance } from "@netstrata/core";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** Octets that a device takes as one segment to be cut up. */
const LARGEST_BURST = 65_536;
/** A burst takes about a millisecond at the pacing rate: 1/1024 of what goes in a second. */
const RATE_SHIFT = 1024;
/** The shorter the round trip, the longer a burst may be: LARGEST_BURST halves with each of these, in ms. */
const ROUND_TRIP_STEP = 0.512;
const SLOW_START_GAIN = 2;
const AVOIDANCE_GAIN = 1.2;

/** Before a segment of new text goes out: begins a burst where the last one has ended. */
export function joinBurst(tcb: TransmissionControlBlock, text: number, usable: number): void {
  const { snd, options } = tcb;
  if (options.burstSegments === 0 || isBefore(snd.nxt, snd.burstEnd)) return;
  const window = tcb.recovery.window(tcb);
  const room = Math.max(0, Math.floor((window - tcb.inFlight) / tcb.segmentSize));
  // tcp_cwnd_test(): at most half a window at once.
  const half = Math.max(1, Math.floor(window / tcb.segmentSize / 2));
  const segments = Math.min(burstLength(tcb), room, half, Math.floor(usable / tcb.segmentSize), Math.ceil(text / tcb.segmentSize));
  // Alone it is no burst.
  snd.burstEnd = segments < 2 ? snd.nxt : sequenceAdd(snd.nxt, Math.min(segments * tcb.segmentSize, text));
}

/** A segment that ends here is the last one of its burst. */
export function endsBurst(tcb: TransmissionControlBlock, end: number): boolean {
  return tcb.options.burstSegments > 0 && end === tcb.snd.burstEnd && sequenceDistance(tcb.snd.una, end) > 0;
}

/** In segments. */
function burstLength({ congestion, retransmissionTimeout, statistics, segmentSize, options }: TransmissionControlBlock): number {
  const { smoothed } = retransmissionTimeout;
  if (smoothed === undefined || smoothed === 0) return Math.floor(LARGEST_BURST / segmentSize);
  const gain = congestion.window < congestion.threshold / 2 ? SLOW_START_GAIN : AVOIDANCE_GAIN;
  const rate = (gain * 1000 * congestion.window) / smoothed;
  const nearness = LARGEST_BURST / 2 ** Math.floor((statistics.minimumRoundTrip ?? smoothed) / ROUND_TRIP_STEP);
  const octets = Math.min(LARGEST_BURST, rate / RATE_SHIFT + nearness);
  return Math.max(options.burstSegments, Math.floor(octets / segmentSize));
}
