// The retransmission timeout (RFC 6298), as arithmetic: it knows no clock and no timer.
import type { Milliseconds, SequenceNumber } from "@netstrata/core";
import {
  GRANULARITY,
  LinuxEstimator,
  Rfc6298Estimator,
  type RoundTripEstimator,
  type RoundTripEstimatorName,
} from "./round-trip-estimator.ts";

/** §5.7: the value after the three-way handshake when the SYN had to be sent again. */
const RTO_AFTER_LOST_SYN: Milliseconds = 3000;

export class RetransmissionTimeout {
  /** RTO, not backed off. */
  private base: Milliseconds;
  private backedOff: Milliseconds;
  private readonly maximum: Milliseconds;
  private readonly estimator: RoundTripEstimator;
  /** Only a measurement ends the back-off, as Karn's rule has it. */
  private readonly strict: boolean;

  /**
   * @param initial §2.1: before the first measurement
   * @param maximum §2.5: an upper bound, of at least 60 seconds
   */
  constructor(initial: Milliseconds = 1000, maximum: Milliseconds = 60_000, estimator: RoundTripEstimatorName = "rfc") {
    this.base = initial;
    this.backedOff = initial;
    this.maximum = maximum;
    this.strict = estimator === "linux";
    this.estimator = this.strict ? new LinuxEstimator() : new Rfc6298Estimator();
  }

  /** SRTT; undefined before the first measurement. */
  get smoothed(): Milliseconds | undefined {
    return this.estimator.smoothed;
  }

  /** RTTVAR */
  get variation(): Milliseconds | undefined {
    return this.estimator.variation;
  }

  /** The timeout to arm the timer with. */
  get value(): Milliseconds {
    return this.backedOff;
  }

  /** A measurement R of the round trip, taken as Karn's rule allows (§3). It ends any back-off (§5.7 note). */
  measured(roundTrip: Milliseconds, minimum: Milliseconds, una: SequenceNumber = 0, nxt: SequenceNumber = 0): void {
    this.base = Math.min(this.maximum, this.estimator.measured(roundTrip, minimum, una, nxt));
    this.backedOff = this.base;
  }

  /** §5.5: the timer expired; the timeout doubles. */
  backOff(): void {
    this.backedOff = Math.min(this.maximum, this.backedOff * 2);
  }

  /**
   * What had been sent more than once is acknowledged, `elapsed` after it was last sent, and no timestamp tells which copy is meant. Where
   * that is a round trip as it is known, the retransmission got through, and the back-off has served. Otherwise it may be an earlier copy that
   * came late: then the path is slower than was thought, and only the backed-off timeout lets a segment be measured (§5, note after 5.7).
   */
  retransmissionAcknowledged(elapsed: Milliseconds): void {
    const { smoothed, variation } = this;
    if (this.strict || smoothed === undefined || variation === undefined) return;
    if (Math.abs(elapsed - smoothed) <= Math.max(GRANULARITY, 4 * variation)) this.endBackOff();
  }

  /** What was backed off for is over. */
  endBackOff(): void {
    this.backedOff = this.base;
  }

  /** §5.7: the SYN was retransmitted, so the handshake gave no measurement. */
  handshakeWithoutMeasurement(): void {
    this.base = RTO_AFTER_LOST_SYN;
    this.backedOff = RTO_AFTER_LOST_SYN;
  }
}
