// New congestion window validation (RFC 7661): a window keeps its size while the user has little to send, and grows only when it is used.
import { isAtOrAfter, type Milliseconds, type SequenceNumber } from "@netstrata/core";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import { initialWindow } from "./initial-window.ts";
import type { WindowValidation } from "./window-validation.ts";

/** §4.2: samples count for max(3 RTT, 1 s). */
const LEAST_SAMPLING_PERIOD: Milliseconds = 1000;
const SAMPLING_ROUND_TRIPS = 3;
/** §4.4: the non-validated period (NVP) is at most five minutes. */
const NON_VALIDATED_PERIOD: Milliseconds = 300_000;

interface Sample {
  readonly octets: number;
  readonly at: Milliseconds;
}

export class NewWindowValidation implements WindowValidation {
  /** One a round trip, the oldest first; those that are smaller than a later one are dropped, so they are few. */
  private samples: Sample[] = [];
  /** pipeACK is undefined until a round trip was measured, at the start and after each recovery. */
  private measured = false;
  private roundEnd: SequenceNumber | undefined;
  private roundOctets = 0;
  private nonValidatedSince: Milliseconds | undefined;
  private limited = false;

  sent(tcb: TransmissionControlBlock, limited: boolean): void {
    this.limited = limited;
    this.roundEnd ??= tcb.snd.nxt;
    const now = tcb.clock.now();
    if (this.isValidated(tcb)) {
      this.nonValidatedSince = undefined;
      return;
    }
    this.nonValidatedSince ??= now;
    if (now - this.nonValidatedSince < NON_VALIDATED_PERIOD) return;
    // §4.4.3: half the window, and slow start up to three quarters.
    this.nonValidatedSince = now;
    const { window, threshold } = tcb.congestion;
    const half = Math.max(Math.floor(window / 2), Math.min(window, initialWindow(tcb.segmentSize, tcb.options.initialWindow)));
    tcb.congestion.restrict?.(half, Math.max(threshold, Math.floor((3 * window) / 4)));
  }

  acknowledged(tcb: TransmissionControlBlock, octets: number): void {
    this.roundOctets += octets;
    if (this.roundEnd === undefined || !isAtOrAfter(tcb.snd.una, this.roundEnd)) return;
    // §4.5.1: what was acknowledged in this round trip.
    const sample: Sample = { octets: this.roundOctets, at: tcb.clock.now() };
    this.samples = this.samples.filter((other) => other.octets > sample.octets);
    this.samples.push(sample);
    this.measured = true;
    this.roundOctets = 0;
    this.roundEnd = tcb.scoreboard.isEmpty ? undefined : tcb.snd.nxt;
  }

  recovered(): void {
    // §4.4.1: the standard methods hold until there is a new measurement.
    this.samples = [];
    this.measured = false;
    this.roundEnd = undefined;
    this.roundOctets = 0;
    this.nonValidatedSince = undefined;
  }

  restarted(): void {
    this.nonValidatedSince = undefined;
  }

  allowsGrowth(tcb: TransmissionControlBlock): boolean {
    // §4.4: in the non-validated phase only a sender whom the window held back may let it grow.
    return this.limited || this.isValidated(tcb);
  }

  /** §4.3 */
  private isValidated(tcb: TransmissionControlBlock): boolean {
    const { window } = tcb.congestion;
    // Before the first measurement what was sent is all there is to go by.
    if (!this.measured) return this.roundOctets + tcb.flightSize >= window / 2;
    return this.pipeAcknowledged(tcb) >= window / 2;
  }

  /** pipeACK */
  private pipeAcknowledged(tcb: TransmissionControlBlock): number {
    const { smoothed = 0 } = tcb.retransmissionTimeout;
    const oldest = tcb.clock.now() - Math.max(SAMPLING_ROUND_TRIPS * smoothed, LEAST_SAMPLING_PERIOD);
    while (this.samples.length > 0 && this.samples[0].at < oldest) this.samples.shift();
    return this.samples[0]?.octets ?? 0;
  }
}
