// What BBR believes about the path: its bandwidth, its round trip, how much it holds (draft-ietf-ccwg-bbr §5.5).
import type { Milliseconds } from "@netstrata/core";
import type { AcknowledgmentSample, RateSample } from "../acknowledgment-sample.ts";
import { AGGREGATION_ROUNDS, BANDWIDTH_CYCLES, BETA, FULL_GROWTH, FULL_ROUNDS, ROUND_TRIP_LIFETIME } from "./bbr-parameters.ts";

/** Octets, octets a second, ms. */
export class PathModel {
  /** BBR.min_rtt; Infinity before the first measurement. */
  shortestRoundTrip: Milliseconds = Number.POSITIVE_INFINITY;
  private shortestSince: Milliseconds = 0;
  /** BBR.bw_shortterm and BBR.inflight_shortterm: bounds after losses, until the next probe. */
  bandwidthBound: number = Number.POSITIVE_INFINITY;
  inFlightBound: number = Number.POSITIVE_INFINITY;
  /** BBR.inflight_longterm: what may be in flight without too much loss. */
  inFlightLimit: number = Number.POSITIVE_INFINITY;
  /** BBR.round_start, and how many rounds there were. */
  roundStart = false;
  rounds = 0;
  /** BBR.full_bw_now, BBR.full_bw_reached */
  isPlateau = false;
  pipeIsFull = false;
  /** BBR.loss_in_round */
  lossInRound = false;
  /** BBR.loss_events_in_round */
  lossEvents = 0;
  /** BBR.bw_latest, BBR.inflight_latest: the most in the round up to now. */
  bandwidthLatest = 0;
  inFlightLatest = 0;
  private lossRoundStart = false;
  private lossRoundDelivered = 0;
  private nextRoundDelivered = 0;
  private plateauBandwidth = 0;
  private plateauRounds = 0;
  /** BBR.MaxBwFilter: the highest rate of this cycle of probing and of the one before. */
  private readonly cycles: number[] = new Array<number>(BANDWIDTH_CYCLES).fill(0);
  /** BBR.ExtraACKedFilter: what came beyond the bandwidth in bursts, of the last rounds. */
  private readonly aggregation: { octets: number; round: number }[] = [];
  private aggregationSince: Milliseconds = 0;
  private aggregationDelivered = 0;
  private delivered = 0;

  /** BBR.max_bw */
  get bandwidthMaximum(): number {
    return Math.max(...this.cycles);
  }

  /** BBR.bw */
  get bandwidth(): number {
    return Math.min(this.bandwidthMaximum, this.bandwidthBound);
  }

  /** BBR.extra_acked */
  get extraAcknowledged(): number {
    return this.aggregation[0]?.octets ?? 0;
  }

  /** BBRBDPMultiple; undefined before there is anything to go by. */
  pipe(bandwidth: number, gain: number): number | undefined {
    if (this.shortestRoundTrip === Number.POSITIVE_INFINITY || bandwidth === 0) return undefined;
    return (gain * bandwidth * this.shortestRoundTrip) / 1000;
  }

  /** BBRUpdateLatestDeliverySignals, BBRUpdateCongestionSignals but for the lower bounds, BBRUpdateACKAggregation, BBRCheckFullBWReached. */
  update(sample: AcknowledgmentSample, rate: RateSample): void {
    this.delivered = rate.totalDelivered;
    this.bandwidthLatest = Math.max(this.bandwidthLatest, rate.deliveryRate);
    this.inFlightLatest = Math.max(this.inFlightLatest, rate.totalDelivered - rate.priorDelivered);
    this.lossRoundStart = rate.priorDelivered >= this.lossRoundDelivered;
    if (this.lossRoundStart) this.lossRoundDelivered = rate.totalDelivered;
    this.roundStart = rate.priorDelivered >= this.nextRoundDelivered;
    if (this.roundStart) {
      this.startRound();
      this.rounds += 1;
    }
    if (rate.deliveryRate >= this.bandwidthMaximum || !rate.applicationLimited)
      this.cycles[0] = Math.max(this.cycles[0], rate.deliveryRate);
    if (sample.lost > 0) {
      this.lossInRound = true;
      this.lossEvents += 1;
    }
    this.updateAggregation(sample);
    this.judgePlateau(rate);
  }

