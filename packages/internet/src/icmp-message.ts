// ICMP messages (RFC 792, RFC 1122 §3.2.2, RFC 1191 §4).
import { foldChecksum, type PacketBuffer, sumPacket } from "@netstrata/core";

export const ICMP_HEADER_LENGTH = 8;

export const ICMP_ECHO_REPLY = 0;
export const ICMP_DESTINATION_UNREACHABLE = 3;
export const ICMP_SOURCE_QUENCH = 4;
export const ICMP_REDIRECT = 5;
export const ICMP_ECHO_REQUEST = 8;
export const ICMP_TIME_EXCEEDED = 11;
export const ICMP_PARAMETER_PROBLEM = 12;
export const ICMP_TIMESTAMP_REQUEST = 13;
export const ICMP_TIMESTAMP_REPLY = 14;

/** Codes of Destination Unreachable (RFC 792; 6 and up RFC 1122 §3.2.2.1; 13 to 15 RFC 1812 §5.2.7.1). */
export const UNREACHABLE_NETWORK = 0;
export const UNREACHABLE_HOST = 1;
export const UNREACHABLE_PROTOCOL = 2;
export const UNREACHABLE_PORT = 3;
export const UNREACHABLE_FRAGMENTATION_NEEDED = 4;
export const UNREACHABLE_SOURCE_ROUTE_FAILED = 5;
export const UNREACHABLE_PROHIBITED = 13;

export const TIME_EXCEEDED_IN_TRANSIT = 0;
export const TIME_EXCEEDED_IN_REASSEMBLY = 1;

export interface IcmpHeader {
  readonly type: number;
  readonly code: number;
  /** The second 32-bit word: identifier and sequence number, pointer, gateway, or next-hop MTU in its lower half. */
  readonly rest: number;
}

/** Errors quote the datagram that caused them, and are never answered with another error (RFC 1122 §3.2.2). */
export function isIcmpError(type: number): boolean {
  return (
    type === ICMP_DESTINATION_UNREACHABLE ||
    type === ICMP_SOURCE_QUENCH ||
    type === ICMP_REDIRECT ||
    type === ICMP_TIME_EXCEEDED ||
    type === ICMP_PARAMETER_PROBLEM
  );
}

/** Reads and consumes the 8-octet header; the checksum covers the whole window. */
export function readIcmp(packet: PacketBuffer): IcmpHeader | "truncated" | "bad-checksum" {
  if (packet.length < ICMP_HEADER_LENGTH) return "truncated";
  if (foldChecksum(sumPacket(packet)) !== 0) return "bad-checksum";
  const header = { type: packet.u8(0), code: packet.u8(1), rest: packet.u32(4) };
  packet.consume(ICMP_HEADER_LENGTH);
  return header;
}

/** Writes a header with its checksum in front of the window. */
export function prependIcmp(packet: PacketBuffer, header: IcmpHeader): void {
  packet.prepend(ICMP_HEADER_LENGTH);
  packet.setU8(0, header.type);
  packet.setU8(1, header.code);
  packet.setU16(2, 0);
  packet.setU32(4, header.rest);
  packet.setU16(2, foldChecksum(sumPacket(packet)));
}
