// How much to send during recovery (Proportional Rate Reduction, RFC 6937 §3, with its slow start reduction bound).

/** All sizes in octets. The window shrinks with what the acknowledgments report delivered, not in one step. */
export class ProportionalRateReduction {
  /** cwnd while recovery lasts. */
  window = 0;
  private threshold = 0;
  /** RecoverFS: FlightSize at the start of recovery. */
  private recoverFlightSize = 1;
  /** prr_delivered */
  private delivered = 0;
  /** prr_out */
  private out = 0;

  start(flightSize: number, threshold: number): void {
    this.threshold = threshold;
    this.recoverFlightSize = Math.max(1, flightSize);
    this.delivered = 0;
    this.out = 0;
  }

  sent(octets: number): void {
    this.out += octets;
  }

  /** @param delivered octets that this acknowledgment reports as arrived for the first time; @param pipe octets in flight */
  acknowledged(delivered: number, pipe: number, segmentSize: number): void {
    this.delivered += delivered;
    let count: number;
    if (pipe > this.threshold) {
      count = Math.ceil((this.delivered * this.threshold) / this.recoverFlightSize) - this.out;
    } else {
      const limit = Math.max(this.delivered - this.out, delivered) + segmentSize;
      count = Math.min(this.threshold - pipe, limit);
    }
    // The first acknowledgment must let the first retransmission out, whatever the sum says.
    if (this.out === 0) count = Math.max(count, segmentSize);
    this.window = pipe + Math.max(0, count);
  }
}
