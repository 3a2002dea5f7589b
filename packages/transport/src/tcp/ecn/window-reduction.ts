// The answer of the sender to marks: the window shrinks once for all marks of one round trip (RFC 3168 §6.1.2, RFC 8311 §4.1).
import { isAfter, isAtOrAfter, type SequenceNumber } from "@netstrata/core";
import { ProportionalRateReduction } from "../loss-recovery/proportional-rate-reduction.ts";
import { reportCongestion } from "../tcp-events.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";

/** Linux's state CWR. It ends when all is acknowledged that was sent before the mark was heard of, or in loss recovery. */
export class WindowReduction {
  /** SND.NXT when the window was reduced; undefined: no reduction is under way. */
  private end: SequenceNumber | undefined;
  /** SND.NXT when the window was reduced otherwise: until it is acknowledged, marks belong to a window that was dealt with. */
  private settledEnd: SequenceNumber | undefined;
  private readonly reduction = new ProportionalRateReduction();

  get active(): boolean {
    return this.end !== undefined;
  }

  /** How much may be in flight meanwhile: what is acknowledged lets a part of it out, so that there is no pause. */
  get window(): number {
    return this.reduction.window;
  }

  sent(octets: number): void {
    if (this.end !== undefined) this.reduction.sent(octets);
  }

  /** The window was reduced for a loss: what stands in its place is loss recovery's from now on. */
  lossFound(next: SequenceNumber): void {
    this.end = undefined;
    this.settledEnd = next;
  }

  /** SND.UNA and the scoreboard are up to date. `marks`: the acknowledgment reports some; `flightSize` was in flight before it. */
  acknowledged(tcb: TransmissionControlBlock, marks: number, deliveredLength: number, flightSize: number): void {
    const { una } = tcb.snd;
    if (this.settledEnd !== undefined && isAtOrAfter(una, this.settledEnd)) this.settledEnd = undefined;
    // Something sent behind it must be acknowledged: by then the peer has heard of CWR, and its ECE is a new one.
    if (this.end !== undefined && isAfter(una, this.end)) this.finish(tcb);
    if (marks > 0 && this.end === undefined && this.settledEnd === undefined) this.start(tcb, flightSize);
    if (this.end !== undefined) this.reduction.acknowledged(deliveredLength, tcb.inFlight, tcb.segmentSize);
  }

  private start(tcb: TransmissionControlBlock, flightSize: number): void {
    const { congestion } = tcb;
    if (congestion.congestionExperienced === undefined) congestion.enterRecovery(flightSize, tcb.clock.now());
    else congestion.congestionExperienced(flightSize, tcb.clock.now());
    // A model of the path has a window of its own at any time.
    if (congestion.delivered === undefined) this.end = tcb.snd.nxt;
    else this.settledEnd = tcb.snd.nxt;
    this.reduction.start(flightSize, congestion.window);
    tcb.ecn?.windowReduced();
    reportCongestion(tcb, "marked");
  }

  private finish(tcb: TransmissionControlBlock): void {
    this.end = undefined;
    reportCongestion(tcb, "reduced");
  }
}

/** Loss recovery has reduced the window: the peer hears of it by CWR, and marks of the same window ask for nothing more (RFC 3168 §6.1.2). */
export function windowReducedForLoss(tcb: TransmissionControlBlock): void {
  tcb.ecn?.reduction.lossFound(tcb.snd.nxt);
  tcb.ecn?.windowReduced();
}
