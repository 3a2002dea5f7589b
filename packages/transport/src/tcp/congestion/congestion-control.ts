// How much may be in flight: the one interface of all congestion control algorithms (RFC 5681 §2).
import type { Milliseconds } from "@netstrata/core";

/** All sizes in octets. The algorithm only computes; who is lost and what to send again is loss recovery's business. */
export interface CongestionControl {
  readonly name: string;
  /** cwnd */
  readonly window: number;
  /** ssthresh */
  readonly threshold: number;
  /** The handshake is complete: `segmentSize` is SMSS. `synLost`: a SYN had to be sent again (RFC 5681 §3.1). */
  established(segmentSize: number, synLost: boolean): void;
  /** The path takes another segment size now. */
  segmentSizeChanged(segmentSize: number): void;
  /** New data was acknowledged outside of loss recovery. `limited`: the window, not the user, held the sender back. */
  acknowledged(octets: number, limited: boolean, now: Milliseconds): void;
  /** A loss was found other than by a timeout; `flightSize` was in flight (RFC 5681 §3.2 step 2). The window becomes the threshold. */
  enterRecovery(flightSize: number): void;
  /** What was lost is repaired, without SACK: `flightSize` is in flight now (RFC 6582 §3.2 step 3). */
  leaveRecovery(flightSize: number): void;
  /** The retransmission timer expired (RFC 5681 §3.1, equation 4 and after); `again` when it is not the first time for this segment. */
  timedOut(flightSize: number, again: boolean): void;
  /** Nothing was sent for a retransmission timeout (RFC 5681 §4.1). */
  idled(): void;
}
