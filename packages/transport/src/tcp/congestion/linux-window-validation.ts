// Window validation as Linux does it, after RFC 2861: a window's worth of memory of whether it was full, and decay when it was not.
import { isBefore, type Milliseconds, type SequenceNumber } from "@netstrata/core";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import { rememberedThreshold } from "./idle-restart.ts";
import { initialWindow } from "./initial-window.ts";
import type { WindowValidation } from "./window-validation.ts";

export class LinuxWindowValidation implements WindowValidation {
  /** The window was full at some time since SND.NXT was `usageEnd`. */
  private limited = false;
  /** The most that was out in that time, when it was not. */
  private mostOut = 0;
  private usageEnd: SequenceNumber | undefined;
  /** The most that was out since `usedSince`, and since when the window has not been full. */
  private mostUsed = 0;
  private usedSince: Milliseconds = 0;

  sent(tcb: TransmissionControlBlock, limited: boolean): void {
    const out = tcb.scoreboard.count * tcb.segmentSize;
    const isNewRound = this.usageEnd === undefined || !isBefore(tcb.snd.una, this.usageEnd);
    if (isNewRound || limited || (!this.limited && out > this.mostOut)) {
      this.limited = limited;
      this.mostOut = out;
      this.usageEnd = tcb.snd.nxt;
    }
    const now = tcb.clock.now();
    if (this.allowsGrowth(tcb)) {
      this.mostUsed = 0;
      this.usedSince = now;
      return;
    }
    this.mostUsed = Math.max(this.mostUsed, out);
    if (tcb.options.slowStartAfterIdle && now - this.usedSince >= tcb.retransmissionTimeout.value) this.decay(tcb, now);
  }

  acknowledged(): void {}

  recovered(): void {}

  restarted(now: Milliseconds): void {
    this.mostUsed = 0;
    this.usedSince = now;
  }

  allowsGrowth({ congestion }: TransmissionControlBlock): boolean {
    if (this.limited) return true;
    // In slow start the window may be twice what was used.
    return congestion.window < congestion.threshold && congestion.window < 2 * this.mostOut;
  }

  /** RFC 2861 §3.1: for each timeout in which the window was not full it goes half the way to what was used. */
  private decay(tcb: TransmissionControlBlock, now: Milliseconds): void {
    const { congestion, segmentSize, options } = tcb;
    // A connection that has written all that fits is not short of data, and one that repairs losses has other worries.
    if (!tcb.recovery.active && !tcb.sendBlocked) {
      const used = Math.max(this.mostUsed, initialWindow(segmentSize, options.initialWindow));
      if (used < congestion.window) {
        const threshold = rememberedThreshold(congestion.window, congestion.threshold, segmentSize);
        const middle = Math.floor((congestion.window + used) / (2 * segmentSize)) * segmentSize;
        congestion.restrict?.(middle, threshold);
      }
      this.mostUsed = 0;
    }
    this.usedSince = now;
  }
}
