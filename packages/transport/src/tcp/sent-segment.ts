// One entry of the retransmission queue (RFC 9293 §3.4), with what loss recovery must know of it (RFC 6675 §2, RFC 8985 §5.2).
import type { Milliseconds, SequenceNumber } from "@netstrata/core";
import type { SendingRecord } from "./delivery-rate.ts";

/** A stretch of sequence space that was sent in one segment. */
export interface SentSegment {
  start: SequenceNumber;
  /** One past the last sequence number, SYN and FIN counted. */
  end: SequenceNumber;
  /** SYN and FIN, where they are part of it. */
  flags: number;
  /** It ends what was pushed. */
  pushed: boolean;
  /** It and the next one left in one burst, and still belong together. */
  joined: boolean;
  firstSentAt: Milliseconds;
  sentAt: Milliseconds;
  /** How often it was sent. */
  transmissions: number;
  /** It is believed lost, until it is known to have arrived. */
  lost: boolean;
  /** It was sent again, and that copy is believed to be on its way. */
  resent: boolean;
  /** The peer has it, although something before it is missing (RFC 2018). */
  sacked: boolean;
  /** While it is sacked: everything from its start up to here is. */
  sackedUpTo: SequenceNumber;
  /** It waits in the queue of those that must be sent again. */
  queued: boolean;
  /** Its neighbours in the order of sending, while it is in flight. */
  earlier: SentSegment | undefined;
  later: SentSegment | undefined;
  /** What was known when it was last sent, where delivery rates are sampled. */
  sending: SendingRecord | undefined;
}

export function createSentSegment(start: SequenceNumber, end: SequenceNumber, flags: number, now: Milliseconds): SentSegment {
  return {
    start,
    end,
    flags,
    pushed: false,
    joined: false,
    firstSentAt: now,
    sentAt: now,
    transmissions: 1,
    lost: false,
    resent: false,
    sacked: false,
    sackedUpTo: start,
    queued: false,
    earlier: undefined,
    later: undefined,
    sending: undefined,
  };
}