  /** BBRAdaptLowerBoundsFromCongestion: once a round in which there was loss, but not while we look for more. */
  adaptBounds(isProbing: boolean, window: number): void {
    if (!this.lossRoundStart || !this.lossInRound || isProbing) return;
    if (this.bandwidthBound === Number.POSITIVE_INFINITY) this.bandwidthBound = this.bandwidthMaximum;
    if (this.inFlightBound === Number.POSITIVE_INFINITY) this.inFlightBound = window;
    this.bandwidthBound = Math.max(this.bandwidthLatest, BETA * this.bandwidthBound);
    this.inFlightBound = Math.max(this.inFlightLatest, BETA * this.inFlightBound);
  }

  /** BBRAdvanceLatestDeliverySignals */
  endOfUpdate(rate: RateSample): void {
    if (!this.lossRoundStart) return;
    this.lossInRound = false;
    this.lossEvents = 0;
    this.bandwidthLatest = rate.deliveryRate;
    this.inFlightLatest = rate.totalDelivered - rate.priorDelivered;
  }

  /** BBRUpdateMinRTT, the long filter: `shortest` is what the last interval of ProbeRTT has shown. */
  updateRoundTrip(shortest: Milliseconds, now: Milliseconds): void {
    if (shortest >= this.shortestRoundTrip && now - this.shortestSince <= ROUND_TRIP_LIFETIME) return;
    this.shortestRoundTrip = shortest;
    this.shortestSince = now;
  }

  /** BBRAdvanceMaxBwFilter: another cycle of probing begins. */
  nextCycle(): void {
    this.cycles.unshift(0);
    this.cycles.pop();
    // A cycle without a sample must not make the path look dead.
    if (this.bandwidthMaximum === 0) this.cycles[0] = this.bandwidthLatest;
  }

  startRound(): void {
    this.nextRoundDelivered = this.delivered;
  }

  /** BBRResetShortTermModel */
  forgetBounds(): void {
    this.bandwidthBound = Number.POSITIVE_INFINITY;
    this.inFlightBound = Number.POSITIVE_INFINITY;
  }

  /** BBRResetCongestionSignals */
  forgetSignals(): void {
    this.lossInRound = false;
    this.lossEvents = 0;
    this.bandwidthLatest = 0;
    this.inFlightLatest = 0;
  }

  /** BBRResetFullBW */
  forgetPlateau(): void {
    this.plateauBandwidth = 0;
    this.plateauRounds = 0;
    this.isPlateau = false;
  }

  restartAggregation(now: Milliseconds): void {
    this.aggregationSince = now;
    this.aggregationDelivered = 0;
  }

  private judgePlateau(rate: RateSample): void {
    if (this.isPlateau || !this.roundStart || rate.applicationLimited || rate.deliveryRate === 0) return;
    if (rate.deliveryRate >= this.plateauBandwidth * FULL_GROWTH) {
      this.forgetPlateau();
      this.plateauBandwidth = rate.deliveryRate;
      return;
    }
    this.plateauRounds += 1;
    this.isPlateau = this.plateauRounds >= FULL_ROUNDS;
    if (this.isPlateau) this.pipeIsFull = true;
  }

  private updateAggregation({ now, octets, inFlight }: AcknowledgmentSample): void {
    const expected = (this.bandwidth * (now - this.aggregationSince)) / 1000;
    if (this.aggregationDelivered <= expected) this.restartAggregation(now);
    this.aggregationDelivered += octets;
    const expectedNow = (this.bandwidth * (now - this.aggregationSince)) / 1000;
    const extra = Math.min(Math.max(0, this.aggregationDelivered - expectedNow), inFlight + octets);
    // A windowed maximum: what is smaller than a newer one is of no more use.
    while (this.aggregation.length > 0 && this.aggregation[this.aggregation.length - 1].octets <= extra) this.aggregation.pop();
    this.aggregation.push({ octets: extra, round: this.rounds });
    const oldest = this.rounds - (this.pipeIsFull ? AGGREGATION_ROUNDS : 1);
    while (this.aggregation.length > 1 && this.aggregation[0].round < oldest) this.aggregation.shift();
  }
}
