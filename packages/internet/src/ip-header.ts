// What both IP headers have in common, which is all that the transport layer ever sees.
import { type IpAddress, type IpVersion, ipLength, type PacketBuffer, sumIp } from "@netstrata/core";

export interface IpHeader {
  readonly version: IpVersion;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** The protocol of the payload: IPv4's Protocol, or the Next Header behind all of IPv6's extension headers. */
  readonly protocol: number;
  /** TTL or Hop Limit. */
  readonly timeToLive: number;
  /** TOS or Traffic Class: DSCP in the upper six bits (RFC 2474), ECN in the lower two (RFC 3168). */
  readonly trafficClass: number;
  /** Octets of the header with its options or extension headers: by so much the packet rewinds to quote it. */
  readonly headerLength: number;
}

/**
 * The pseudo-header's part of a transport checksum (RFC 9293 §3.1, RFC 768, RFC 8200 §8.1), as an unfolded sum.
 * @param length octets of transport header and payload
 */
export function sumPseudoHeader(source: IpAddress, destination: IpAddress, protocol: number, length: number): number {
  // IPv6 counts the length in 32 bits; for what fits in an IPv4 datagram the two sums are the same.
  return sumIp(source) + sumIp(destination) + protocol + (length & 0xffff) + (length >>> 16);
}

/**
 * The IPv4 options that a transport message came with, as a view that is lent like the packet; undefined when there were none.
 * @param message its window starts at the transport header, in front of which they lie
 */
export function receivedOptions(message: PacketBuffer, header: IpHeader): Uint8Array | undefined {
  const base = baseHeaderLength(header.source);
  if (header.version !== 4 || header.headerLength <= base) return undefined;
  return message.bytes.subarray(message.start - header.headerLength + base, message.start);
}

/** Octets of the header without options: 20 or 40. */
export function baseHeaderLength(address: IpAddress): number {
  return ipLength(address) === 4 ? 20 : 40;
}
