// Fragmentation (RFC 8200 §4.5): only the source cuts, and every piece says where it belongs in a header of its own.
import { PacketBuffer } from "@netstrata/core";
import { PROTOCOL_IPV6_FRAGMENT, PROTOCOL_IPV6_HOP_BY_HOP } from "./ip-protocol.ts";
import { IPV6_HEADER_LENGTH } from "./ipv6-header.ts";

export const FRAGMENT_HEADER_LENGTH = 8;

/**
 * Cuts a datagram.
 * @param datagram its window starts at the IPv6 header; it is only read
 * @param mtu octets of the largest fragment
 * @param headroom octets to leave in front of each fragment
 * @returns undefined when the headers and 8 octets do not fit
 */
export function fragmentIpv6(datagram: PacketBuffer, mtu: number, headroom: number, identification: number): PacketBuffer[] | undefined {
  // The per-fragment headers: what nodes on the way look at. Of what we send that is a hop-by-hop header at most.
  const hasHopByHop = datagram.u8(6) === PROTOCOL_IPV6_HOP_BY_HOP;
  const repeated = IPV6_HEADER_LENGTH + (hasHopByHop ? 8 * (datagram.u8(IPV6_HEADER_LENGTH + 1) + 1) : 0);
  const namedAt = hasHopByHop ? IPV6_HEADER_LENGTH : 6;
  const room = mtu - repeated - FRAGMENT_HEADER_LENGTH;
  if (room < 8) return undefined;
  const fragments: PacketBuffer[] = [];
  const payloadLength = datagram.length - repeated;
  for (let at = 0; at < payloadLength; ) {
    const isLast = payloadLength - at <= room;
    const length = isLast ? payloadLength - at : room - (room % 8);
    const fragment = PacketBuffer.allocate(headroom, repeated + FRAGMENT_HEADER_LENGTH + length);
    fragment.set(datagram.view(0, repeated));
    fragment.set(datagram.view(repeated + at, length), repeated + FRAGMENT_HEADER_LENGTH);
    fragment.setU16(4, fragment.length - IPV6_HEADER_LENGTH);
    fragment.setU8(repeated, datagram.u8(namedAt));
    fragment.setU8(namedAt, PROTOCOL_IPV6_FRAGMENT);
    fragment.setU16(repeated + 2, at | (isLast ? 0 : 1));
    fragment.setU32(repeated + 4, identification);
    fragments.push(fragment);
    at += length;
  }
  return fragments;
}
