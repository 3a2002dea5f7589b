// What is counted of a connection only to be told (RFC 4898 names the same things): `linux-tcp-info.ts` shows it.
import { type Milliseconds, sequenceAdd, sequenceDistance } from "@netstrata/core";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** A minimum is forgotten after so long, so that a longer path is noticed (Linux: tcp_min_rtt_wlen). */
const MINIMUM_LIFETIME: Milliseconds = 300_000;

/** What holds the sender back: nothing is to be sent, the network, the peer's window, or a send buffer too small to keep it busy. */
export type SendLimit = "idle" | "network" | "receive-window" | "send-buffer";

export class ConnectionStatistics {
  /** Segments with text, sent again included. */
  textSegmentsOut = 0;
  textSegmentsIn = 0;
  /** Octets of text, sent again included; and of those that were. */
  textOut = 0;
  textRepeated = 0;
  /** Segments of ours that are known to have arrived, our SYN included. */
  delivered = 0;
  /** Segments that the peer said it received twice (RFC 2883). */
  duplicates = 0;
  /** Segments that arrived ahead of their turn. */
  outOfOrder = 0;
  /** When text last arrived; at first, when the handshake was complete. */
  lastTextAt: Milliseconds = 0;
  establishedAt: Milliseconds = 0;
  /** Undefined before the first measurement. */
  minimumRoundTrip: Milliseconds | undefined = undefined;
  private minimumSince: Milliseconds = 0;
  /** Retransmission timeouts, how often they ended, and how long they took in all. */
  timeouts = 0;
  timeoutRecoveries = 0;
  timeoutTime: Milliseconds = 0;
  private timeoutSince: Milliseconds | undefined = undefined;
  private readonly limitTimes: Record<SendLimit, Milliseconds> = { idle: 0, network: 0, "receive-window": 0, "send-buffer": 0 };
  private limit: SendLimit = "idle";
  private limitSince: Milliseconds = 0;

  established(now: Milliseconds): void {
    this.delivered += 1;
    this.establishedAt = now;
    this.lastTextAt = now;
  }

  roundTripMeasured(roundTrip: Milliseconds, now: Milliseconds): void {
    if (this.minimumRoundTrip !== undefined && roundTrip > this.minimumRoundTrip && now - this.minimumSince <= MINIMUM_LIFETIME) return;
    this.minimumRoundTrip = roundTrip;
    this.minimumSince = now;
  }

  /** The retransmission timer has expired. */
  timedOut(now: Milliseconds): void {
    this.timeouts += 1;
    if (this.timeoutSince !== undefined) return;
    this.timeoutRecoveries += 1;
    this.timeoutSince = now;
  }

  /** Something new was acknowledged. */
  advanced(now: Milliseconds): void {
    if (this.timeoutSince === undefined) return;
    this.timeoutTime += now - this.timeoutSince;
    this.timeoutSince = undefined;
  }

  /** Ms spent in timeouts, the present one included. */
  totalTimeoutTime(now: Milliseconds): Milliseconds {
    return this.timeoutTime + (this.timeoutSince === undefined ? 0 : now - this.timeoutSince);
  }

  /** An event has ended with this limit. */
  limitedBy(limit: SendLimit, tcb: TransmissionControlBlock): void {
    if (limit === this.limit) return;
    const now = tcb.clock.now();
    this.limitTimes[this.limit] += now - this.limitSince;
    this.limit = limit;
    this.limitSince = now;
  }

  /** Ms under this limit up to now. */
  limitTime(limit: SendLimit, now: Milliseconds): Milliseconds {
    return this.limitTimes[limit] + (limit === this.limit ? now - this.limitSince : 0);
  }
}

/** In slow start a window of which half is in flight is about to be outgrown (RFC 7661 §4.1), so it is what limits. */
function isGrowing({ congestion, flightSize }: TransmissionControlBlock): boolean {
  return congestion.window < congestion.threshold && congestion.window < 2 * flightSize;
}

/** To be asked when all has been sent that may be. */
export function sendLimit(tcb: TransmissionControlBlock): SendLimit {
  if (tcb.sendBuffer.length === 0) return "idle";
  if (tcb.congestionLimited) return "network";
  const { snd } = tcb;
  const unsent = sequenceDistance(snd.nxt, tcb.sendEnd);
  if (unsent <= 0) return tcb.sendBlocked && !isGrowing(tcb) ? "send-buffer" : "network";
  const usable = sequenceDistance(snd.nxt, sequenceAdd(snd.una, snd.wnd));
  return usable < Math.min(unsent, tcb.segmentSize) ? "receive-window" : "network";
}
