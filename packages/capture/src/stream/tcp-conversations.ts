// All TCP conversations of a capture, told apart and followed, in bounded memory.
import { ACK, SYN } from "@netstrata/transport";
import { type Dissection, transportPayload } from "../dissect/dissection.ts";
import type { IpLayer, TcpLayer } from "../dissect/layer.ts";
import { type ConversationListener, type Side, TcpConversation } from "./tcp-conversation.ts";

export interface ConversationLimits {
  /** Conversations that are remembered; the one that was silent longest gives way. @default 65536 */
  readonly maxConversations?: number;
  /** Octets that may wait for a hole to be filled, for each direction of a conversation. @default 1048576 */
  readonly maxBufferedPerStream?: number;
  /** The same for all conversations together; above it, the conversation that has just grown gives its holes up. @default 67108864 */
  readonly maxBuffered?: number;
}

export class TcpConversations {
  private readonly listener: ConversationListener;
  private readonly maxConversations: number;
  private readonly maxBufferedPerStream: number;
  private readonly maxBuffered: number;
  /** By client and server. The one that was active last stands last. */
  private readonly conversations = new Map<string, TcpConversation>();
  private begun = 0;
  private buffered = 0;

  constructor(listener: ConversationListener = {}, limits: ConversationLimits = {}) {
    this.listener = listener;
    this.maxConversations = limits.maxConversations ?? 65536;
    this.maxBufferedPerStream = limits.maxBufferedPerStream ?? 1024 * 1024;
    this.maxBuffered = limits.maxBuffered ?? 64 * 1024 * 1024;
  }

  /**
   * Takes in the next packet of the capture. Only the outermost IP header counts, and fragments behind the first are passed over.
   * @returns the conversation and who sent the packet; undefined when it is not TCP
   */
  packet(dissection: Dissection, packetNumber: number, timestamp: bigint): { conversation: TcpConversation; side: Side } | undefined {
    const { ip, transport } = dissection;
    if (ip === undefined || transport?.protocol !== "tcp") return undefined;
    const { conversation, side } = this.find(ip, transport) ?? this.begin(ip, transport, packetNumber, timestamp);
    const before = conversation.bufferedBytes;
    conversation.segment(side, transport, transportPayload(dissection), packetNumber, timestamp);
    this.buffered += conversation.bufferedBytes - before;
    while (this.buffered > this.maxBuffered && conversation.bufferedBytes > 0) this.relieve(conversation);
    return { conversation, side };
  }

  /** The capture has ended: ends every conversation that goes on, in the order of their last packets. */
  finish(): void {
    for (const conversation of this.conversations.values()) conversation.finish("capture-end");
    this.conversations.clear();
    this.buffered = 0;
  }

  private find(ip: IpLayer, tcp: TcpLayer): { conversation: TcpConversation; side: Side } | undefined {
    const forward = keyOf(ip, tcp);
    const backward = `${ip.destination} ${tcp.destinationPort} ${ip.source} ${tcp.sourcePort}`;
    for (const [key, side] of [
      [forward, "client"],
      [backward, "server"],
    ] as const) {
      const conversation = this.conversations.get(key);
      if (conversation === undefined) continue;
      this.conversations.delete(key);
      if (isNew(conversation, side, tcp)) {
        this.end(conversation, "replaced");
        return undefined;
      }
      this.conversations.set(key, conversation);
      return { conversation, side };
    }
    return undefined;
  }

  private begin(ip: IpLayer, tcp: TcpLayer, packetNumber: number, timestamp: bigint): { conversation: TcpConversation; side: Side } {
    const from = { address: ip.source, port: tcp.sourcePort };
    const to = { address: ip.destination, port: tcp.destinationPort };
    // A SYN with ACK answers a SYN that was not captured.
    const side = (tcp.flags & (SYN | ACK)) === (SYN | ACK) ? "server" : "client";
    const [client, server] = side === "client" ? [from, to] : [to, from];
    this.begun += 1;
    const conversation = new TcpConversation(
      this.begun,
      { client, server },
      packetNumber,
      timestamp,
      this.listener,
      this.maxBufferedPerStream,
    );
    if ((tcp.flags & SYN) === 0) conversation.state = "established";
    if (this.conversations.size >= this.maxConversations) this.evict();
    this.conversations.set(`${client.address} ${client.port} ${server.address} ${server.port}`, conversation);
    this.listener.begin?.(conversation);
    return { conversation, side };
  }

  private evict(): void {
    for (const [key, oldest] of this.conversations) {
      this.conversations.delete(key);
      this.end(oldest, "evicted");
      return;
    }
  }

  private end(conversation: TcpConversation, reason: "replaced" | "evicted"): void {
    this.buffered -= conversation.bufferedBytes;
    conversation.finish(reason);
  }

  private relieve(conversation: TcpConversation): void {
    const before = conversation.bufferedBytes;
    conversation.client.stream.giveUpHole();
    conversation.server.stream.giveUpHole();
    this.buffered += conversation.bufferedBytes - before;
  }
}

function keyOf(ip: IpLayer, tcp: TcpLayer): string {
  return `${ip.source} ${tcp.sourcePort} ${ip.destination} ${tcp.destinationPort}`;
}

/** True when a segment with the addresses and ports of `conversation` begins another one: it has a SYN that is none of this one's. */
function isNew(conversation: TcpConversation, side: Side, tcp: TcpLayer): boolean {
  if ((tcp.flags & SYN) === 0) return false;
  const isAnswer = (tcp.flags & ACK) !== 0;
  const { initialSequence, stream } = conversation[side];
  if (initialSequence !== undefined) return initialSequence !== tcp.seq || (conversation.end !== undefined && !isAnswer);
  // Captured late: it stands right before what is known as the beginning.
  if (stream.beginsAt((tcp.seq + 1) >>> 0)) return false;
  const other = conversation[side === "client" ? "server" : "client"].initialSequence;
  if (other === undefined) return !isAnswer;
  // The answer to the other side's SYN, or a SYN that crosses it (RFC 9293 §3.5, simultaneous open).
  return isAnswer ? tcp.ack !== (other + 1) >>> 0 : conversation.state !== "opening";
}
