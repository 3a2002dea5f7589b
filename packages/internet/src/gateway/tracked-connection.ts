// What is remembered of one conversation, and how its packets move it from phase to phase (RFC 5382 §5, RFC 4787 §4.3, RFC 7857 §2).
import type { Milliseconds, PacketBuffer } from "@netstrata/core";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from "../ip-protocol.ts";
import { type Flow, isSameFlow, reversed } from "./flow.ts";
import { FlowEnd } from "./flow-table.ts";
import type { PortMapping } from "./port-mappings.ts";

/** For how long a conversation is remembered after its latest packet. */
export interface PhaseTimeouts {
  /** TCP whose handshake is not complete, or of which both sides have closed, or one has reset: RFC 5382 REQ-5 asks for 4 minutes. @default 240000 */
  readonly opening: Milliseconds;
  /** @default 240000 */
  readonly closing: Milliseconds;
  /** RFC 5382 REQ-5: not less than 2 hours and 4 minutes, so that keep-alives keep it. @default 7440000 */
  readonly established: Milliseconds;
  /** UDP that nobody has answered: RFC 4787 REQ-5 asks for 2 minutes. @default 120000 */
  readonly unanswered: Milliseconds;
  /** UDP that has been answered: 5 minutes, as RFC 4787 REQ-5 (c) recommends. @default 300000 */
  readonly answered: Milliseconds;
  /** Echoes: RFC 5508 REQ-2 asks for 60 seconds. @default 60000 */
  readonly query: Milliseconds;
  /** Of all other protocols. @default 600000 */
  readonly other: Milliseconds;
}

export type Phase = keyof PhaseTimeouts;

export const DEFAULT_PHASE_TIMEOUTS: PhaseTimeouts = {
  opening: 240_000,
  closing: 240_000,
  established: 7_440_000,
  unanswered: 120_000,
  answered: 300_000,
  query: 60_000,
  other: 600_000,
};

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;
/** Where TCP keeps them. */
const FLAGS_AT = 13;

const FIRST_PHASE: Readonly<Record<number, Phase>> = {
  [PROTOCOL_TCP]: "opening",
  [PROTOCOL_UDP]: "unanswered",
  [PROTOCOL_ICMP]: "query",
  [PROTOCOL_ICMPV6]: "query",
};

export class TrackedConnection {
  /** As it came in, and as its answers come in: not its reverse where addresses are translated. */
  readonly original: FlowEnd;
  reply: FlowEnd;
  phase: Phase;
  deadline: Milliseconds = 0;
  /** The other side has said something. */
  isAnswered = false;
  /** Its first packet has passed, and it is in the table. */
  isConfirmed = false;
  /** Its packets leave with other addresses or ports than they came with. */
  isTranslated = false;
  /** What it holds of the outside's ports. */
  mapping: PortMapping | undefined;
  /** Which sides have sent a FIN: bit 0 the first, bit 1 the other. */
  private finished = 0;
  private isReset = false;
  /** Neighbours in the queue of its phase, in the order of their deadlines. */
  before: TrackedConnection | undefined;
  after: TrackedConnection | undefined;

  constructor(flow: Flow) {
    this.original = new FlowEnd(flow, this, false);
    this.reply = new FlowEnd(reversed(flow), this, true);
    this.phase = FIRST_PHASE[flow.protocol] ?? "other";
  }

  /** Packets of the first direction leave as the reverse of this. Before the connection is confirmed. */
  expectReply(flow: Flow): void {
    this.reply = new FlowEnd(flow, this, true);
    this.isTranslated = !isSameFlow(this.original.flow, reversed(flow));
  }

  /** The phase after a packet has passed. @param at octets from the window's start to the transport header */
  phaseAfter(packet: PacketBuffer, at: number, isReply: boolean): Phase {
    const { protocol } = this.original.flow;
    if (protocol === PROTOCOL_TCP) return this.phaseAfterSegment(packet.u8(at + FLAGS_AT), isReply);
    this.isAnswered ||= isReply;
    return protocol === PROTOCOL_UDP && this.isAnswered ? "answered" : this.phase;
  }

  private phaseAfterSegment(flags: number, isReply: boolean): Phase {
    const { phase } = this;
    const isSyn = (flags & (SYN | ACK)) === SYN;
    // The same ends speak anew, as whoever closed first may let them (RFC 9293 MAY-2).
    if (isSyn && !isReply && phase === "closing") {
      this.finished = 0;
      this.isReset = false;
      this.isAnswered = false;
      return "opening";
    }
    if ((flags & RST) !== 0) {
      this.isReset = true;
      return "closing";
    }
    if ((flags & FIN) !== 0) this.finished |= isReply ? 2 : 1;
    if (this.finished === 3) return "closing";
    // RFC 7857 §2.2: a RST may be forged, or not be heard; who speaks on after it is not dead.
    if (this.isReset) {
      this.isReset = false;
      return this.isAnswered ? "established" : "opening";
    }
    if (isReply && phase === "opening" && (flags & SYN) !== 0) this.isAnswered = true;
    if (phase !== "opening" || isReply || !this.isAnswered || (flags & ACK) === 0) return phase;
    return "established";
  }
}

/** A segment that may begin a conversation: a SYN, and nothing that does not go with one. */
export function isOpeningSegment(packet: PacketBuffer, at: number): boolean {
  return (packet.u8(at + FLAGS_AT) & (SYN | ACK | RST | FIN)) === SYN;
}
