// How much to send during recovery: Proportional Rate Reduction (RFC 6937 §3), with the choice of bound that its successor (RFC 9937 §6.2) makes.

/** What an acknowledgment in recovery says. All sizes in octets. */
export interface ReductionNews {
  /** DeliveredData: arrived for the first time, as far as this acknowledgment says so. */
  readonly delivered: number;
  /** What the network holds now. */
  readonly pipe: number;
  /** SafeACK: SND.UNA has moved and nothing more was found lost, so recovery makes progress and may catch up as fast as slow start. */
  readonly safe: boolean;
  readonly segmentSize: number;
  /** What is sent is counted in multiples of this: 1, or a segment. */
  readonly unit: number;
}

/** All sizes in octets. The window shrinks with what the acknowledgments report delivered, not in one step. */
export class ProportionalRateReduction {
  /** cwnd while the reduction lasts. */
  window = 0;
  private threshold = 0;
  /** RecoverFS: what was in flight at the start; Linux takes the congestion window. */
  private recoverFlightSize = 1;
  /** prr_delivered */
  private delivered = 0;
  /** prr_out */
  private out = 0;

  start(flightSize: number, threshold: number, window: number): void {
    this.window = window;
    this.threshold = threshold;
    this.recoverFlightSize = Math.max(1, flightSize);
    this.delivered = 0;
    this.out = 0;
  }

  sent(octets: number): void {
    this.out += octets;
  }

  acknowledged({ delivered, pipe, safe, segmentSize, unit }: ReductionNews): void {
    this.delivered += delivered;
    let count: number;
    if (pipe > this.threshold) {
      const share = (this.delivered * this.threshold) / this.recoverFlightSize;
      count = Math.ceil(share / unit) * unit - this.out;
    } else {
      // The conservative bound; with SafeACK that of slow start.
      const limit = Math.max(this.delivered - this.out, delivered) + (safe ? segmentSize : 0);
      count = Math.min(this.threshold - pipe, limit);
    }
    // RFC 9937 §6.2: the first acknowledgment must let the first retransmission out, whatever the sum says.
    if (this.out === 0) count = Math.max(count, segmentSize);
    this.window = pipe + Math.max(0, count);
  }
}
