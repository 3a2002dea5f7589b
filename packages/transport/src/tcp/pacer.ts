// Pacing: segments are spread over time instead of being sent in bursts (draft-ietf-ccwg-bbr §4.6.2; Aggarwal, Savage, Anderson 2000).
import type { Milliseconds } from "@netstrata/core";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** After a pause so much may go out at once. */
const LARGEST_CREDIT: Milliseconds = 5;
/** A timer that comes late must not make the sender slower: what could have been sent meanwhile goes out then, but no more than this much of it. */
const LARGEST_LATENESS: Milliseconds = 50;
/** Waiting for less than this is not worth a timer, so at high rates segments go out in small groups. */
const SHORTEST_WAIT: Milliseconds = 1;
/** As Linux's tcp_pacing_ss_ratio and tcp_pacing_ca_ratio: faster than a window in a round trip, so that it can grow. */
const SLOW_START_GAIN = 2;
const AVOIDANCE_GAIN = 1.2;

export class Pacer {
  /** When the next segment may go out. */
  private nextAt: Milliseconds = Number.NEGATIVE_INFINITY;

  /** Segments have had to wait, and still do: the pacer alone holds the sender back. */
  busy = false;

  /** How long the next segment has to wait at this moment; 0: not at all. */
  wait(now: Milliseconds): Milliseconds {
    return this.nextAt <= now ? 0 : Math.max(SHORTEST_WAIT, this.nextAt - now);
  }

  /** @param rate octets a second */
  sent(octets: number, rate: number, now: Milliseconds): void {
    const earliest = now - (this.busy ? LARGEST_LATENESS : LARGEST_CREDIT);
    this.nextAt = Math.max(this.nextAt, earliest) + (1000 * octets) / rate;
  }
}

/** How fast to send now, in octets a second; Infinity: as fast as windows allow. */
export function pacingRate(tcb: TransmissionControlBlock): number {
  const { congestion, options } = tcb;
  return Math.min(congestion.pacingRate ?? (options.pacing ? windowRate(tcb) : Number.POSITIVE_INFINITY), options.maximumPacingRate);
}

/** For algorithms that know no rate: a window in each round trip, and a little more. */
function windowRate({ congestion, retransmissionTimeout }: TransmissionControlBlock): number {
  const { smoothed } = retransmissionTimeout;
  if (smoothed === undefined || smoothed === 0) return Number.POSITIVE_INFINITY;
  const gain = congestion.window < congestion.threshold / 2 ? SLOW_START_GAIN : AVOIDANCE_GAIN;
  return (gain * 1000 * congestion.window) / smoothed;
}

/** Whether a segment has to wait for its turn; if so the timer that lets it out is running. */
export function isPaced(tcb: TransmissionControlBlock): boolean {
  const { pacer } = tcb;
  if (pacer === undefined) return false;
  const wait = pacer.wait(tcb.clock.now());
  if (wait === 0) return false;
  pacer.busy = true;
  if (!tcb.isArmed("pacing")) tcb.timer("pacing").arm(wait);
  return true;
}

/** Something has gone out. There is a pacer as long as there is a rate to keep. */
export function notePaced(tcb: TransmissionControlBlock, octets: number): void {
  const rate = pacingRate(tcb);
  if (rate === Number.POSITIVE_INFINITY) {
    tcb.pacer = undefined;
    return;
  }
  // Those of which this is one, and which have gone out before, are let go at once.
  if (tcb.statistics.textSegmentsOut + Math.ceil(octets / tcb.segmentSize) < tcb.options.unpacedSegments) return;
  tcb.pacer ??= new Pacer();
  tcb.pacer.sent(octets, rate, tcb.clock.now());
}
