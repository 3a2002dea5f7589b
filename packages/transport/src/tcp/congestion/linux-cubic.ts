// CUBIC in whole segments and whole milliseconds, as Linux reckons it: the same curve as RFC 9438, to the segment what a Linux peer shows.
import type { Milliseconds } from "@netstrata/core";
import type { AcknowledgmentSample } from "./acknowledgment-sample.ts";
import { ClassicHyStart } from "./classic-hystart.ts";
import { LossBasedControl } from "./loss-based-control.ts";

/** beta_cubic is 717/1024, C is 410/1024; times are counted in 1024ths of a second. */
const SCALE = 1024;
const BETA = 717;
const C = 410;
/** 8 (1 + β) / 3 (1 - β), rounded down as Linux does: an eighth of the acknowledged segments by which Reno would grow. */
const RENO_SCALE = 15;
/** Before the first loss the window grows by a segment for every 20 acknowledged at least. */
const SLOWEST_GROWTH = 20;
/** No more often than this is the curve looked at while the window is the same. */
const RECALCULATION: Milliseconds = 31;

export class LinuxCubic extends LossBasedControl {
  readonly name = "cubic";
  private readonly hystart: ClassicHyStart = new ClassicHyStart();
  /** All windows in segments. */
  private lastMaximum = 0;
  private lastWindow = 0;
  private lastTime: Milliseconds = Number.NEGATIVE_INFINITY;
  private epoch: Milliseconds | undefined;
  private origin = 0;
  /** K in 1024ths of a second. */
  private timeToOrigin = 0;
  private renoWindow = 0;
  private renoCount = 0;
  /** So many acknowledged segments make the window grow by one. */
  private segmentsForOne = 1;
  private counted = 0;

  protected get slowStartLimit(): number {
    return this.settings.slowStartLimit ?? Number.POSITIVE_INFINITY;
  }

  override acknowledged(sample: AcknowledgmentSample): void {
    const window = this.window / this.segmentSize;
    // Measurements of the first second after a loss still show the queue.
    const isSettled = this.epoch === undefined || sample.now - this.epoch >= 1000;
    if (isSettled && sample.roundTrip !== undefined) {
      this.hystart.measured(sample.roundTrip);
      const isSlowStart = this.settings.hystart && this.window < this.threshold;
      if (isSlowStart && this.hystart.isOver(sample, window, this.settings.paced)) this.threshold = this.window;
    }
    super.acknowledged(sample);
  }

  protected avoidCongestion(octets: number, { now }: AcknowledgmentSample): void {
    const window = Math.floor(this.window / this.segmentSize);
    const acknowledged = Math.round(octets / this.segmentSize);
    this.update(window, acknowledged, now);
    // Credit for acknowledgments that came while the window was larger.
    if (this.counted >= this.segmentsForOne) {
      this.counted = 0;
      this.window += this.segmentSize;
    }
    this.counted += acknowledged;
    if (this.counted < this.segmentsForOne) return;
    const growth = Math.floor(this.counted / this.segmentsForOne);
    this.counted -= growth * this.segmentsForOne;
    this.window += growth * this.segmentSize;
  }

  protected reduced(base: number): number {
    const window = Math.floor(base / this.segmentSize);
    this.epoch = undefined;
    // Fast convergence (RFC 9438 §4.7).
    this.lastMaximum = window < this.lastMaximum ? Math.floor((window * (SCALE + BETA)) / (2 * SCALE)) : window;
    return (base * BETA) / SCALE;
  }

  override timedOut(flightSize: number, again: boolean, now: Milliseconds): void {
    super.timedOut(flightSize, again, now);
    this.lastMaximum = 0;
    this.lastWindow = 0;
    this.lastTime = Number.NEGATIVE_INFINITY;
    this.epoch = undefined;
    this.segmentsForOne = 1;
    this.hystart.reset();
  }

  restarted(idle: Milliseconds): void {
    if (this.epoch !== undefined) this.epoch += idle;
  }

  private update(window: number, acknowledged: number, now: Milliseconds): void {
    this.renoCount += acknowledged;
    if (this.lastWindow === window && now - this.lastTime <= RECALCULATION) return;
    const sameInstant = this.epoch !== undefined && now === this.lastTime;
    this.lastWindow = window;
    this.lastTime = now;
    if (!sameInstant) this.followCurve(window, acknowledged, now);
    this.followReno(window);
    // RFC 9438 §4.4: at most a half more in a round trip.
    this.segmentsForOne = Math.max(this.segmentsForOne, 2);
  }

  private followCurve(window: number, acknowledged: number, now: Milliseconds): void {
    if (this.epoch === undefined) {
      this.epoch = now;
      this.renoCount = acknowledged;
      this.renoWindow = window;
      this.origin = Math.max(window, this.lastMaximum);
      this.timeToOrigin = Math.floor(Math.cbrt(((this.origin - window) * SCALE) / C) * SCALE);
    }
    const elapsed = Math.floor(((now - this.epoch + this.hystart.shortest) * SCALE) / 1000);
    const distance = Math.abs(elapsed - this.timeToOrigin) / SCALE;
    const delta = Math.floor((C / SCALE) * distance ** 3);
    const target = elapsed < this.timeToOrigin ? this.origin - delta : this.origin + delta;
    this.segmentsForOne = target > window ? Math.floor(window / (target - window)) : 100 * window;
    if (this.lastMaximum === 0 && this.segmentsForOne > SLOWEST_GROWTH) this.segmentsForOne = SLOWEST_GROWTH;
  }

  /** RFC 9438 §4.3. */
  private followReno(window: number): void {
    const step = Math.floor((window * RENO_SCALE) / 8);
    if (step > 0 && this.renoCount > step) {
      const steps = Math.ceil(this.renoCount / step) - 1;
      this.renoCount -= steps * step;
      this.renoWindow += steps;
    }
    if (this.renoWindow > window) this.segmentsForOne = Math.min(this.segmentsForOne, Math.floor(window / (this.renoWindow - window)));
  }
}
