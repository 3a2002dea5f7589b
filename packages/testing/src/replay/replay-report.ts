// What a replay has to say of each conversation.
import type { Milliseconds } from "@netstrata/core";
import type { Endpoint } from "@netstrata/transport";

/** The first place at which our stack did something else than the one that was recorded. */
export interface Divergence {
  /** What the recording asks for, and what came instead: sentences without a full stop. */
  readonly expected: string;
  readonly found: string;
  /** The recorded packet it is about: an answer that is missing, or the peer's packet that has waited in vain. */
  readonly recorded: DivergentPacket | undefined;
  /** Our packet it is about, or the last one before. */
  readonly ours: DivergentPacket | undefined;
}

export interface DivergentPacket {
  /** Its place in the file, from 1; undefined for a packet of ours. */
  readonly number: number | undefined;
  readonly time: Milliseconds;
  /** From the IP header on (LINKTYPE_RAW). */
  readonly bytes: Uint8Array;
}

export type Verdict =
  /** Every recorded packet of the peer was met by an equivalent answer, and both byte streams are identical. */
  | "same"
  | "differs"
  /** The recording does not hold what a replay needs. */
  | "not-replayed";

export interface ConversationReport {
  readonly protocol: "tcp" | "udp";
  readonly own: Endpoint;
  readonly peer: Endpoint;
  /** The first and the last packet of the conversation in the file. */
  readonly packets: readonly [first: number, last: number];
  /** Recorded packets of the peer, and recorded packets of the end we play. */
  readonly peerPackets: number;
  readonly ownPackets: number;
  readonly verdict: Verdict;
  /** Why it was not replayed. */
  readonly reason?: string;
  readonly divergence?: Divergence;
  /** Octets of payload in both directions, and the packets of ours that carried them or answered. */
  readonly octetsSent: number;
  readonly octetsReceived: number;
  readonly packetsSent: number;
  /** The recording goes from the first packet of the conversation to its end. */
  readonly whole: boolean;
  /** What was different and may be. */
  readonly liberties: Liberties;
}

/** Differences that the RFCs allow: segmentation, the time of acknowledgments, retransmission. */
export interface Liberties {
  /** Packets of ours that repeat octets. */
  readonly retransmissions: number;
  /** Times that an acknowledgment was given in steps, because our stack had not sent yet all that it acknowledges. */
  readonly acknowledgmentsSplit: number;
  /** The longest time that a packet of the peer waited for ours. */
  readonly longestWait: Milliseconds;
}

export const NO_LIBERTIES: Liberties = { retransmissions: 0, acknowledgmentsSplit: 0, longestWait: 0 };
