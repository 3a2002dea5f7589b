// Between the connection and its congestion control: when one begins, and what acknowledgments tell it (RFC 5681 §3, RFC 6928).
import type { Milliseconds } from "@netstrata/core";
import { createCongestionControl } from "./congestion/congestion-controls.ts";
import { windowAfterHandshake } from "./congestion/initial-window.ts";
import { DeliveryRate } from "./delivery-rate.ts";
import type { SentSegment } from "./sent-segment.ts";
import { reportCongestion } from "./tcp-events.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** The handshake is complete. `roundTrip` is its measurement, if there is one; `synTransmissions` how often our SYN was sent. */
export function startCongestionControl(tcb: TransmissionControlBlock, synTransmissions: number, roundTrip: Milliseconds | undefined): void {
  const { segmentSize, options } = tcb;
  startSampling(tcb);
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
  startSampling(tcb);
  // Before the handshake there is nothing to go on from.
  if (tcb.state === "SYN-SENT" || tcb.state === "SYN-RECEIVED") return;
  const { smoothed } = tcb.retransmissionTimeout;
  tcb.congestion.established({ segmentSize: tcb.segmentSize, window, threshold, roundTrip: smoothed, now: tcb.clock.now() });
  reportCongestion(tcb, "established");
}

/** Delivery rates are sampled only for whom they are of use. */
function startSampling(tcb: TransmissionControlBlock): void {
  tcb.deliveryRate = tcb.congestion.delivered === undefined ? undefined : new DeliveryRate();
}

/**
 * An acknowledgment was processed: SND.UNA has moved by `octets`, `delivered` is known for the first time to have arrived.
 * `deliveredNow` is the same as loss recovery counts it: in whole segments where the accounting is, and without SACK less what duplicates said before.
 * `wasRecovering`: it came during loss recovery, which may be over now.
 */
export function tellCongestionControl(
  tcb: TransmissionControlBlock,
  octets: number,
  delivered: readonly SentSegment[],
  deliveredLength: number,
  deliveredNow: number,
  wasRecovering: boolean,
): void {
  const { sample, recovery } = tcb;
  if (octets === 0 && delivered.length === 0) return;
  fillSample(tcb);
  if (tcb.congestion.delivered !== undefined) {
    tellModel(tcb, delivered, deliveredLength);
    return;
  }
  const inSegments = tcb.options.congestionAccounting === "segments";
  if (wasRecovering && !recovery.active) tcb.validation.recovered();
  // Linux lets also the acknowledgment that ends recovery count.
  if (octets === 0 || recovery.active || (wasRecovering && !inSegments)) return;
  tcb.validation.acknowledged(tcb, octets);
  sample.octets = inSegments ? deliveredNow : octets;
  sample.limited = tcb.validation.allowsGrowth(tcb);
  tcb.congestion.acknowledged(sample);
}

function fillSample(tcb: TransmissionControlBlock): void {
  const { sample } = tcb;
  sample.now = tcb.clock.now();
  sample.smoothedRoundTrip = tcb.retransmissionTimeout.smoothed;
  sample.una = tcb.snd.una;
  sample.nxt = tcb.snd.nxt;
  sample.inFlight = tcb.inFlight;
  sample.recovering = tcb.recovery.state === "recovery" || tcb.recovery.state === "loss";
}

/** An algorithm with a model of the path hears of everything, also while losses are repaired. */
function tellModel(tcb: TransmissionControlBlock, delivered: readonly SentSegment[], deliveredLength: number): void {
  const { sample, scoreboard, congestion } = tcb;
  sample.octets = deliveredLength;
  sample.limited = tcb.congestionLimited;
  sample.lost = scoreboard.lostTotal - tcb.lostTold;
  tcb.lostTold = scoreboard.lostTotal;
  const shortest = tcb.statistics.minimumRoundTrip ?? 0;
  sample.rate = tcb.deliveryRate?.acknowledged(delivered, deliveredLength, scoreboard.lostTotal, shortest, sample.now);
  if (congestion.holdsBack) tcb.deliveryRate?.limitedByApplication(sample.inFlight);
  congestion.delivered?.(sample);
}
