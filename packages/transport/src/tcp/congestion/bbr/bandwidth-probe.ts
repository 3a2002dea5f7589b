// The cycle of ProbeBW: down, cruise, refill, up (draft-ietf-ccwg-bbr §5.3.3), and the limit that losses set to it.
import { type Milliseconds, type Random, randomFraction } from "@netstrata/core";
import type { AcknowledgmentSample, RateSample } from "../acknowledgment-sample.ts";
import {
  type BbrState,
  BETA,
  HEADROOM,
  LONGEST_PROBE_ROUNDS,
  LOSS_THRESHOLD,
  PROBE_WAIT,
  PROBE_WAIT_SPREAD,
  SMALLEST_PIPE_SEGMENTS,
} from "./bbr-parameters.ts";
import type { PathModel } from "./path-model.ts";

/** BBR.ack_phase: whose sending the acknowledgments that arrive now are about. */
type Echo = "none" | "probe-starting" | "probe-feedback" | "probe-stopping" | "refilling";

/** What the cycle needs of its owner. */
interface Sender {
  readonly state: BbrState;
  readonly window: number;
  readonly segmentSize: number;
  enter(state: BbrState): void;
}

const LARGEST_SLOPE = 30;
/** Segments. */
const FEW_LOSSES = 2;

export class BandwidthProbe {
  private readonly model: PathModel;
  private readonly sender: Sender;
  private readonly random: Random;
  private echo: Echo = "none";
  /** BBR.cycle_stamp, BBR.bw_probe_wait, BBR.rounds_since_bw_probe */
  private since: Milliseconds = 0;
  private wait: Milliseconds = PROBE_WAIT;
  private rounds = 0;
  /** BBR.bw_probe_samples: what is lost now was sent while probing. */
  private isProbing = false;
  /** BBR.bw_probe_up_rounds, BBR.bw_probe_up_acks, BBR.probe_up_cnt */
  private slope = 0;
  private acknowledged = 0;
  private octetsForOne = Number.POSITIVE_INFINITY;

  constructor(model: PathModel, sender: Sender, random: Random) {
    this.model = model;
    this.sender = sender;
    this.random = random;
  }

  /** BBRStartProbeBW_DOWN */
  startDown(now: Milliseconds): void {
    this.model.forgetSignals();
    this.octetsForOne = Number.POSITIVE_INFINITY;
    this.rounds = Math.round(randomFraction(this.random));
    this.wait = PROBE_WAIT + PROBE_WAIT_SPREAD * randomFraction(this.random);
    this.since = now;
    this.echo = "probe-stopping";
    this.model.startRound();
    this.sender.enter("probe-down");
  }

  startCruise(): void {
    this.sender.enter("probe-cruise");
  }

  /** Nothing that is acknowledged from now on belongs to a probe. */
  stop(): void {
    this.echo = "probe-stopping";
    this.model.startRound();
  }

  /** BBRUpdateProbeBWCyclePhase */
  update(sample: AcknowledgmentSample, rate: RateSample): void {
    const { model, sender } = this;
    if (!model.pipeIsFull) return;
    if (model.roundStart) this.rounds += 1;
    this.adaptLimit(sample, rate);
    const target = model.pipe(model.bandwidthMaximum, 1) ?? sender.window;
    switch (sender.state) {
      case "probe-down":
        if (this.isTimeToProbe(sample.now, target)) this.startRefill();
        // Cruise when the queue is gone, and there is room for others.
        else if (sample.inFlight <= Math.min(this.withHeadroom(), target)) this.startCruise();
        break;
      case "probe-cruise":
        if (this.isTimeToProbe(sample.now, target)) this.startRefill();
        break;
      case "probe-refill":
        // After a round the pipe is full, and what is lost from here on is lost because of the probe.
        if (model.roundStart) {
          this.isProbing = true;
          this.startUp(sample.now, rate);
        }
        break;
      case "probe-up":
        if (this.isTimeToGoDown(sample)) this.startDown(sample.now);
        break;
    }
  }

