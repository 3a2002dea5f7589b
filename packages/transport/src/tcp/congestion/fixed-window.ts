// A window that never changes, for study: what a sender without congestion control does to a network (RFC 896, RFC 5681 §1).
import type { CongestionControl, CongestionStart } from "./congestion-control.ts";

/** Its size is that of the initial window (`initialWindow`), in segments of the size that the handshake found. */
export class FixedWindow implements CongestionControl {
  readonly name = "fixed";
  window = 536;
  readonly threshold: number = Number.POSITIVE_INFINITY;

  established({ window }: CongestionStart): void {
    this.window = window;
  }

  segmentSizeChanged(): void {}

  acknowledged(): void {}

  enterRecovery(): void {}

  leaveRecovery(): void {}

  timedOut(): void {}

  congestionExperienced(): void {}
}
