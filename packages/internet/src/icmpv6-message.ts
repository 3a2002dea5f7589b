// ICMPv6 messages (RFC 4443 §2.1, §3, §4): type, code, a checksum over the pseudo-header too, and a word whose meaning the type says.
import { foldChecksum, type IpAddress, type PacketBuffer, sumPacket } from "@netstrata/core";
import { ICMP_HEADER_LENGTH, type IcmpHeader } from "./icmp-message.ts";
import { sumPseudoHeader } from "./ip-header.ts";
import { PROTOCOL_ICMPV6 } from "./ip-protocol.ts";

export const ICMPV6_DESTINATION_UNREACHABLE = 1;
export const ICMPV6_PACKET_TOO_BIG = 2;
export const ICMPV6_TIME_EXCEEDED = 3;
export const ICMPV6_PARAMETER_PROBLEM = 4;
export const ICMPV6_ECHO_REQUEST = 128;
export const ICMPV6_ECHO_REPLY = 129;
export const ICMPV6_LISTENER_QUERY = 130;
export const ICMPV6_LISTENER_REPORT = 131;
export const ICMPV6_LISTENER_DONE = 132;
export const ICMPV6_ROUTER_SOLICITATION = 133;
export const ICMPV6_ROUTER_ADVERTISEMENT = 134;
export const ICMPV6_NEIGHBOUR_SOLICITATION = 135;
export const ICMPV6_NEIGHBOUR_ADVERTISEMENT = 136;
export const ICMPV6_REDIRECT = 137;
export const ICMPV6_LISTENER_REPORT_V2 = 143;

/** Codes of Destination Unreachable (RFC 4443 §3.1). */
export const UNREACHABLE_V6_NO_ROUTE = 0;
export const UNREACHABLE_V6_PROHIBITED = 1;
export const UNREACHABLE_V6_BEYOND_SCOPE = 2;
export const UNREACHABLE_V6_ADDRESS = 3;
export const UNREACHABLE_V6_PORT = 4;

/** RFC 4443 §2.1: errors have types below 128. */
export function isIcmpv6Error(type: number): boolean {
  return type < 128;
}

/** Reads and consumes the 8-octet header, whose `rest` is its second word; the checksum covers the window and the addresses. */
export function readIcmpv6(packet: PacketBuffer, source: IpAddress, destination: IpAddress): IcmpHeader | "truncated" | "bad-checksum" {
  if (packet.length < ICMP_HEADER_LENGTH) return "truncated";
  if (packet.checksum === "complete") {
    const sum = sumPacket(packet, sumPseudoHeader(source, destination, PROTOCOL_ICMPV6, packet.length));
    if (foldChecksum(sum) !== 0) return "bad-checksum";
  }
  const header = { type: packet.u8(0), code: packet.u8(1), rest: packet.u32(4) };
  packet.consume(ICMP_HEADER_LENGTH);
  return header;
}

/** Writes a header with its checksum (RFC 4443 §2.3) in front of the window. */
export function prependIcmpv6(packet: PacketBuffer, header: IcmpHeader, source: IpAddress, destination: IpAddress): void {
  packet.prepend(ICMP_HEADER_LENGTH);
  packet.setU8(0, header.type);
  packet.setU8(1, header.code);
  packet.setU16(2, 0);
  packet.setU32(4, header.rest);
  packet.setU16(2, foldChecksum(sumPacket(packet, sumPseudoHeader(source, destination, PROTOCOL_ICMPV6, packet.length))));
}
