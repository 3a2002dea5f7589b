// One TCP conversation of a capture: who, what state, how much (RFC 9293 §3.3.2, as an onlooker sees it).
import type { IpAddress, SequenceNumber } from "@netstrata/core";
import { ACK, FIN, RST, SYN } from "@netstrata/transport";
import type { TcpLayer } from "../dissect/layer.ts";
import { StreamReassembler } from "./stream-reassembler.ts";

export interface Endpoint {
  readonly address: IpAddress;
  readonly port: number;
}

/** The client sent the first SYN; where none was captured, the first packet. */
export type Side = "client" | "server";

/**
 * - "opening": SYNs, but no acknowledgment of the second one yet
 * - "established": also when the capture began in the middle
 * - "closing": one FIN has been seen; "closed": both, and everything before them
 * - "reset": an RST has been seen
 */
export type ConversationState = "opening" | "established" | "closing" | "closed" | "reset";

/** Why no more is told of a conversation. */
export type ConversationEnd =
  | "closed"
  | "reset"
  /** The capture ended. */
  | "capture-end"
  /** A new SYN uses the same addresses and ports again. */
  | "replaced"
  /** There were too many conversations, and this one was silent longest. */
  | "evicted";

/** Every function is optional; what is told of a conversation comes between its `begin` and its `end`. */
export interface ConversationListener {
  begin?(conversation: TcpConversation): void;
  /** Octets that `side` sent, in order, lent for the duration of the call. `offset` counts them from the stream's beginning. */
  data?(conversation: TcpConversation, side: Side, bytes: Uint8Array, offset: number): void;
  /** Octets that `side` sent and the capture does not have. */
  gap?(conversation: TcpConversation, side: Side, length: number, offset: number): void;
  /** `conversation.end` says why. */
  end?(conversation: TcpConversation): void;
}

/** What one side sent. */
export class ConversationSide {
  readonly endpoint: Endpoint;
  /** Counters of the octets it sent. */
  readonly stream: StreamReassembler;
  packets = 0;
  /** Sequence number of its SYN; undefined when that was not captured. */
  initialSequence: SequenceNumber | undefined;
  finSeen = false;
  resetSeen = false;

  constructor(endpoint: Endpoint, stream: StreamReassembler) {
    this.endpoint = endpoint;
    this.stream = stream;
  }
}

export class TcpConversation {
  /** Counted from 1 in the order of first packets. */
  readonly number: number;
  readonly client: ConversationSide;
  readonly server: ConversationSide;
  /** Packets and times (nanoseconds since 1970), as the caller gave them. */
  readonly firstPacket: number;
  readonly firstTimestamp: bigint;
  lastPacket: number;
  lastTimestamp: bigint;
  state: ConversationState = "opening";
  /** Undefined while it goes on. */
  end: ConversationEnd | undefined;
  private readonly listener: ConversationListener;

  constructor(
    number: number,
    endpoints: Readonly<Record<Side, Endpoint>>,
    packetNumber: number,
    timestamp: bigint,
    listener: ConversationListener,
    maxBuffered: number,
  ) {
    this.number = number;
    this.firstPacket = packetNumber;
    this.firstTimestamp = timestamp;
    this.lastPacket = packetNumber;
    this.lastTimestamp = timestamp;
    this.listener = listener;
    const side = (name: Side): ConversationSide => {
      const receiver = {
        data: (bytes: Uint8Array, offset: number) => listener.data?.(this, name, bytes, offset),
        gap: (length: number, offset: number) => listener.gap?.(this, name, length, offset),
      };
      return new ConversationSide(endpoints[name], new StreamReassembler(receiver, maxBuffered));
    };
    this.client = side("client");
    this.server = side("server");
  }

  /** True when the capture has both SYNs and every octet of both streams so far. */
  get isWhole(): boolean {
    const { client, server } = this;
    const hasSyns = client.initialSequence !== undefined && server.initialSequence !== undefined;
    return hasSyns && client.stream.gaps === 0 && server.stream.gaps === 0;
  }

  /** Octets that wait for others in both directions. */
  get bufferedBytes(): number {
    return this.client.stream.bufferedBytes + this.server.stream.bufferedBytes;
  }

  /** Takes in a segment that `name` sent. Nothing but counters changes when the conversation has ended. */
  segment(name: Side, tcp: TcpLayer, payload: Uint8Array, packetNumber: number, timestamp: bigint): void {
    const [from, to] = name === "client" ? [this.client, this.server] : [this.server, this.client];
    this.lastPacket = packetNumber;
    this.lastTimestamp = timestamp;
    from.packets += 1;
    if (this.end !== undefined) return;
    const isSyn = (tcp.flags & SYN) !== 0;
    // RFC 9293 §3.4: a SYN takes the sequence number before the first octet, a FIN the one behind the last.
    const first = isSyn ? (tcp.seq + 1) >>> 0 : tcp.seq;
    if (isSyn) {
      from.initialSequence = tcp.seq;
      from.stream.begin(first);
    }
    if ((tcp.flags & RST) !== 0) {
      from.resetSeen = true;
      this.state = "reset";
      this.finish("reset");
      return;
    }
    if ((tcp.flags & ACK) !== 0) {
      to.stream.acknowledge(tcp.ack);
      if (this.state === "opening" && !isSyn) this.state = "established";
    }
    from.stream.segment(first, payload, tcp.payloadLength);
    if ((tcp.flags & FIN) !== 0) {
      from.finSeen = true;
      from.stream.fin((first + tcp.payloadLength) >>> 0);
      this.state = "closing";
    }
    this.client.stream.passed();
    this.server.stream.passed();
    if (this.hasEnded) this.finish("closed");
  }

  /** Delivers what waits, and says that nothing more will come. */
  finish(end: ConversationEnd): void {
    if (this.end !== undefined) return;
    this.client.stream.flush();
    this.server.stream.flush();
    if (this.hasEnded && this.state !== "reset") this.state = "closed";
    this.end = this.state === "closed" ? "closed" : end;
    this.listener.end?.(this);
  }

  private get hasEnded(): boolean {
    return this.client.stream.ended && this.server.stream.ended;
  }
}
