// NewReno: slow start, congestion avoidance, fast recovery (RFC 5681, RFC 6582), initial window of ten segments (RFC 6928).
import type { CongestionControl } from "./congestion-control.ts";

/** RFC 6928 §2: min(10 SMSS, max(2 SMSS, 14600)). */
function initialWindow(segmentSize: number): number {
  return Math.min(10 * segmentSize, Math.max(2 * segmentSize, 14600));
}

export class NewReno implements CongestionControl {
  readonly name = "newreno";
  /** One segment of the default size until the handshake is complete. */
  window = 536;
  /** RFC 5681 §3.1: arbitrarily high at first. */
  threshold: number = Number.POSITIVE_INFINITY;
  private segmentSize = 536;
  /** Octets acknowledged in congestion avoidance since the window last grew. */
  private counted = 0;

  established(segmentSize: number, synLost: boolean): void {
    this.segmentSize = segmentSize;
    // RFC 5681 §3.1: after a lost SYN the network gets one segment.
    this.window = synLost ? segmentSize : initialWindow(segmentSize);
  }

  segmentSizeChanged(segmentSize: number): void {
    this.segmentSize = segmentSize;
    this.window = Math.max(this.window, segmentSize);
  }

  acknowledged(octets: number, limited: boolean): void {
    // RFC 7661 §1: a window that was not used has not been shown to fit.
    if (!limited) return;
    if (this.window < this.threshold) {
      // Equation 2: at most one SMSS for each acknowledgment, however much it covers.
      this.window += Math.min(octets, this.segmentSize);
      return;
    }
    // RFC 5681 §3.1, the recommended way: one SMSS for each window's worth of octets acknowledged.
    this.counted += octets;
    if (this.counted >= this.window) {
      this.counted -= this.window;
      this.window += this.segmentSize;
    }
  }

  enterRecovery(flightSize: number): void {
    this.halve(flightSize);
    this.window = this.threshold;
  }

  leaveRecovery(flightSize: number): void {
    // RFC 6582 §3.2 step 3, option 1: avoids a burst when little is in flight.
    this.window = Math.min(this.threshold, Math.max(flightSize, this.segmentSize) + this.segmentSize);
  }

  timedOut(flightSize: number, again: boolean): void {
    // RFC 5681 §3.1: for a segment that timed out before, the threshold stays.
    if (!again) this.halve(flightSize);
    this.window = this.segmentSize;
    this.counted = 0;
  }

  idled(): void {
    // RFC 5681 §4.1: the restart window.
    this.window = Math.min(this.window, initialWindow(this.segmentSize));
  }

  /** Equation 4. */
  private halve(flightSize: number): void {
    this.threshold = Math.max(Math.floor(flightSize / 2), 2 * this.segmentSize);
    this.counted = 0;
  }
}
