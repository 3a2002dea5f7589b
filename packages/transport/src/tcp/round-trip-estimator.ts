// From round trips to a timeout: the mean and the variation of RFC 6298 §2, and Linux's variation of them.
import { isAfter, type Milliseconds, type SequenceNumber } from "@netstrata/core";

export type RoundTripEstimatorName = "rfc" | "linux";

export interface RoundTripEstimator {
  /** SRTT; undefined before the first measurement. */
  readonly smoothed: Milliseconds | undefined;
  /** RTTVAR */
  readonly variation: Milliseconds | undefined;
  /** Takes a round trip of at least 0. Returns the RTO, not bounded above. `una` and `nxt` tell one flight from the next. */
  measured(roundTrip: Milliseconds, minimum: Milliseconds, una: SequenceNumber, nxt: SequenceNumber): Milliseconds;
}

/** §2.3: gains and the factor of the variation. */
const ALPHA = 1 / 8;
const BETA = 1 / 4;
const K = 4;
/** §2: clock granularity G. */
export const GRANULARITY: Milliseconds = 1;

export class Rfc6298Estimator implements RoundTripEstimator {
  smoothed: Milliseconds | undefined = undefined;
  variation: Milliseconds | undefined = undefined;

  measured(roundTrip: Milliseconds, minimum: Milliseconds): Milliseconds {
    if (this.smoothed === undefined || this.variation === undefined) {
      this.smoothed = roundTrip;
      this.variation = roundTrip / 2;
    } else {
      this.variation = (1 - BETA) * this.variation + BETA * Math.abs(this.smoothed - roundTrip);
      this.smoothed = (1 - ALPHA) * this.smoothed + ALPHA * roundTrip;
    }
    // §2.4
    return Math.max(minimum, this.smoothed + Math.max(GRANULARITY, K * this.variation));
  }
}

const MICROSECONDS = 1000;

/**
 * Linux reckons in whole microseconds, with the mean eightfold and the variation fourfold; bounds the variation below, not the
 * timeout; takes the largest variation of each flight; and lets it fall slowly, also when round trips get shorter.
 */
export class LinuxEstimator implements RoundTripEstimator {
  /** srtt_us, mdev_us, mdev_max_us, rttvar_us, rtt_seq */
  private mean = 0;
  private deviation = 0;
  private largestDeviation = 0;
  private bound = 0;
  private flightEnd: SequenceNumber = 0;

  get smoothed(): Milliseconds | undefined {
    return this.mean === 0 ? undefined : (this.mean >>> 3) / MICROSECONDS;
  }

  get variation(): Milliseconds | undefined {
    return this.mean === 0 ? undefined : (this.deviation >>> 2) / MICROSECONDS;
  }

  measured(roundTrip: Milliseconds, minimum: Milliseconds, una: SequenceNumber, nxt: SequenceNumber): Milliseconds {
    const measured = Math.max(1, Math.round(roundTrip * MICROSECONDS));
    const least = minimum * MICROSECONDS;
    if (this.mean === 0) this.start(measured, least, nxt);
    else this.update(measured, least, una, nxt);
    // Timers count in milliseconds.
    return Math.ceil(((this.mean >>> 3) + this.bound) / MICROSECONDS);
  }

  private start(measured: number, least: number, nxt: SequenceNumber): void {
    this.mean = measured * 8;
    this.deviation = measured * 2;
    this.bound = Math.max(this.deviation, least);
    this.largestDeviation = this.bound;
    this.flightEnd = nxt;
  }

  private update(measured: number, least: number, una: SequenceNumber, nxt: SequenceNumber): void {
    const error = measured - (this.mean >>> 3);
    this.mean = Math.max(1, this.mean + error);
    let change = Math.abs(error) - (this.deviation >>> 2);
    // A round trip that became shorter must not make the timeout longer.
    if (error < 0 && change > 0) change >>= 3;
    this.deviation += change;
    if (this.deviation > this.largestDeviation) {
      this.largestDeviation = this.deviation;
      this.bound = Math.max(this.bound, this.largestDeviation);
    }
    if (!isAfter(una, this.flightEnd)) return;
    if (this.largestDeviation < this.bound) this.bound -= (this.bound - this.largestDeviation) >>> 2;
    this.flightEnd = nxt;
    this.largestDeviation = least;
  }
}
