// Sending again after a pause: the window that was is no longer known to fit (RFC 5681 §4.1).
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import { initialWindow } from "./initial-window.ts";

/** To be called before new data is sent while nothing is in flight. */
export function restartAfterIdle(tcb: TransmissionControlBlock): void {
  const { congestion, options } = tcb;
  const now = tcb.clock.now();
  const idle = now - tcb.lastSentAt;
  congestion.restarted?.(idle, now);
  const timeout = tcb.retransmissionTimeout.value;
  if (!options.slowStartAfterIdle || idle <= timeout) return;
  tcb.validation.restarted(now);
  const restart = Math.min(initialWindow(tcb.segmentSize, options.initialWindow), congestion.window);
  if (options.congestionAccounting === "octets") congestion.restrict?.(restart, congestion.threshold);
  else decay(tcb, restart, Math.ceil(idle / timeout) - 1);
}

/** As Linux does it, after RFC 2861 §3.1: half of the window for each timeout that passed, and the threshold remembers what it was. */
function decay(tcb: TransmissionControlBlock, restart: number, timeouts: number): void {
  const { congestion, segmentSize } = tcb;
  let segments = Math.floor(congestion.window / segmentSize);
  const threshold = rememberedThreshold(congestion.window, congestion.threshold, segmentSize);
  for (let count = 0; count < timeouts && segments * segmentSize > restart; count += 1) segments >>= 1;
  congestion.restrict?.(Math.max(segments * segmentSize, restart), threshold);
}

/** RFC 2861 §3.1: at least three quarters of the window, so that slow start finds the way back to it. */
export function rememberedThreshold(window: number, threshold: number, segmentSize: number): number {
  const segments = Math.floor(window / segmentSize);
  return Math.max(threshold, ((segments >> 1) + (segments >> 2)) * segmentSize);
}
