// The IPv6 header (RFC 8200 §3), and a walk over its extension headers (§4) that only looks: what they ask for is done in ipv6-extension-headers.ts.
import { type Ipv6Address, type PacketBuffer, readIpv6, writeIp } from "@netstrata/core";
import type { IpHeader } from "./ip-header.ts";
import { PROTOCOL_IPV6_DESTINATION, PROTOCOL_IPV6_FRAGMENT, PROTOCOL_IPV6_HOP_BY_HOP, PROTOCOL_IPV6_ROUTING } from "./ip-protocol.ts";

export const IPV6_HEADER_LENGTH = 40;
/** Octets behind the header, with extension headers: the field has 16 bits (RFC 8200 §3). */
export const IPV6_MAX_PAYLOAD = 65535;
/** Every link must carry a packet of this size (RFC 8200 §5). */
export const IPV6_MINIMUM_MTU = 1280;
/** Nobody has a use for longer chains; walking on would be work for an attacker (RFC 8504 §5.3 allows such a limit). */
const MAX_EXTENSION_HEADERS = 16;
const AUTHENTICATION_HEADER = 51;

export interface Ipv6Header extends IpHeader {
  readonly version: 6;
  readonly source: Ipv6Address;
  readonly destination: Ipv6Address;
  readonly flowLabel: number;
  /** Octets behind the fixed header, as it says; padding behind them has been cut off. */
  readonly payloadLength: number;
  /** Present when a fragment header stands in the chain, or stood there until the datagram was put together. */
  readonly fragment?: { readonly identification: number; readonly offset: number; readonly moreFragments: boolean };
}

export type Ipv6ParseError = "truncated" | "bad-version" | "bad-payload-length" | "bad-extension-header" | "too-many-extension-headers";

/**
 * Reads and consumes the header and its extension headers, as far as they are known and in this packet, and cuts link
 * padding off. The packet is unchanged when the answer is a string.
 */
export function readIpv6Header(packet: PacketBuffer): Ipv6Header | Ipv6ParseError {
  const header = readUncheckedIpv6Header(packet);
  if (typeof header === "string") return header;
  if (packet.length < IPV6_HEADER_LENGTH + header.payloadLength) return "bad-payload-length";
  packet.truncate(IPV6_HEADER_LENGTH + header.payloadLength);
  if (header.headerLength > packet.length) {
    return "bad-extension-header";
  }
  packet.consume(header.headerLength);
  return header;
}

/**
 * Reads and consumes the 40 octets of the header and cuts link padding off; extension headers stay where they are. Its `protocol`
 * is the Next Header field. The packet is unchanged when the answer is a string.
 */
export function readIpv6FixedHeader(packet: PacketBuffer): Ipv6Header | "truncated" | "bad-version" | "bad-payload-length" {
  if (packet.length < 1) return "truncated";
  if (packet.u8(0) >>> 4 !== 6) return "bad-version";
  if (packet.length < IPV6_HEADER_LENGTH) return "truncated";
  const payloadLength = packet.u16(4);
  if (packet.length < IPV6_HEADER_LENGTH + payloadLength) return "bad-payload-length";
  const first = packet.u32(0);
  const header: Ipv6Header = {
    version: 6,
    headerLength: IPV6_HEADER_LENGTH,
    trafficClass: (first >>> 20) & 0xff,
    flowLabel: first & 0xfffff,
    payloadLength,
    timeToLive: packet.u8(7),
    protocol: packet.u8(6),
    source: readIpv6(packet, 8),
    destination: readIpv6(packet, 24),
    fragment: undefined,
  };
  packet.truncate(IPV6_HEADER_LENGTH + payloadLength);
  packet.consume(IPV6_HEADER_LENGTH);
  return header;
}

/** Reads a header without asking for its whole payload and without consuming it: for ICMP quotations and for dissection. */
export function readUncheckedIpv6Header(packet: PacketBuffer): Ipv6Header | Ipv6ParseError {
  if (packet.length < 1) return "truncated";
  if (packet.u8(0) >>> 4 !== 6) return "bad-version";
  if (packet.length < IPV6_HEADER_LENGTH) return "truncated";
  const first = packet.u32(0);
  let protocol = packet.u8(6);
  let at = IPV6_HEADER_LENGTH;
  let fragment: Ipv6Header["fragment"];
  for (let count = 0; isExtensionHeader(protocol); count += 1) {
    if (count === MAX_EXTENSION_HEADERS) return "too-many-extension-headers";
    if (packet.length < at + 8) return "truncated";
    const kind = protocol;
    protocol = packet.u8(at);
    if (kind === PROTOCOL_IPV6_FRAGMENT) {
      const word = packet.u16(at + 2);
      fragment = { identification: packet.u32(at + 4), offset: word & 0xfff8, moreFragments: (word & 1) === 1 };
      at += 8;
      // Behind the header of a later fragment comes the middle of something, not the next header (RFC 8200 §4.5).
      if (fragment.offset > 0) break;
    } else {
      // RFC 4302 §2.2 counts the authentication header in 4-octet units, the others count in 8.
      at += kind === AUTHENTICATION_HEADER ? (packet.u8(at + 1) + 2) * 4 : (packet.u8(at + 1) + 1) * 8;
      if (packet.length < at) return "truncated";
    }
  }
  return {
    version: 6,
    headerLength: at,
    trafficClass: (first >>> 20) & 0xff,
    flowLabel: first & 0xfffff,
    payloadLength: packet.u16(4),
    timeToLive: packet.u8(7),
    protocol,
    source: readIpv6(packet, 8),
    destination: readIpv6(packet, 24),
    fragment,
  };
}

function isExtensionHeader(protocol: number): boolean {
  return (
    protocol === PROTOCOL_IPV6_HOP_BY_HOP ||
    protocol === PROTOCOL_IPV6_ROUTING ||
    protocol === PROTOCOL_IPV6_FRAGMENT ||
    protocol === PROTOCOL_IPV6_DESTINATION ||
    protocol === AUTHENTICATION_HEADER
  );
}

/** What `prependIpv6` needs to know. */
export interface Ipv6HeaderFields {
  readonly source: Ipv6Address;
  readonly destination: Ipv6Address;
  /** The Next Header field. */
  readonly protocol: number;
  /** The Hop Limit. */
  readonly timeToLive: number;
  readonly trafficClass: number;
  readonly flowLabel: number;
}

/** Writes a header in front of the window, which holds the payload with its extension headers. */
export function prependIpv6(packet: PacketBuffer, fields: Ipv6HeaderFields): void {
  const payloadLength = packet.length;
  packet.prepend(IPV6_HEADER_LENGTH);
  packet.setU32(0, (0x60000000 | (fields.trafficClass << 20) | fields.flowLabel) >>> 0);
  packet.setU16(4, payloadLength);
  packet.setU8(6, fields.protocol);
  packet.setU8(7, fields.timeToLive);
  writeIp(packet, 8, fields.source);
  writeIp(packet, 24, fields.destination);
}
