// How much may be in flight: the one interface of all congestion control algorithms (RFC 5681 §2).
import type { Milliseconds, Random } from "@netstrata/core";
import type { AcknowledgmentSample } from "./acknowledgment-sample.ts";

/** What the connection's options say to the algorithm it makes. */
export interface CongestionSettings {
  /**
   * "octets": as the RFCs reckon. "segments": as Linux does, where every segment counts as a full one, windows are whole segments
   * and what is halved is the window, not what is in flight.
   */
  readonly accounting: CongestionAccounting;
  /** Leave slow start before the first loss (RFC 9406). */
  readonly hystart: boolean;
  /** L of RFC 3465 §2.3: segments by which one acknowledgment lets the window grow in slow start; undefined: as the algorithm's RFC says. */
  readonly slowStartLimit: number | undefined;
  /** Sending is paced, whatever the algorithm. */
  readonly paced: boolean;
  readonly random: Random;
}

export type CongestionAccounting = "octets" | "segments";

/** Makes the congestion control of one connection. */
export type CongestionControlFactory = (settings: CongestionSettings) => CongestionControl;

/** Where an algorithm begins: at the end of the handshake, or where another one left off. Sizes in octets. */
export interface CongestionStart {
  /** SMSS */
  readonly segmentSize: number;
  /** The initial window (RFC 6928), or the other algorithm's. */
  readonly window: number;
  /** RFC 5681 §3.1: arbitrarily high at first. */
  readonly threshold: number;
  /** Of the handshake; undefined when it could not be measured. */
  readonly roundTrip: Milliseconds | undefined;
  readonly now: Milliseconds;
}

/**
 * All sizes in octets. The algorithm only computes; who is lost and what to send again is loss recovery's business, and idle or
 * unused windows are window validation's. Of the two kinds of algorithm the classical one lets the window grow in `acknowledged` and
 * leaves the time of recovery to proportional rate reduction; one that makes a model of the path (BBR) has `delivered` instead, and
 * its window holds always.
 */
export interface CongestionControl {
  readonly name: string;
  /** cwnd */
  readonly window: number;
  /** ssthresh */
  readonly threshold: number;
  /** Octets a second at which to send; absent or Infinity: the algorithm does not ask for pacing. */
  readonly pacingRate?: number;
  /** It sends less than the path takes, on purpose: delivery rates of that time are not the path's. */
  readonly holdsBack?: boolean;
  established(start: CongestionStart): void;
  /** The path takes another segment size now. */
  segmentSizeChanged(segmentSize: number): void;
  /** New data was acknowledged outside of loss recovery. The sample is lent for the call. */
  acknowledged(sample: AcknowledgmentSample): void;
  /** Something was delivered, in recovery or not, cumulatively or by SACK. Its presence turns delivery rate sampling on, and proportional rate reduction off. */
  delivered?(sample: AcknowledgmentSample): void;
  /** A loss was found other than by a timeout; `flightSize` was in flight (RFC 5681 §3.2 step 2). The window becomes the threshold. */
  enterRecovery(flightSize: number, now: Milliseconds): void;
  /** What was lost is repaired; `flightSize` is in flight now. Called in the end of recovery without SACK (RFC 6582 §3.2 step 3) and of models. */
  leaveRecovery(flightSize: number): void;
  /** The retransmission timer expired (RFC 5681 §3.1, equation 4 and after); `again` when the window was already reduced for this flight: the threshold stays. */
  timedOut(flightSize: number, again: boolean, now: Milliseconds): void;
  /** A router marked a packet (RFC 3168 §6.1.2, RFC 8511); at most once a round trip. Absent: as a loss, `enterRecovery`. */
  congestionExperienced?(flightSize: number, now: Milliseconds): void;
  /** The last reduction was for nothing (RFC 4015, RFC 5682, RFC 2883): window and threshold go back to where they were before it, if they lie lower now. */
  undo?(): void;
  /** Window validation or a pause asks for less than there is (RFC 7661, RFC 5681 §4.1). Absent: the algorithm knows better. */
  restrict?(window: number, threshold: number): void;
  /** Something is sent after a pause of `idle` in which nothing was in flight. */
  restarted?(idle: Milliseconds, now: Milliseconds): void;
}
