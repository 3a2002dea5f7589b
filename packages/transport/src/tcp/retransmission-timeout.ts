// The retransmission timeout (RFC 6298), as arithmetic: it knows no clock and no timer.
import type { Milliseconds } from "@netstrata/core";

/** §5.7: the value after the three-way handshake when the SYN had to be sent again. */
const RTO_AFTER_LOST_SYN: Milliseconds = 3000;
/** §2.3: gains and the factor of the variation. */
const ALPHA = 1 / 8;
const BETA = 1 / 4;
const K = 4;
/** §2: clock granularity G. */
const GRANULARITY: Milliseconds = 1;

export class RetransmissionTimeout {
  /** SRTT; undefined before the first measurement. */
  smoothed: Milliseconds | undefined;
  /** RTTVAR */
  variation: Milliseconds | undefined;
  /** RTO, not backed off. */
  private base: Milliseconds;
  private backedOff: Milliseconds;
  private readonly maximum: Milliseconds;

  /**
   * @param initial §2.1: before the first measurement
   * @param maximum §2.5: an upper bound, of at least 60 seconds
   */
  constructor(initial: Milliseconds = 1000, maximum: Milliseconds = 60_000) {
    this.base = initial;
    this.backedOff = initial;
    this.maximum = maximum;
  }

  /** The timeout to arm the timer with. */
  get value(): Milliseconds {
    return this.backedOff;
  }

  /** A measurement R of the round trip, taken as Karn's rule allows (§3). It ends any back-off (§5.7 note). */
  measured(roundTrip: Milliseconds, minimum: Milliseconds): void {
    if (this.smoothed === undefined || this.variation === undefined) {
      this.smoothed = roundTrip;
      this.variation = roundTrip / 2;
    } else {
      this.variation = (1 - BETA) * this.variation + BETA * Math.abs(this.smoothed - roundTrip);
      this.smoothed = (1 - ALPHA) * this.smoothed + ALPHA * roundTrip;
    }
    this.base = Math.min(this.maximum, Math.max(minimum, this.smoothed + Math.max(GRANULARITY, K * this.variation)));
    this.backedOff = this.base;
  }

  /** §5.5: the timer expired; the timeout doubles. */
  backOff(): void {
    this.backedOff = Math.min(this.maximum, this.backedOff * 2);
  }

  /**
   * What had been sent more than once is acknowledged, `elapsed` after it was last sent. Where that is a round trip as it is
   * known, the retransmission got through, and the back-off has served. Otherwise it may be an earlier copy that came late: then
   * the path is slower than was thought, and only the backed-off timeout lets a segment be measured (§5, note after 5.7).
   */
  retransmissionAcknowledged(elapsed: Milliseconds): void {
    if (this.smoothed === undefined || this.variation === undefined) return;
    if (Math.abs(elapsed - this.smoothed) <= Math.max(GRANULARITY, K * this.variation)) this.endBackOff();
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
