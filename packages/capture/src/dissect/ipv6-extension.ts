// Extension headers of IPv6 (RFC 8200 §4), and the authentication header (RFC 4302), which IPv4 has too.
import { type PacketBuffer, readIpv6 } from "@netstrata/core";
import { type Cursor, type Dissector, NEXT_DATA, type NextLayer, nextIpProtocol } from "./cursor.ts";
import type { Ipv6ExtensionLayer } from "./layer.ts";

const FRAGMENT_HEADER_LENGTH = 8;
const OPTION_JUMBO_PAYLOAD = 0xc2;
const OPTION_PAD1 = 0;

/** Routing types whose segments are addresses that packets are on their way to (RFC 2460 §4.4, RFC 6275 §6.4). */
const ROUTING_SOURCE_ROUTE = 0;
const ROUTING_MOBILITY = 2;
/** RFC 8754 §2: the segments are listed from the last one to the first. */
const ROUTING_SEGMENTS = 4;

/** A dissector for headers whose second octet counts 8-octet units behind the first one. */
function extension(protocol: Exclude<Ipv6ExtensionLayer["protocol"], "authentication">): Dissector {
  return (cursor) => {
    const { packet } = cursor;
    // RFC 8200 §4.3: the hop-by-hop header stands right behind the IPv6 header, or not at all.
    if (protocol === "hop-by-hop" && cursor.layers.at(-1)?.protocol !== "ipv6") return cursor.malformed(protocol, "not-first");
    if (packet.length < 2) return cursor.malformed(protocol, "truncated");
    const headerLength = (packet.u8(1) + 1) * 8;
    if (headerLength > packet.length) return cursor.malformed(protocol, "truncated");
    const nextHeader = packet.u8(0);
    if (protocol === "routing") followRoute(cursor, headerLength);
    return cursor.found({ protocol, offset: packet.start, headerLength, nextHeader }, nextIpProtocol(nextHeader));
  };
}

export const dissectHopByHop: Dissector = extension("hop-by-hop");
export const dissectDestinationOptions: Dissector = extension("destination-options");
export const dissectRouting: Dissector = extension("routing");

/** RFC 4302 §2.2: the length counts 4-octet units, minus 2. */
export function dissectAuthentication(cursor: Cursor): NextLayer {
  const { packet } = cursor;
  if (packet.length < 2) return cursor.malformed("authentication", "truncated");
  const headerLength = (packet.u8(1) + 2) * 4;
  if (headerLength > packet.length) return cursor.malformed("authentication", "truncated");
  const nextHeader = packet.u8(0);
  return cursor.found({ protocol: "authentication", offset: packet.start, headerLength, nextHeader }, nextIpProtocol(nextHeader));
}

export function dissectIpv6Fragment(cursor: Cursor): NextLayer {
  const { packet } = cursor;
  if (packet.length < FRAGMENT_HEADER_LENGTH) return cursor.malformed("ipv6-fragment", "truncated");
  const nextHeader = packet.u8(0);
  const word = packet.u16(2);
  const fragmentOffset = word & 0xfff8;
  const moreFragments = (word & 1) === 1;
  cursor.fragmented ||= fragmentOffset > 0 || moreFragments;
  return cursor.found(
    {
      protocol: "ipv6-fragment",
      offset: packet.start,
      headerLength: FRAGMENT_HEADER_LENGTH,
      nextHeader,
      identification: packet.u32(4),
      fragmentOffset,
      moreFragments,
    },
    fragmentOffset > 0 ? NEXT_DATA : nextIpProtocol(nextHeader),
  );
}

/** RFC 8200 §8.1: a checksum's pseudo-header holds the last address of the route, not the next one. */
function followRoute(cursor: Cursor, headerLength: number): void {
  const { packet } = cursor;
  const type = packet.u8(2);
  const segmentsLeft = packet.u8(3);
  const segments = (headerLength - 8) >> 4;
  if (segmentsLeft === 0 || segments === 0) return;
  if (type === ROUTING_SEGMENTS) cursor.destination = readIpv6(packet, 8);
  if (type === ROUTING_SOURCE_ROUTE || type === ROUTING_MOBILITY) cursor.destination = readIpv6(packet, 8 + 16 * (segments - 1));
}

/** The length that a jumbo payload option (RFC 2675 §2) in the hop-by-hop header at `at` says; undefined when there is none. */
export function jumboPayloadLength(packet: PacketBuffer, at: number): number | undefined {
  if (packet.length < at + 8) return undefined;
  const end = Math.min(packet.length, at + (packet.u8(at + 1) + 1) * 8);
  for (let option = at + 2; option + 1 < end; ) {
    const kind = packet.u8(option);
    if (kind === OPTION_JUMBO_PAYLOAD && option + 6 <= end) return packet.u32(option + 2);
    option += kind === OPTION_PAD1 ? 1 : 2 + packet.u8(option + 1);
  }
  return undefined;
}
