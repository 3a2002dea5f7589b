// ProbeRTT: every five seconds the queue is let run empty, to see how short the way is (draft-ietf-ccwg-bbr §5.3.4).
import type { Milliseconds } from "@netstrata/core";
import type { AcknowledgmentSample } from "../acknowledgment-sample.ts";
import { PROBE_RTT_DURATION, PROBE_RTT_INTERVAL } from "./bbr-parameters.ts";
import type { PathModel } from "./path-model.ts";

export class RoundTripProbe {
  /** BBR.probe_rtt_min_delay, BBR.probe_rtt_min_stamp */
  shortest: Milliseconds = Number.POSITIVE_INFINITY;
  private since: Milliseconds = 0;
  /** BBR.probe_rtt_done_stamp: when it may end; undefined until little enough is in flight. */
  private doneAt: Milliseconds | undefined;
  private roundDone = false;

  start(roundTrip: Milliseconds, now: Milliseconds): void {
    this.shortest = roundTrip;
    this.since = now;
  }

  /** Takes a measurement. @returns whether none as short was seen for so long that it is time to probe */
  measured(roundTrip: Milliseconds | undefined, now: Milliseconds): boolean {
    const isDue = this.shortest !== Number.POSITIVE_INFINITY && now - this.since > PROBE_RTT_INTERVAL;
    if (roundTrip !== undefined && (roundTrip < this.shortest || isDue)) this.start(roundTrip, now);
    return isDue;
  }

  enter(): void {
    this.doneAt = undefined;
    this.roundDone = false;
  }

  /** BBRHandleProbeRTT: 200 ms and a round trip with no more than `window` in flight. */
  isDone({ now, inFlight }: AcknowledgmentSample, window: number, model: PathModel): boolean {
    if (this.doneAt === undefined) {
      if (inFlight > window) return false;
      this.doneAt = now + PROBE_RTT_DURATION;
      this.roundDone = false;
      model.startRound();
      return false;
    }
    if (model.roundStart) this.roundDone = true;
    return this.roundDone && now >= this.doneAt;
  }

  leave(now: Milliseconds): void {
    this.since = now;
  }
}
