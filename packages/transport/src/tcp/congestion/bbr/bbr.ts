// BBRv3 (draft-ietf-ccwg-bbr): sends at the rate of the path and keeps its queue short, by a model of bandwidth and round trip.
import type { Milliseconds } from "@netstrata/core";
import type { AcknowledgmentSample, RateSample } from "../acknowledgment-sample.ts";
import type { CongestionControl, CongestionSettings, CongestionStart } from "../congestion-control.ts";
import { LARGEST_WINDOW } from "../window-limits.ts";
import { BandwidthProbe } from "./bandwidth-probe.ts";
import { type BbrState, GAINS, PACING_MARGIN, SMALLEST_PIPE_SEGMENTS, STARTUP_LOSS_EVENTS } from "./bbr-parameters.ts";
import { PathModel } from "./path-model.ts";
import { RoundTripProbe } from "./round-trip-probe.ts";

/** A millisecond's worth of segments, within these bounds (BBRSetSendQuantum); three of them may be on their way to be assembled. */
const LARGEST_QUANTUM = 65536;
const QUANTA_IN_FLIGHT = 3;

/** What `undo` goes back to. */
interface Saved {
  readonly window: number;
  readonly bandwidthBound: number;
  readonly inFlightBound: number;
  readonly inFlightLimit: number;
}

export class Bbr implements CongestionControl {
  readonly name = "bbr";
  window = 536;
  /** It has none: slow start ends when the pipe is full. */
  readonly threshold: number = Number.POSITIVE_INFINITY;
  pacingRate: number = Number.POSITIVE_INFINITY;
  state: BbrState = "startup";
  segmentSize = 536;
  readonly model: PathModel = new PathModel();
  private readonly bandwidthProbe: BandwidthProbe;
  private readonly roundTripProbe: RoundTripProbe = new RoundTripProbe();
  private initialWindow = 536;
  /** BBR.prior_cwnd: before recovery or ProbeRTT. */
  private priorWindow = 0;
  private saved: Saved | undefined;
  private recovering = false;
  /** BBR.packet_conservation: in the first round of recovery only what leaves the network is replaced. */
  private conserveUntil: number | undefined;
  private justEntered = false;
  private totalDelivered = 0;
  /** BBR.idle_restart */
  private restarting = false;

  constructor(settings: CongestionSettings) {
    this.bandwidthProbe = new BandwidthProbe(this.model, this, settings.random);
  }

  /** On purpose less is in flight than the path takes, so samples of it say nothing (§5.3.4.3). */
  get holdsBack(): boolean {
    return this.state === "probe-rtt";
  }

  /** @internal */
  enter(state: BbrState): void {
    this.state = state;
  }

  established({ segmentSize, window, roundTrip, now }: CongestionStart): void {
    this.segmentSize = segmentSize;
    this.window = window;
    this.initialWindow = window;
    if (roundTrip !== undefined) {
      this.model.updateRoundTrip(roundTrip, now);
      this.roundTripProbe.start(roundTrip, now);
    }
    // BBRInitPacingRate: the initial window in a round trip, or in a millisecond where that is not known.
    this.pacingRate = (1000 * GAINS.startup.pacing * window) / Math.max(1, roundTrip ?? 1);
  }

  segmentSizeChanged(segmentSize: number): void {
    this.segmentSize = segmentSize;
    this.window = Math.max(this.window, segmentSize);
  }

  acknowledged(): void {}

  delivered(sample: AcknowledgmentSample): void {
    const { rate } = sample;
    if (rate === undefined) return;
    this.totalDelivered = rate.totalDelivered;
    // After a timeout nobody else says that what was lost is repaired.
    if (this.recovering && !this.justEntered && !sample.recovering) this.leaveRecovery();
    this.updateModel(sample, rate);
    this.setPacingRate();
    this.setWindow(sample);
  }

  enterRecovery(flightSize: number): void {
    this.save();
    this.recovering = true;
    this.conserveUntil = this.totalDelivered + flightSize;
    this.justEntered = true;
  }

  leaveRecovery(): void {
    if (!this.recovering) return;
    this.recovering = false;
    this.conserveUntil = undefined;
    this.window = Math.max(this.window, this.priorWindow);
  }

  timedOut(_flightSize: number, again: boolean): void {
    if (!again) this.save();
    // §5.6.4.4: one segment; what is delivered afterwards lets it grow quickly again.
    this.window = this.segmentSize;
    this.conserveUntil = undefined;
    this.recovering = true;
  }

  congestionExperienced(): void {
    // The draft does not use marks; RFC 3168 §5 wants them to count like losses, and so they do.
    this.model.lossInRound = true;
  }

  undo(): void {
    if (this.saved === undefined) return;
    this.window = Math.max(this.window, this.saved.window);
    this.model.bandwidthBound = Math.max(this.model.bandwidthBound, this.saved.bandwidthBound);
    this.model.inFlightBound = Math.max(this.model.inFlightBound, this.saved.inFlightBound);
    this.model.inFlightLimit = Math.max(this.model.inFlightLimit, this.saved.inFlightLimit);
    this.model.lossInRound = false;
    this.recovering = false;
    this.conserveUntil = undefined;
    this.justEntered = false;
  }

  /** BBRHandleRestartFromIdle */
  restarted(_idle: Milliseconds, now: Milliseconds): void {
    this.restarting = true;
    this.model.restartAggregation(now);
    if (this.state === "probe-rtt") this.leaveProbeRoundTrip(now);
    else if (this.state.startsWith("probe-") && this.model.bandwidth > 0) this.pacingRate = this.model.bandwidth * (1 - PACING_MARGIN);
  }

