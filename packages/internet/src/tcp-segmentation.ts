// Cuts a TCP super-segment (RFC 9293 §3.1 header) where the link below does not: what kernels call GSO.
import { foldChecksum, PacketBuffer, sumBytes } from "@netstrata/core";
import { PROTOCOL_TCP } from "./ip-protocol.ts";
import { IPV6_HEADER_LENGTH } from "./ipv6-header.ts";

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
  const isVersion6 = datagram.u8(0) >>> 4 === 6;
  // No super-segment of ours has extension headers.
  const headerLength = isVersion6 ? IPV6_HEADER_LENGTH : (datagram.u8(0) & 0xf) * 4;
  if (datagram.u8(isVersion6 ? 6 : 9) !== PROTOCOL_TCP) return undefined;
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
    writeTcp(
      segment,
      isVersion6 ? 8 : 12,
      headerLength,
      at - bothHeaders,
      (at === bothHeaders ? 0 : FIRST_ONLY) | (isLast ? 0 : LAST_ONLY),
    );
    if (isVersion6) segment.setU16(4, segment.length - IPV6_HEADER_LENGTH);
    else writeIpv4(segment, headerLength, segments.length);
    segments.push(segment);
  }
  return segments;
}

/** @param addressesAt where the IP header has its two addresses, which end with it or in front of its options */
function writeTcp(segment: PacketBuffer, addressesAt: number, tcp: number, offset: number, flagsToClear: number): void {
  segment.setU32(tcp + 4, (segment.u32(tcp + 4) + offset) >>> 0);
  segment.setU8(tcp + 13, segment.u8(tcp + 13) & ~flagsToClear);
  segment.setU16(tcp + 16, 0);
  // The pseudo-header (RFC 9293 §3.1): both addresses, protocol, length.
  const addressesEnd = addressesAt === 12 ? 20 : IPV6_HEADER_LENGTH;
  const addresses = sumBytes(segment.bytes, segment.start + addressesAt, segment.start + addressesEnd);
  const sum = sumBytes(segment.bytes, segment.start + tcp, segment.end, addresses + PROTOCOL_TCP + segment.length - tcp);
  segment.setU16(tcp + 16, foldChecksum(sum));
}

function writeIpv4(segment: PacketBuffer, headerLength: number, index: number): void {
  segment.setU16(2, segment.length);
  segment.setU16(4, (segment.u16(4) + index) & 0xffff);
  segment.setU16(10, 0);
  segment.setU16(10, foldChecksum(sumBytes(segment.bytes, segment.start, segment.start + headerLength)));
}
