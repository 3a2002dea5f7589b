// Cuts a TCP super-segment (RFC 9293 §3.1 header) where the link below does not: what kernels call GSO.
import { foldChecksum, PacketBuffer, sumBytes } from "@netstrata/core";
import { PROTOCOL_TCP } from "./ip-protocol.ts";

const TCP_HEADER_LENGTH = 20;
/** FIN and PSH belong to the last octets, so to the last segment. */
const LAST_ONLY = 0x09;
/** CWR says that a mark was heard, which is said once (RFC 3168 §6.1.2). */
const FIRST_ONLY = 0x80;

/**
 * Cuts a datagram into segments of at most `segmentSize` octets of payload each.
 * @param datagram its window starts at the IP header; it is only read
 * @param headroom octets to leave in front of each segment's IP header
 * @returns undefined when that is no TCP segment, or when a segment would exceed `mtu`
 */
export function segmentTcp(datagram: PacketBuffer, mtu: number, headroom: number): PacketBuffer[] | undefined {
  const headerLength = (datagram.u8(0) & 0xf) * 4;
  if (datagram.u8(9) !== PROTOCOL_TCP) return undefined;
  // Of a segment too short to hold a data offset, whatever stands behind it leads out of the datagram as well.
  const tcpHeaderLength = (datagram.u8(headerLength + 12) >>> 4) * 4;
  const bothHeaders = headerLength + tcpHeaderLength;
  const size = datagram.segmentSize;
  if (tcpHeaderLength < TCP_HEADER_LENGTH || bothHeaders >= datagram.length || bothHeaders + size > mtu) return undefined;
  const segments: PacketBuffer[] = [];
  for (let at = bothHeaders; at < datagram.length; at += size) {
    const length = Math.min(size, datagram.length - at);
    const segment = PacketBuffer.allocate(headroom, bothHeaders + length);
    segment.set(datagram.view(0, bothHeaders));
    segment.set(datagram.view(at, length), bothHeaders);
    const isLast = at + length === datagram.length;
    writeTcp(segment, headerLength, at - bothHeaders, (at === bothHeaders ? 0 : FIRST_ONLY) | (isLast ? 0 : LAST_ONLY));
    writeIp(segment, headerLength, segments.length);
    segments.push(segment);
  }
  return segments;
}

function writeTcp(segment: PacketBuffer, tcp: number, offset: number, flagsToClear: number): void {
  segment.setU32(tcp + 4, (segment.u32(tcp + 4) + offset) >>> 0);
  segment.setU8(tcp + 13, segment.u8(tcp + 13) & ~flagsToClear);
  segment.setU16(tcp + 16, 0);
  // The pseudo-header (RFC 9293 §3.1): both addresses, protocol, length.
  const addresses = sumBytes(segment.bytes, segment.start + 12, segment.start + 20);
  const sum = sumBytes(segment.bytes, segment.start + tcp, segment.end, addresses + PROTOCOL_TCP + segment.length - tcp);
  segment.setU16(tcp + 16, foldChecksum(sum));
}

function writeIp(segment: PacketBuffer, headerLength: number, index: number): void {
  segment.setU16(2, segment.length);
  segment.setU16(4, (segment.u16(4) + index) & 0xffff);
  segment.setU16(10, 0);
  segment.setU16(10, foldChecksum(sumBytes(segment.bytes, segment.start, segment.start + headerLength)));
}
