// The UDP header (RFC 768).
import { foldChecksum, type IpAddress, type PacketBuffer, sumBytes, sumPacket } from "@netstrata/core";
import { PROTOCOL_UDP, sumPseudoHeader } from "@netstrata/internet";

export const UDP_HEADER_LENGTH = 8;

export interface UdpHeader {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Octets of header and payload as the header says. */
  readonly length: number;
  /** 0 when the sender made none, which only IPv4 allows (RFC 768, RFC 8200 §8.1). */
  readonly checksum: number;
}

/** Reads the header without consuming it and without asking for the payload: for ICMP quotations and dissection. */
export function readUncheckedUdp(packet: PacketBuffer): UdpHeader | "truncated" {
  if (packet.length < UDP_HEADER_LENGTH) return "truncated";
  return { sourcePort: packet.u16(0), destinationPort: packet.u16(2), length: packet.u16(4), checksum: packet.u16(6) };
}

/** Reads and consumes the header and cuts what lies behind the datagram. The packet is unchanged when the answer is a string. */
export function readUdp(
  packet: PacketBuffer,
  source: IpAddress,
  destination: IpAddress,
): UdpHeader | "truncated" | "bad-length" | "bad-checksum" {
  const header = readUncheckedUdp(packet);
  if (typeof header === "string") return header;
  if (header.length < UDP_HEADER_LENGTH || header.length > packet.length) return "bad-length";
  if (header.checksum !== 0) {
    if (packet.checksum === "complete") {
      const pseudoHeader = sumPseudoHeader(source, destination, PROTOCOL_UDP, header.length);
      if (foldChecksum(sumBytes(packet.bytes, packet.start, packet.start + header.length, pseudoHeader)) !== 0) return "bad-checksum";
    }
  } else if (typeof source === "string") {
    // RFC 8200 §8.1: over IPv6 the checksum is not optional.
    return "bad-checksum";
  }
  packet.truncate(header.length);
  packet.consume(UDP_HEADER_LENGTH);
  return header;
}

/** Writes a header with its checksum in front of the window, which holds the payload. */
export function prependUdp(
  packet: PacketBuffer,
  sourcePort: number,
  destinationPort: number,
  source: IpAddress,
  destination: IpAddress,
): void {
  packet.prepend(UDP_HEADER_LENGTH);
  packet.setU16(0, sourcePort);
  packet.setU16(2, destinationPort);
  packet.setU16(4, packet.length);
  packet.setU16(6, 0);
  const checksum = foldChecksum(sumPacket(packet, sumPseudoHeader(source, destination, PROTOCOL_UDP, packet.length)));
  // RFC 768: a computed 0 is sent as all ones, because 0 means that there is none.
  packet.setU16(6, checksum === 0 ? 0xffff : checksum);
}
