// The TCP header (RFC 9293 §3.1). Options are read by tcp-options.ts.
import { foldChecksum, foldSum, type IpAddress, type PacketBuffer, type SequenceNumber, sumPacket } from "@netstrata/core";
import { PROTOCOL_TCP, sumPseudoHeader } from "@netstrata/internet";

export const TCP_HEADER_LENGTH = 20;
export const TCP_MAX_HEADER_LENGTH = 60;

/** Control bits, as they stand in the header's 14th octet. */
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const URG = 0x20;
/** RFC 3168 §6.1. */
export const ECE = 0x40;
export const CWR = 0x80;
/** In the octet before: the reserved bit that RFC 7560 and Accurate ECN call AE. */
export const AE = 0x100;

export interface TcpHeader {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** SEG.SEQ */
  readonly seq: SequenceNumber;
  /** SEG.ACK; meaningful only with the ACK bit. */
  readonly ack: SequenceNumber;
  readonly flags: number;
  /** The Window field as sent: unsigned (MUST-1), not scaled. */
  readonly window: number;
  readonly urgentPointer: number;
  /** Octets of header and options. */
  readonly headerLength: number;
}

export type TcpParseError = "truncated" | "bad-header-length" | "bad-checksum";

/** Reads the header without consuming it: for dissection. */
export function readUncheckedTcp(packet: PacketBuffer): TcpHeader | Exclude<TcpParseError, "bad-checksum"> {
  if (packet.length < TCP_HEADER_LENGTH) return "truncated";
  const headerLength = (packet.u8(12) >>> 4) * 4;
  if (headerLength < TCP_HEADER_LENGTH) return "bad-header-length";
  return {
    sourcePort: packet.u16(0),
    destinationPort: packet.u16(2),
    seq: packet.u32(4),
    ack: packet.u32(8),
    flags: packet.u16(12) & 0x1ff,
    window: packet.u16(14),
    urgentPointer: packet.u16(18),
    headerLength,
  };
}

/** Reads the header and verifies length and checksum (MUST-3). Consume `headerLength` when done with the options behind the first 20 octets. */
export function readTcp(packet: PacketBuffer, source: IpAddress, destination: IpAddress): TcpHeader | TcpParseError {
  const header = readUncheckedTcp(packet);
  if (typeof header === "string") return header;
  if (header.headerLength > packet.length) return "bad-header-length";
  if (packet.checksum === "complete") {
    const pseudoHeader = sumPseudoHeader(source, destination, PROTOCOL_TCP, packet.length);
    if (foldChecksum(sumPacket(packet, pseudoHeader)) !== 0) return "bad-checksum";
  }
  return header;
}

/** What `prependTcp` writes besides ports and options. */
export interface TcpHeaderFields {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly seq: SequenceNumber;
  readonly ack: SequenceNumber;
  readonly flags: number;
  readonly window: number;
  readonly urgentPointer: number;
}

/**
 * Writes a header in front of the window, which holds the options and the payload.
 * @param optionsLength octets of the options at the window's start, a multiple of 4
 * @param partialChecksum leave the sum to the device: only the pseudo-header's part is written
 */
export function prependTcp(
  packet: PacketBuffer,
  fields: TcpHeaderFields,
  optionsLength: number,
  source: IpAddress,
  destination: IpAddress,
  partialChecksum = false,
): void {
  packet.prepend(TCP_HEADER_LENGTH);
  packet.setU16(0, fields.sourcePort);
  packet.setU16(2, fields.destinationPort);
  packet.setU32(4, fields.seq);
  packet.setU32(8, fields.ack);
  packet.setU16(12, ((TCP_HEADER_LENGTH + optionsLength) << 10) | fields.flags);
  packet.setU16(14, fields.window);
  packet.setU16(16, 0);
  packet.setU16(18, fields.urgentPointer);
  const pseudoHeader = sumPseudoHeader(source, destination, PROTOCOL_TCP, packet.length);
  if (partialChecksum) {
    packet.checksum = "partial";
    packet.setU16(16, foldSum(pseudoHeader));
  } else {
    packet.checksum = "complete";
    packet.setU16(16, foldChecksum(sumPacket(packet, pseudoHeader)));
  }
}