  /** BBRInflightWithHeadroom */
  withHeadroom(): number {
    const limit = this.model.inFlightLimit;
    if (limit === Number.POSITIVE_INFINITY) return limit;
    const headroom = Math.max(this.sender.segmentSize, HEADROOM * limit);
    return Math.max(limit - headroom, SMALLEST_PIPE_SEGMENTS * this.sender.segmentSize);
  }

  /** BBRIsInflightTooHigh, but that one or two lost segments are no rate: of a flight of fifty the draft would have one be too much. */
  isTooMuch(rate: RateSample): boolean {
    return rate.lost > Math.max(rate.inFlightWhenSent * LOSS_THRESHOLD, FEW_LOSSES * this.sender.segmentSize);
  }

  private startRefill(): void {
    this.model.forgetBounds();
    this.slope = 0;
    this.acknowledged = 0;
    this.echo = "refilling";
    this.model.startRound();
    this.sender.enter("probe-refill");
  }

  private startUp(now: Milliseconds, _rate: RateSample): void {
    this.echo = "probe-starting";
    this.since = now;
    this.model.startRound();
    this.model.forgetPlateau();
    this.sender.enter("probe-up");
    this.steepen();
  }

  /** BBRIsTimeToProbeBW: after two or three seconds, or as often as a Reno flow of this size would need. */
  private isTimeToProbe(now: Milliseconds, target: number): boolean {
    const renoRounds = Math.min(target, this.sender.window) / this.sender.segmentSize;
    return now - this.since > this.wait || this.rounds >= Math.min(renoRounds, LONGEST_PROBE_ROUNDS);
  }

  /** BBRIsTimeToGoDown: more in flight brings no more bandwidth. */
  private isTimeToGoDown(sample: AcknowledgmentSample): boolean {
    const { model, sender } = this;
    if (sample.limited && sender.window >= model.inFlightLimit) {
      // It is our own limit that holds us back, so a plateau means nothing.
      model.forgetPlateau();
      return false;
    }
    return model.isPlateau;
  }

  /** BBRAdaptLongTermModel */
  private adaptLimit(sample: AcknowledgmentSample, rate: RateSample): void {
    const { model, sender } = this;
    if (this.echo === "probe-starting" && model.roundStart) this.echo = "probe-feedback";
    if (this.echo === "probe-stopping" && model.roundStart) {
      this.isProbing = false;
      this.echo = "none";
      if (sender.state.startsWith("probe-") && sender.state !== "probe-rtt" && !rate.applicationLimited) model.nextCycle();
    }
    if (this.isTooMuch(rate)) {
      if (this.isProbing) this.tooMuch(sample, rate);
      return;
    }
    if (model.inFlightLimit === Number.POSITIVE_INFINITY) return;
    model.inFlightLimit = Math.max(model.inFlightLimit, rate.inFlightWhenSent);
    if (sender.state === "probe-up") this.raiseLimit(sample);
  }

  /** BBRHandleInflightTooHigh */
  private tooMuch({ now }: AcknowledgmentSample, rate: RateSample): void {
    const { model, sender } = this;
    this.isProbing = false;
    if (!rate.applicationLimited) {
      const target = Math.min(model.pipe(model.bandwidthMaximum, 1) ?? sender.window, sender.window);
      model.inFlightLimit = Math.max(rate.inFlightWhenSent, BETA * target);
    }
    if (sender.state === "probe-up") this.startDown(now);
  }

  /** BBRProbeInflightLongTermUpward: by one segment a round, two in the next, then four … */
  private raiseLimit({ limited, octets }: AcknowledgmentSample): void {
    const { model, sender } = this;
    if (!limited || sender.window < model.inFlightLimit) return;
    this.acknowledged += octets;
    if (this.acknowledged >= this.octetsForOne) {
      const segments = Math.floor(this.acknowledged / this.octetsForOne);
      this.acknowledged -= segments * this.octetsForOne;
      model.inFlightLimit += segments * sender.segmentSize;
    }
    if (model.roundStart) this.steepen();
  }

  private steepen(): void {
    this.octetsForOne = Math.max(this.sender.window / 2 ** this.slope, this.sender.segmentSize);
    this.slope = Math.min(this.slope + 1, LARGEST_SLOPE);
  }
}
