// NewReno: slow start, congestion avoidance and halving (RFC 5681, RFC 6582); a mark takes less than a loss (RFC 8511).
import type { AcknowledgmentSample } from "./acknowledgment-sample.ts";
import { LossBasedControl } from "./loss-based-control.ts";

/** RFC 5681 equation 4. */
const BETA_LOSS = 1 / 2;
/** RFC 8511 §3: beta_{ecn}. */
const BETA_ECN = 0.8;

export class NewReno extends LossBasedControl {
  readonly name = "newreno";
  /** Octets acknowledged in congestion avoidance since the window last grew. */
  private counted = 0;

  protected get slowStartLimit(): number {
    // RFC 5681 §3.1: at most one SMSS for each acknowledgment.
    return this.settings.slowStartLimit ?? 1;
  }

  protected avoidCongestion(octets: number, _sample: AcknowledgmentSample): void {
    // RFC 5681 §3.1, the recommended way: one SMSS for each window's worth of octets acknowledged.
    this.counted += octets;
    if (this.counted < this.window) return;
    const windows = this.settings.accounting === "octets" ? 1 : Math.floor(this.counted / this.window);
    this.counted -= windows * this.window;
    this.window += windows * this.segmentSize;
  }

  protected reduced(base: number, reason: "loss" | "mark"): number {
    this.counted = 0;
    // Linux halves for marks, too.
    return base * (reason === "mark" && this.settings.accounting === "octets" ? BETA_ECN : BETA_LOSS);
  }
}