  private updateModel(sample: AcknowledgmentSample, rate: RateSample): void {
    const { model } = this;
    const isProbing = this.state === "startup" || this.state === "probe-refill" || this.state === "probe-up";
    model.update(sample, rate);
    model.adaptBounds(isProbing, this.window);
    if (this.state === "startup") {
      // §5.3.1.3: many losses end it, too.
      const isLossy = this.recovering && model.lossEvents >= STARTUP_LOSS_EVENTS && this.bandwidthProbe.isTooMuch(rate);
      if (!model.pipeIsFull && isLossy) {
        model.pipeIsFull = true;
        model.inFlightLimit = Math.max(model.pipe(model.bandwidthMaximum, 1) ?? 0, model.inFlightLatest, this.smallestPipe);
      }
      if (model.pipeIsFull) this.state = "drain";
    }
    if (this.state === "drain" && sample.inFlight <= (model.pipe(model.bandwidthMaximum, 1) ?? 0))
      this.bandwidthProbe.startDown(sample.now);
    this.bandwidthProbe.update(sample, rate);
    this.probeRoundTrip(sample);
    model.endOfUpdate(rate);
  }

  /** BBRUpdateMinRTT, BBRCheckProbeRTT */
  private probeRoundTrip(sample: AcknowledgmentSample): void {
    const { roundTripProbe } = this;
    const { now } = sample;
    const isDue = roundTripProbe.measured(sample.roundTrip, now);
    this.model.updateRoundTrip(roundTripProbe.shortest, now);
    if (this.state !== "probe-rtt" && isDue && !this.restarting) {
      this.priorWindow = this.recovering ? Math.max(this.priorWindow, this.window) : this.window;
      this.state = "probe-rtt";
      roundTripProbe.enter();
      this.bandwidthProbe.stop();
    }
    if (this.state === "probe-rtt" && roundTripProbe.isDone(sample, this.probeWindow, this.model)) this.leaveProbeRoundTrip(now);
    if (sample.octets > 0) this.restarting = false;
  }

  /** BBRExitProbeRTT */
  private leaveProbeRoundTrip(now: Milliseconds): void {
    this.roundTripProbe.leave(now);
    this.window = Math.max(this.window, this.priorWindow);
    this.model.forgetBounds();
    if (!this.model.pipeIsFull) {
      this.state = "startup";
      return;
    }
    this.bandwidthProbe.startDown(now);
    this.bandwidthProbe.startCruise();
  }

  private setPacingRate(): void {
    const { bandwidth, pipeIsFull } = this.model;
    if (bandwidth === 0) return;
    const rate = Math.max(1, GAINS[this.state].pacing * bandwidth * (1 - PACING_MARGIN));
    if (pipeIsFull || rate > this.pacingRate) this.pacingRate = rate;
  }

  /** BBRSetCwnd */
  private setWindow({ octets, lost, inFlight }: AcknowledgmentSample): void {
    const most = this.mostInFlight();
    // BBRModulateCwndForRecovery
    if (this.justEntered) {
      this.window = inFlight + Math.max(octets, this.segmentSize);
      this.justEntered = false;
    } else if (lost > 0) this.window = Math.max(this.window - lost, this.segmentSize);
    if (this.conserveUntil !== undefined && this.totalDelivered > this.conserveUntil) this.conserveUntil = undefined;
    if (this.conserveUntil !== undefined) this.window = Math.max(this.window, inFlight + octets);
    else if (this.model.pipeIsFull) this.window = Math.min(this.window + octets, most);
    else if (this.window < most || this.totalDelivered < this.initialWindow) this.window += octets;
    this.window = Math.max(this.window, this.conserveUntil === undefined ? this.smallestPipe : this.segmentSize);
    if (this.state === "probe-rtt") this.window = Math.min(this.window, this.probeWindow);
    this.boundByModel();
    this.window = Math.min(LARGEST_WINDOW, Math.max(this.segmentSize, Math.floor(this.window)));
  }

  /** BBRUpdateMaxInflight */
  private mostInFlight(): number {
    const { model } = this;
    const pipe = model.pipe(model.bandwidth, GAINS[this.state].window);
    if (pipe === undefined) return Math.max(this.initialWindow, this.window + this.segmentSize);
    const quantum = Math.max(2 * this.segmentSize, Math.min(this.pacingRate / 1000, LARGEST_QUANTUM));
    const budget = Math.max(pipe + model.extraAcknowledged, QUANTA_IN_FLIGHT * quantum, this.smallestPipe);
    return this.state === "probe-up" ? budget + 2 * this.segmentSize : budget;
  }

  /** BBRBoundCwndForModel */
  private boundByModel(): void {
    const { model } = this;
    let most = Number.POSITIVE_INFINITY;
    if (this.state === "probe-rtt" || this.state === "probe-cruise") most = this.bandwidthProbe.withHeadroom();
    else if (this.state.startsWith("probe-")) most = model.inFlightLimit;
    most = Math.max(Math.min(most, model.inFlightBound), this.smallestPipe);
    this.window = Math.min(this.window, most);
  }

  private save(): void {
    const { bandwidthBound, inFlightBound, inFlightLimit } = this.model;
    this.priorWindow = this.recovering || this.state === "probe-rtt" ? Math.max(this.priorWindow, this.window) : this.window;
    this.saved = { window: this.priorWindow, bandwidthBound, inFlightBound, inFlightLimit };
  }

  /** BBR.MinPipeCwnd */
  private get smallestPipe(): number {
    return SMALLEST_PIPE_SEGMENTS * this.segmentSize;
  }

  /** BBRProbeRTTCwnd */
  private get probeWindow(): number {
    const { model } = this;
    return Math.max(model.pipe(model.bandwidth, GAINS["probe-rtt"].window) ?? this.initialWindow, this.smallestPipe);
  }
}
