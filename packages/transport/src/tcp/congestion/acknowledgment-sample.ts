// What one acknowledgment says to congestion control; the rate sample is that of draft-ietf-ccwg-bbr §4.1 (delivery rate estimation).
import type { Milliseconds, SequenceNumber } from "@netstrata/core";

/** Sizes in octets. One record for each connection, overwritten by its next acknowledgment. */
export interface AcknowledgmentSample {
  readonly now: Milliseconds;
  /** Delivered for the first time, as far as this acknowledgment says so; whole segments where the accounting is in segments. */
  readonly octets: number;
  /** The window, not the user or the peer, held the sender back (RFC 7661, or as window validation is set). */
  readonly limited: boolean;
  /** The round trip that this acknowledgment measures, of segments that were sent once. */
  readonly roundTrip: Milliseconds | undefined;
  /** SRTT */
  readonly smoothedRoundTrip: Milliseconds | undefined;
  /** SND.UNA, SND.NXT: one marks the end of a round when the other passes what it was. */
  readonly una: SequenceNumber;
  readonly nxt: SequenceNumber;
  /** What the network holds after this acknowledgment, lost and arrived segments taken off. */
  readonly inFlight: number;
  /** Called lost since the last acknowledgment. */
  readonly lost: number;
  /** Losses are being repaired. */
  readonly recovering: boolean;
  /** Undefined where delivery rates are not sampled, or nothing could be measured. */
  readonly rate: RateSample | undefined;
}

/** How fast the network delivered what lies between two acknowledgments. */
export interface RateSample {
  /** C.delivered: all that was ever delivered. */
  readonly totalDelivered: number;
  /** RS.prior_delivered: the same, when the newest segment that is now delivered was sent. */
  readonly priorDelivered: number;
  /** RS.delivery_rate in octets a second; 0 when the interval is too short to mean anything. */
  readonly deliveryRate: number;
  /** RS.is_app_limited: there was too little to send, so the path may be faster. */
  readonly applicationLimited: boolean;
  /** RS.tx_in_flight: in flight when the newest segment was sent, it included. */
  readonly inFlightWhenSent: number;
  /** RS.lost: called lost between its sending and now. */
  readonly lost: number;
}
