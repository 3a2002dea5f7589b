// How marks get back to whoever sent the marked packets: the one interface of classic (RFC 3168) and accurate ECN (RFC 9768).
import type { Segment } from "../segment.ts";
import type { TcpOptions } from "../tcp-options.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";

/** What one acknowledgment says was delivered for the first time. */
export interface Delivered {
  readonly segments: number;
  readonly octets: number;
}

/** The two ends have agreed to use ECN. Both halves of a connection: what it tells the peer, and what the peer tells. */
export interface EcnFeedback {
  readonly kind: "classic" | "accurate";
  /** What goes out may carry ECT: nothing on the way has been seen to spoil it. */
  mayMark: boolean;
  /** Packets of ours that the peer reported as marked, as far as the feedback can tell. */
  readonly deliveredMarks: number;
  /** A packet with an ECT or CE field has arrived. */
  readonly hasSeenField: boolean;
  /** A segment has arrived that fits the receive window. */
  received(tcb: TransmissionControlBlock, segment: Segment): void;
  /** The SYN,ACK that opened the connection has come again. */
  answerRepeated(segment: Segment): void;
  /** A segment has arrived whose text was all received before. */
  repeated(tcb: TransmissionControlBlock, segment: Segment): void;
  /** What is new in an acknowledgment. Returns how many marks it reports, or 0. */
  reported(tcb: TransmissionControlBlock, segment: Segment, delivered: Delivered): number;
  /** The congestion window was reduced, whatever for. */
  windowReduced(): void;
  /** Control bits of a segment that goes out, without SYN or RST; `isFresh`: it has text that was never sent before. */
  flags(length: number, isFresh: boolean): number;
  /** The same segment's ECN field. */
  field(length: number, isFresh: boolean): number;
  /** `options` of the next segment, with the one that counts octets; undefined: not in this segment. SACK blocks may have to make room. */
  addOption(tcb: TransmissionControlBlock, options: TcpOptions): TcpOptions | undefined;
  /** That option is sent wherever the peer knows it. */
  usesOption: boolean;
  /** Octets by which that option shortens segments of text. */
  readonly optionLength: number;
}
