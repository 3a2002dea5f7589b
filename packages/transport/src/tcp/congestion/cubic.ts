// CUBIC (RFC 9438): the window is a cubic function of the time since the last congestion, so it does not depend on the round trip.
import type { Milliseconds } from "@netstrata/core";
import type { AcknowledgmentSample } from "./acknowledgment-sample.ts";
import type { CongestionSettings } from "./congestion-control.ts";
import { HYSTART_BURST_LIMIT, HyStartPlusPlus } from "./hystart-plus-plus.ts";
import { LossBasedControl } from "./loss-based-control.ts";

/** §5: C, in segments a second cubed. */
const C = 0.4;
/** §4.6: beta_cubic. */
const BETA = 0.7;
/** §4.3: the additive increase of a Reno flow that loses as little as β_cubic says, on average the same window as Reno's. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);
/** §4.2: target is at most so much more than the window. */
const LARGEST_STEP = 1.5;
/** RFC 8511 §3: beta_{ecn}. */
const BETA_ECN = 0.85;

/** What §4.9.1 wants to be restored when a congestion was none. Windows in segments, times in ms. */
interface CubicState {
  /** W_max, the window before the last reduction, or less after fast convergence. */
  windowMaximum: number;
  /** K, in seconds: how long until the window is W_max again. */
  timeToMaximum: number;
  /** t_epoch: when this stage of congestion avoidance began; undefined between a reduction and then. */
  epoch: Milliseconds | undefined;
  /** W_est: what Reno would have. */
  renoEstimate: number;
  /** cwnd_prior */
  priorWindow: number;
}

export class Cubic extends LossBasedControl {
  readonly name = "cubic";
  private state: CubicState = { windowMaximum: 0, timeToMaximum: 0, epoch: undefined, renoEstimate: 0, priorWindow: 0 };
  private undoState: CubicState = { ...this.state };
  private readonly hystart: HyStartPlusPlus | undefined;
  /** Growth below an octet, kept until it is one. */
  private fraction = 0;
  private lastAcknowledgedAt: Milliseconds = 0;
  private afterTimeout = false;

  constructor(settings: CongestionSettings) {
    super(settings);
    this.hystart = settings.hystart ? new HyStartPlusPlus() : undefined;
  }

  protected get slowStartLimit(): number {
    if (this.settings.slowStartLimit !== undefined) return this.settings.slowStartLimit;
    // RFC 9406 §4.3; without HyStart++ RFC 5681 equation 2.
    if (this.hystart === undefined) return 1;
    return this.settings.paced ? Number.POSITIVE_INFINITY : HYSTART_BURST_LIMIT;
  }

  override acknowledged(sample: AcknowledgmentSample): void {
    // §5.8: time in which the user did not fill the window does not let it grow.
    if (!sample.limited && this.state.epoch !== undefined) this.state.epoch += sample.now - this.lastAcknowledgedAt;
    this.lastAcknowledgedAt = sample.now;
    super.acknowledged(sample);
  }

  protected override slowStartGrowth(octets: number, sample: AcknowledgmentSample): number {
    // RFC 9406 §4.3: only for the first slow start; later ones know where to stop.
    if (this.hystart === undefined || this.threshold !== Number.POSITIVE_INFINITY) return octets;
    const growth = this.hystart.grow(octets, sample);
    if (this.hystart.phase === "over") this.threshold = this.window + growth;
    return growth;
  }

  protected avoidCongestion(octets: number, { now, smoothedRoundTrip = 0 }: AcknowledgmentSample): void {
    const { state, segmentSize } = this;
    const window = this.window / segmentSize;
    const acknowledged = octets / segmentSize;
    if (state.epoch === undefined) this.beginStage(now, window);
    const elapsed = (now - (state.epoch as number)) / 1000;
    // §4.3: α is 1, as Reno's, once the window is back where it was.
    const alpha = state.renoEstimate >= state.priorWindow ? 1 : ALPHA;
    state.renoEstimate += (alpha * acknowledged) / window;
    if (this.windowAt(elapsed) < state.renoEstimate) {
      this.grow(Math.max(0, state.renoEstimate - window));
      return;
    }
    // §4.4 and §4.5: on the way to where the curve will be one round trip from now.
    const target = Math.min(Math.max(this.windowAt(elapsed + smoothedRoundTrip / 1000), window), LARGEST_STEP * window);
    this.grow(((target - window) / window) * acknowledged);
  }

  protected reduced(base: number, reason: "loss" | "mark"): number {
    this.undoState = { ...this.state };
    const window = this.window / this.segmentSize;
    const { state } = this;
    // §4.7, fast convergence: a flow that could not get as far as before makes room for others.
    state.windowMaximum = window < state.windowMaximum ? (window * (1 + BETA)) / 2 : window;
    state.priorWindow = window;
    state.epoch = undefined;
    this.afterTimeout = false;
    return base * (reason === "mark" ? BETA_ECN : BETA);
  }

  override timedOut(flightSize: number, again: boolean, now: Milliseconds): void {
    super.timedOut(flightSize, again, now);
    this.state.epoch = undefined;
    this.afterTimeout = true;
  }

  override undo(): void {
    super.undo();
    this.state = { ...this.undoState };
  }

  /** A pause is no time in congestion avoidance, either. */
  restarted(idle: Milliseconds): void {
    if (this.state.epoch !== undefined) this.state.epoch += idle;
    this.lastAcknowledgedAt += idle;
  }

  private beginStage(now: Milliseconds, window: number): void {
    const { state } = this;
    state.epoch = now;
    state.renoEstimate = window;
    if (this.afterTimeout || window >= state.windowMaximum) {
      // §4.8 after a timeout, and §4.2 where there was no loss: the curve begins at its plateau.
      state.timeToMaximum = 0;
      state.windowMaximum = window;
    } else {
      state.timeToMaximum = Math.cbrt((state.windowMaximum - window) / C);
    }
    this.afterTimeout = false;
  }

  /** W_cubic(t), figure 1; t in seconds. */
  private windowAt(elapsed: number): number {
    return C * (elapsed - this.state.timeToMaximum) ** 3 + this.state.windowMaximum;
  }

  private grow(segments: number): void {
    this.fraction += segments * this.segmentSize;
    const whole = Math.floor(this.fraction);
    this.fraction -= whole;
    this.window += whole;
  }
}
