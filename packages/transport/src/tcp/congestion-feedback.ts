// Between the connection and its congestion control: when one begins, and what acknowledgments tell it (RFC 5681 §3, RFC 6928).
import type { Milliseconds } from "@netstrata/core";
import { createCongestionControl } from "./congestion/congestion-controls.ts";
import { windowAfterHandshake } from "./congestion/initial-window.ts";
import { reportCongestion } from "./tcp-events.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** The handshake is complete. `roundTrip` is its measurement, if there is one; `synTransmissions` how often our SYN was sent. */
export function startCongestionControl(tcb: TransmissionControlBlock, synTransmissions: number, roundTrip: Milliseconds | undefined): void {
  const { segmentSize, options } = tcb;
  tcb.congestion.established({
    segmentSize,
    window: windowAfterHandshake(segmentSize, options.initialWindow, synTransmissions),
    threshold: Number.POSITIVE_INFINITY,
    roundTrip,
    now: tcb.clock.now(),
  });
}

/** The user wants another algorithm: it goes on from where the last one stood, as with Linux's TCP_CONGESTION. */
export function replaceCongestionControl(tcb: TransmissionControlBlock): void {
  const { window, threshold } = tcb.congestion;
  tcb.congestion = createCongestionControl(tcb.options, tcb.context.host.random);
  // Before the handshake there is nothing to go on from.
  if (tcb.state === "SYN-SENT" || tcb.state === "SYN-RECEIVED") return;
  const { smoothed } = tcb.retransmissionTimeout;
  tcb.congestion.established({ segmentSize: tcb.segmentSize, window, threshold, roundTrip: smoothed, now: tcb.clock.now() });
  reportCongestion(tcb, "established");
}

/**
 * An acknowledgment was processed: SND.UNA has moved by `octets`, `deliveredSegments` are known for the first time to have arrived.
 * `wasRecovering`: it came during loss recovery, which may be over now.
 */
export function tellCongestionControl(
  tcb: TransmissionControlBlock,
  octets: number,
  deliveredSegments: number,
  wasRecovering: boolean,
): void {
  const { sample, recovery } = tcb;
  if (octets === 0 && deliveredSegments === 0) return;
  const inSegments = tcb.options.congestionAccounting === "segments";
  // Linux lets also the acknowledgment that ends recovery count.
  if (wasRecovering && !recovery.active) tcb.validation.recovered();
  if (octets === 0 || recovery.active || (wasRecovering && !inSegments)) return;
  tcb.validation.acknowledged(tcb, octets);
  sample.now = tcb.clock.now();
  sample.octets = inSegments ? deliveredSegments * tcb.segmentSize : octets;
  sample.limited = tcb.validation.allowsGrowth(tcb);
  sample.smoothedRoundTrip = tcb.retransmissionTimeout.smoothed;
  sample.una = tcb.snd.una;
  sample.nxt = tcb.snd.nxt;
  sample.inFlight = tcb.inFlight;
  sample.recovering = false;
  tcb.congestion.acknowledged(sample);
}
