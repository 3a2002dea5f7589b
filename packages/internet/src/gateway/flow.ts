// A flow: one direction of a conversation, as the headers of its packets tell it (RFC 2663 §2.3), and how it is read from them.
import { type IpAddress, isIpv4, type PacketBuffer } from "@netstrata/core";
import { ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST, isIcmpError } from "../icmp-message.ts";
import { ICMPV6_ECHO_REPLY, ICMPV6_ECHO_REQUEST, isIcmpv6Error } from "../icmpv6-message.ts";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from "../ip-protocol.ts";

/** Of an echo both ports are its identifier (RFC 5508 §3.1); of protocols without ports they are 0. */
export interface Flow {
  readonly protocol: number;
  readonly source: IpAddress;
  readonly sourcePort: number;
  readonly destination: IpAddress;
  readonly destinationPort: number;
}

/** What can be said of a transport message besides its flow. */
export type MessageKind =
  /** Part of a conversation. */
  | "message"
  /** An ICMP echo request: it may begin a conversation, a reply may not. */
  | "echo-request"
  | "echo-reply"
  /** An ICMP error: it belongs to the conversation that it quotes. */
  | "error"
  /** ICMP of other types: between neighbours, or long out of use. */
  | "other"
  /** Too short for its own header. */
  | "truncated";

/** What a header has to hold for its ports, and of TCP also its flags, to be read. */
const LEAST_LENGTH: Readonly<Record<number, number>> = {
  [PROTOCOL_TCP]: 20,
  [PROTOCOL_UDP]: 8,
  [PROTOCOL_ICMP]: 8,
  [PROTOCOL_ICMPV6]: 8,
};

/** The least that an ICMP error quotes of a transport message (RFC 792). */
const LEAST_QUOTED = 8;

/**
 * @param at octets from the window's start to the transport header
 * @param isQuoted it stands in an ICMP error, which may have cut it short
 */
export function kindOf(packet: PacketBuffer, at: number, protocol: number, isQuoted = false): MessageKind {
  const least = isQuoted ? LEAST_QUOTED : (LEAST_LENGTH[protocol] ?? 0);
  if (packet.length < at + least) return "truncated";
  if (protocol === PROTOCOL_ICMP) return icmpKind(packet.u8(at), ICMP_ECHO_REQUEST, ICMP_ECHO_REPLY, isIcmpError);
  if (protocol === PROTOCOL_ICMPV6) return icmpKind(packet.u8(at), ICMPV6_ECHO_REQUEST, ICMPV6_ECHO_REPLY, isIcmpv6Error);
  return "message";
}

function icmpKind(type: number, request: number, reply: number, isError: (type: number) => boolean): MessageKind {
  if (type === request) return "echo-request";
  if (type === reply) return "echo-reply";
  return isError(type) ? "error" : "other";
}

/** The flow of a message that is not "truncated". @param at octets from the window's start to the transport header */
export function readFlow(
  packet: PacketBuffer,
  at: number,
  kind: MessageKind,
  { protocol, source, destination }: Pick<Flow, "protocol" | "source" | "destination">,
): Flow {
  if (kind === "echo-request" || kind === "echo-reply") {
    const identifier = packet.u16(at + 4);
    return { protocol, source, sourcePort: identifier, destination, destinationPort: identifier };
  }
  const hasPorts = protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP;
  const sourcePort = hasPorts ? packet.u16(at) : 0;
  const destinationPort = hasPorts ? packet.u16(at + 2) : 0;
  return { protocol, source, sourcePort, destination, destinationPort };
}

/** The flow of the answers. */
export function reversed({ protocol, source, sourcePort, destination, destinationPort }: Flow): Flow {
  return { protocol, source: destination, sourcePort: destinationPort, destination: source, destinationPort: sourcePort };
}

export function isSameFlow(a: Flow, b: Flow): boolean {
  return (
    a.sourcePort === b.sourcePort &&
    a.destinationPort === b.destinationPort &&
    a.source === b.source &&
    a.destination === b.destination &&
    a.protocol === b.protocol
  );
}

/** Writes a flow as 32-bit words. @returns how many: 4 or 10 */
export function writeFlow(words: Int32Array, { protocol, source, sourcePort, destination, destinationPort }: Flow): number {
  words[0] = (sourcePort << 16) | destinationPort;
  words[1] = protocol;
  return writeAddress(words, writeAddress(words, 2, source), destination);
}

function writeAddress(words: Int32Array, at: number, address: IpAddress): number {
  if (isIpv4(address)) {
    words[at] = address;
    return at + 1;
  }
  for (let word = 0; word < 4; word += 1) words[at + word] = (address.charCodeAt(2 * word) << 16) | address.charCodeAt(2 * word + 1);
  return at + 4;
}
