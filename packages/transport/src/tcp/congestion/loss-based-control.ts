// What NewReno and CUBIC have in common: slow start, a threshold after each loss, and the way back (RFC 5681, RFC 3465, RFC 4015).
import type { Milliseconds } from "@netstrata/core";
import type { AcknowledgmentSample } from "./acknowledgment-sample.ts";
import type { CongestionControl, CongestionSettings, CongestionStart } from "./congestion-control.ts";
import { LARGEST_WINDOW, SMALLEST_THRESHOLD_COUNT } from "./window-limits.ts";

/** RFC 6928 and RFC 9293 §3.7.1: what is assumed before the handshake is complete. */
const DEFAULT_SEGMENT_SIZE = 536;

export abstract class LossBasedControl implements CongestionControl {
  abstract readonly name: string;
  /** One segment of the default size until the handshake is complete. */
  window: number = DEFAULT_SEGMENT_SIZE;
  /** RFC 5681 §3.1: arbitrarily high at first. */
  threshold: number = Number.POSITIVE_INFINITY;
  protected readonly settings: CongestionSettings;
  protected segmentSize: number = DEFAULT_SEGMENT_SIZE;
  /** What `undo` goes back to; Linux calls them prior_cwnd and prior_ssthresh. */
  private priorWindow = 0;
  private priorThreshold = 0;

  constructor(settings: CongestionSettings) {
    this.settings = settings;
  }

  /** What slow start leaves of `octets` is spent here: the growth of congestion avoidance. */
  protected abstract avoidCongestion(octets: number, sample: AcknowledgmentSample): void;
  /** The multiplicative decrease: of `base`, the window or what is in flight, to what? Not yet bounded below. */
  protected abstract reduced(base: number, reason: "loss" | "mark", now: Milliseconds): number;
  /** L, in segments (RFC 3465 §2.3). */
  protected abstract readonly slowStartLimit: number;

  /** A connection that took over from another algorithm may be far from slow start. */
  established({ segmentSize, window, threshold }: CongestionStart): void {
    this.segmentSize = segmentSize;
    this.window = window;
    this.threshold = threshold;
  }

  segmentSizeChanged(segmentSize: number): void {
    // Who counts segments has as many of the new ones.
    const scale = this.settings.accounting === "segments" ? segmentSize / this.segmentSize : 1;
    this.segmentSize = segmentSize;
    if (scale !== 1) this.rescale(scale);
    this.window = Math.max(this.window, segmentSize);
  }

  acknowledged(sample: AcknowledgmentSample): void {
    // RFC 7661 §4.3: a window that was not used has not been shown to fit.
    if (!sample.limited) return;
    let { octets } = sample;
    if (this.window < this.threshold) octets = this.slowStart(octets, sample);
    if (octets > 0) this.avoidCongestion(octets, sample);
    if (this.window > LARGEST_WINDOW) this.window = LARGEST_WINDOW;
  }

  /**
   * RFC 5681 equation 2 with RFC 3465's L in place of one segment. In segments what crosses the threshold is congestion avoidance's;
   * in octets the whole acknowledgment is slow start's.
   */
  private slowStart(octets: number, sample: AcknowledgmentSample): number {
    const growth = this.slowStartGrowth(Math.min(octets, this.slowStartLimit * this.segmentSize), sample);
    if (this.settings.accounting === "octets") {
      this.window += growth;
      return 0;
    }
    const before = this.window;
    this.window = Math.min(before + growth, this.threshold);
    return growth - (this.window - before);
  }

  /** How much of what slow start may add is added. */
  protected slowStartGrowth(octets: number, _sample: AcknowledgmentSample): number {
    return octets;
  }

  enterRecovery(flightSize: number, now: Milliseconds): void {
    this.reduce(flightSize, "loss", now);
  }

  congestionExperienced(flightSize: number, now: Milliseconds): void {
    this.reduce(flightSize, "mark", now);
  }

  leaveRecovery(flightSize: number): void {
    // RFC 6582 §3.2 step 3, option 1: avoids a burst when little is in flight.
    this.window = Math.min(this.threshold, Math.max(flightSize, this.segmentSize) + this.segmentSize);
  }

  timedOut(flightSize: number, again: boolean, now: Milliseconds): void {
    // RFC 5681 §3.1: for a segment that timed out before, the threshold stays.
    if (!again) this.reduce(flightSize, "loss", now);
    this.window = this.segmentSize;
  }

  undo(): void {
    this.window = Math.max(this.window, this.priorWindow);
    this.threshold = Math.max(this.threshold, this.priorThreshold);
  }

  restrict(window: number, threshold: number): void {
    this.window = Math.max(this.segmentSize, Math.min(this.window, window));
    this.threshold = threshold;
  }

  protected rescale(scale: number): void {
    this.window = Math.round(this.window * scale);
    this.threshold *= scale;
    this.priorWindow *= scale;
    this.priorThreshold *= scale;
  }

  private reduce(flightSize: number, reason: "loss" | "mark", now: Milliseconds): void {
    this.priorWindow = this.window;
    this.priorThreshold = this.threshold;
    // Linux takes the window, because window validation has seen to it that it was used.
    const inSegments = this.settings.accounting === "segments";
    const target = this.reduced(inSegments ? this.window : flightSize, reason, now);
    const whole = inSegments ? Math.floor(target / this.segmentSize) * this.segmentSize : Math.floor(target);
    this.threshold = Math.max(whole, SMALLEST_THRESHOLD_COUNT * this.segmentSize);
    this.window = this.threshold;
  }
}
