// How fast the network delivers: a sample from each acknowledgment (draft-ietf-ccwg-bbr §4.1, delivery rate estimation).
import { type Milliseconds, sequenceAdd, sequenceDistance } from "@netstrata/core";
import type { RateSample } from "./congestion/acknowledgment-sample.ts";
import type { SentSegment } from "./sent-segment.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** What was known when a segment was last sent (P.* in the draft); octets and ms. */
export interface SendingRecord {
  readonly delivered: number;
  readonly deliveredAt: Milliseconds;
  readonly firstSentAt: Milliseconds;
  readonly sentAt: Milliseconds;
  readonly applicationLimited: boolean;
  /** With the segment itself. */
  readonly inFlight: number;
  readonly lost: number;
}

/** One for each connection whose congestion control wants rates. */
export class DeliveryRate {
  /** C.delivered, C.delivered_time: all that ever arrived, and when that became known. */
  private delivered = 0;
  private deliveredAt: Milliseconds = 0;
  /** C.first_sent_time: when the segment was sent that was last known to arrive. */
  private firstSentAt: Milliseconds = 0;
  /** C.app_limited: until so much was delivered, samples are of a sender that had too little to send; 0: it had enough. */
  private limitedUntil = 0;

  /** `segment` goes out, and `inFlight` was in flight before it. */
  sent(segment: SentSegment, inFlight: number, lost: number, now: Milliseconds): void {
    if (inFlight <= 0) {
      this.firstSentAt = now;
      this.deliveredAt = now;
    }
    segment.sending = {
      delivered: this.delivered,
      deliveredAt: this.deliveredAt,
      firstSentAt: this.firstSentAt,
      sentAt: now,
      applicationLimited: this.limitedUntil > 0,
      inFlight: inFlight + ((segment.end - segment.start) >>> 0),
      lost,
    };
  }

  /** The sender has nothing more to send although it could: what follows says little about the path. */
  limitedByApplication(inFlight: number): void {
    this.limitedUntil = Math.max(1, this.delivered + inFlight);
  }

  /**
   * @param arrived segments that are known for the first time to have arrived
   * @param octets of the same and of parts of segments
   * @param shortest the shortest round trip known: a shorter interval is an accident of aggregation
   */
  acknowledged(
    arrived: readonly SentSegment[],
    octets: number,
    lost: number,
    shortest: Milliseconds,
    now: Milliseconds,
  ): RateSample | undefined {
    this.delivered += octets;
    this.deliveredAt = now;
    const newest = newestOf(arrived);
    if (this.limitedUntil > 0 && this.delivered > this.limitedUntil) this.limitedUntil = 0;
    if (newest === undefined) return undefined;
    this.firstSentAt = newest.sentAt;
    // As fast as it was sent, or as it was acknowledged, whichever is slower: neither a burst nor compressed acknowledgments deceive.
    const interval = Math.max(newest.sentAt - newest.firstSentAt, now - newest.deliveredAt);
    const isLongEnough = interval > 0 && interval >= shortest;
    return {
      totalDelivered: this.delivered,
      priorDelivered: newest.delivered,
      deliveryRate: isLongEnough ? (1000 * (this.delivered - newest.delivered)) / interval : 0,
      applicationLimited: newest.applicationLimited,
      inFlightWhenSent: newest.inFlight,
      lost: lost - newest.lost,
    };
  }
}

/** The one that was sent last. */
function newestOf(arrived: readonly SentSegment[]): SendingRecord | undefined {
  let newest: SendingRecord | undefined;
  for (const { sending } of arrived) {
    if (sending === undefined) continue;
    if (
      newest === undefined ||
      sending.delivered > newest.delivered ||
      (sending.delivered === newest.delivered && sending.sentAt >= newest.sentAt)
    ) {
      newest = sending;
    }
  }
  return newest;
}

/**
 * At the end of an event: is it the user who is slow (§4.1.2.4)? Or the peer, whose window is full: beyond the draft, but it says as little about
 * the path, and kernels begin with small windows.
 */
export function noteApplicationLimit(tcb: TransmissionControlBlock): void {
  const { deliveryRate, snd } = tcb;
  if (deliveryRate === undefined || tcb.congestionLimited || tcb.scoreboard.lostLength > 0 || tcb.isArmed("pacing")) return;
  const unsent = sequenceDistance(snd.nxt, tcb.sendEnd);
  const usable = sequenceDistance(snd.nxt, sequenceAdd(snd.una, snd.wnd));
  if (Math.min(unsent, usable) < tcb.segmentSize) deliveryRate.limitedByApplication(tcb.inFlight);
}
