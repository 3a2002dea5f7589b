// A recording from the point of view of one of its hosts: that host's TCP and UDP conversations.
import type { CapturedPacket } from "@netstrata/capture";
import { formatIp, IPV4_BROADCAST, type Ipv4Address, isMulticast, isUnspecified, PacketBuffer } from "@netstrata/core";
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from "@netstrata/internet";
import { type Endpoint, readUdp, readUncheckedUdp, UDP_HEADER_LENGTH } from "@netstrata/transport";
import { DatagramReader, type RecordedDatagram } from "./recorded-datagram.ts";
import { type RecordedError, readError } from "./recorded-message.ts";
import { isOpening, type RecordedSegment, readSegment } from "./recorded-segment.ts";
import { belongsTo, isSeenTwice } from "./same-conversation.ts";

/** Packets of the chosen host that one recording holds in memory. */
export const DEFAULT_RECORDING_LIMIT = 1_000_000;

interface RecordedConversationEnds {
  /** The end that our stack plays. */
  readonly own: Endpoint;
  readonly peer: Endpoint;
}

export interface RecordedTcp extends RecordedConversationEnds {
  readonly protocol: "tcp";
  readonly events: (RecordedSegment | RecordedError)[];
}

export interface RecordedUdpDatagram {
  readonly datagram: RecordedDatagram;
  readonly fromOwn: boolean;
  readonly payload: Uint8Array;
  /** What a receiver has to find wrong with it. */
  readonly fault: "truncated" | "bad-length" | "bad-checksum" | undefined;
}

export interface RecordedUdp extends RecordedConversationEnds {
  readonly protocol: "udp";
  readonly events: (RecordedUdpDatagram | RecordedError)[];
}

export type RecordedConversation = RecordedTcp | RecordedUdp;

export function isSegment(event: RecordedSegment | RecordedError): event is RecordedSegment {
  return "seq" in event;
}

/** The end that our stack plays. */
export interface OwnEnd {
  readonly address: Ipv4Address;
  /** Only the conversations of this port. Needed where both ends have the same address. @default all */
  readonly port?: number;
}

export class Recording {
  /** In the order of their first packets. */
  readonly conversations: RecordedConversation[] = [];
  readonly reader: DatagramReader = new DatagramReader();
  private readonly own: OwnEnd;
  private readonly limit: number;
  private readonly open = new Map<string, RecordedConversation>();
  private held = 0;

  /**
   * @param limit packets held; one more throws a RangeError
   * @throws RangeError for an address that no host can have
   */
  constructor(own: OwnEnd, limit: number = DEFAULT_RECORDING_LIMIT) {
    if (isUnspecified(own.address) || isMulticast(own.address) || own.address === IPV4_BROADCAST) {
      throw new RangeError(`${formatIp(own.address)} is no host's address`);
    }
    this.own = own;
    this.limit = limit;
  }

  add(packet: CapturedPacket): void {
    const datagram = this.reader.read(packet);
    if (datagram === undefined) return;
    const { source, destination, protocol } = datagram.header;
    if (source !== this.own.address && destination !== this.own.address) return;
    if (this.held === this.limit) throw new RangeError(`more than ${this.limit} packets in one recording`);
    this.held += 1;
    if (protocol === PROTOCOL_TCP) this.addSegment(datagram);
    else if (protocol === PROTOCOL_UDP) this.addUdp(datagram);
    else if (protocol === PROTOCOL_ICMP) this.addError(datagram);
  }

  private addSegment(datagram: RecordedDatagram): void {
    const read = readSegment(datagram);
    const ends = read && this.endsOf(datagram, read.sourcePort, read.destinationPort);
    if (read === undefined || ends === undefined) return;
    const segment: RecordedSegment = { ...read, fromOwn: ends.fromOwn };
    const key = keyOf("tcp", ends);
    let conversation = this.open.get(key) as RecordedTcp | undefined;
    if (conversation === undefined || (isOpening(segment) && !belongsTo(conversation.events.filter(isSegment), segment))) {
      conversation = { protocol: "tcp", own: ends.own, peer: ends.peer, events: [] };
      this.begin(key, conversation);
    }
    if (!isSeenTwice(conversation.events, segment)) conversation.events.push(segment);
  }

  private addUdp(datagram: RecordedDatagram): void {
    const packet = PacketBuffer.wrap(datagram.bytes, datagram.header.headerLength);
    const header = readUncheckedUdp(packet);
    if (typeof header === "string" || header.length < UDP_HEADER_LENGTH) return;
    const ends = this.endsOf(datagram, header.sourcePort, header.destinationPort);
    if (ends === undefined) return;
    const payload = packet.view(UDP_HEADER_LENGTH, Math.min(header.length, packet.length) - UDP_HEADER_LENGTH);
    const judged = readUdp(packet, datagram.header.source, datagram.header.destination);
    const fault = typeof judged === "string" ? judged : datagram.checksumGood ? undefined : "bad-checksum";
    const key = keyOf("udp", ends);
    let conversation = this.open.get(key) as RecordedUdp | undefined;
    if (conversation === undefined) {
      conversation = { protocol: "udp", own: ends.own, peer: ends.peer, events: [] };
      this.begin(key, conversation);
    }
    conversation.events.push({ datagram, fromOwn: ends.fromOwn, payload, fault });
  }

  /** Errors belong to the conversation that they are about; those about no known conversation are left out. */
  private addError(datagram: RecordedDatagram): void {
    const error = readError(datagram);
    if (error === undefined) return;
    const { quoted, sourcePort, destinationPort } = error;
    const fromOwn = datagram.header.source === this.own.address;
    const sender = { address: quoted.source, port: sourcePort };
    const target = { address: quoted.destination, port: destinationPort };
    const ends = fromOwn ? { own: target, peer: sender } : { own: sender, peer: target };
    const conversation = this.open.get(keyOf(quoted.protocol === PROTOCOL_TCP ? "tcp" : "udp", ends));
    if (conversation?.protocol === "tcp") conversation.events.push({ ...error, fromOwn });
    else conversation?.events.push({ ...error, fromOwn });
  }

  private begin(key: string, conversation: RecordedConversation): void {
    this.open.set(key, conversation);
    this.conversations.push(conversation);
  }

  private endsOf(
    datagram: RecordedDatagram,
    sourcePort: number,
    destinationPort: number,
  ): (RecordedConversationEnds & { fromOwn: boolean }) | undefined {
    const { source, destination } = datagram.header;
    const sender: Endpoint = { address: source, port: sourcePort };
    const target: Endpoint = { address: destination, port: destinationPort };
    if (isMulticast(destination) && source !== this.own.address) return undefined;
    const isOwn = (end: Endpoint): boolean => end.address === this.own.address && (this.own.port ?? end.port) === end.port;
    if (isOwn(sender) && isOwn(target)) {
      // A host that talks to itself: we play the end that was called, which has the smaller port nearly always.
      const fromOwn = sourcePort < destinationPort;
      return { own: fromOwn ? sender : target, peer: fromOwn ? target : sender, fromOwn };
    }
    if (isOwn(sender)) return { own: sender, peer: target, fromOwn: true };
    return isOwn(target) ? { own: target, peer: sender, fromOwn: false } : undefined;
  }
}

function keyOf(protocol: "tcp" | "udp", { own, peer }: RecordedConversationEnds): string {
  return `${protocol} ${own.address}.${own.port} ${peer.address}.${peer.port}`;
}
