// The IPv4 header (RFC 791 §3.1).
import { foldChecksum, type Ipv4Address, type PacketBuffer, readIpv4, sumBytes, writeIp } from "@netstrata/core";
import type { IpHeader } from "./ip-header.ts";

export const IPV4_HEADER_LENGTH = 20;
export const IPV4_MAX_HEADER_LENGTH = 60;
export const IPV4_MAX_LENGTH = 65535;
/** Every module must be able to receive a datagram of this size, whole or in fragments (RFC 791 §3.1, Total Length). */
export const IPV4_MINIMUM_REASSEMBLY = 576;
/** Every link must carry a datagram of this size without fragmentation (RFC 791 §3.2). */
export const IPV4_MINIMUM_MTU = 68;

export interface Ipv4Header extends IpHeader {
  readonly version: 4;
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
  /** Octets of header and payload as the header says; padding behind them has been cut off. */
  readonly totalLength: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** Where this fragment's payload lies in the whole, in octets. */
  readonly fragmentOffset: number;
}

export type Ipv4ParseError = "truncated" | "bad-version" | "bad-header-length" | "bad-total-length" | "bad-checksum";

/**
 * Reads and consumes a header with its options and cuts link padding off the payload. The packet is unchanged when the
 * answer is a string. The options stay readable in front of the window: `Ipv4Options` are at `rewind(headerLength - 20)`.
 */
export function readIpv4Header(packet: PacketBuffer): Ipv4Header | Ipv4ParseError {
  const header = readUncheckedIpv4Header(packet);
  if (typeof header === "string") return header;
  if (packet.length < header.totalLength) return "bad-total-length";
  // RFC 1122 §3.2.1.2: the checksum is verified, and a datagram with a bad one is dropped in silence.
  if (foldChecksum(sumBytes(packet.bytes, packet.start, packet.start + header.headerLength)) !== 0) return "bad-checksum";
  packet.truncate(header.totalLength);
  packet.consume(header.headerLength);
  return header;
}

/**
 * Reads a header without asking for its payload or its checksum, and without consuming it: for the quotation in an ICMP
 * error, which is cut short and may have been changed on its way, and for dissection.
 */
export function readUncheckedIpv4Header(packet: PacketBuffer): Ipv4Header | Exclude<Ipv4ParseError, "bad-checksum"> {
  if (packet.length < IPV4_HEADER_LENGTH) return "truncated";
  const versionAndLength = packet.u8(0);
  if (versionAndLength >>> 4 !== 4) return "bad-version";
  const headerLength = (versionAndLength & 0xf) * 4;
  if (headerLength < IPV4_HEADER_LENGTH) return "bad-header-length";
  if (packet.length < headerLength) return "truncated";
  const totalLength = packet.u16(2);
  if (totalLength < headerLength) return "bad-total-length";
  const fragment = packet.u16(6);
  return {
    version: 4,
    headerLength,
    trafficClass: packet.u8(1),
    totalLength,
    identification: packet.u16(4),
    dontFragment: (fragment & 0x4000) !== 0,
    moreFragments: (fragment & 0x2000) !== 0,
    fragmentOffset: (fragment & 0x1fff) * 8,
    timeToLive: packet.u8(8),
    protocol: packet.u8(9),
    source: readIpv4(packet, 12),
    destination: readIpv4(packet, 16),
  };
}

/** What `prependIpv4` needs to know. */
export interface Ipv4HeaderFields {
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
  readonly protocol: number;
  readonly timeToLive: number;
  readonly trafficClass: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In octets, a multiple of 8. */
  readonly fragmentOffset: number;
  /** Already padded to a multiple of 4 octets; at most 40. */
  readonly options?: Uint8Array;
}

/** Writes a header with its checksum in front of the window, which holds the payload. */
export function prependIpv4(packet: PacketBuffer, fields: Ipv4HeaderFields): void {
  const headerLength = IPV4_HEADER_LENGTH + (fields.options?.length ?? 0);
  packet.prepend(headerLength);
  packet.setU8(0, 0x40 | (headerLength / 4));
  packet.setU8(1, fields.trafficClass);
  packet.setU16(2, packet.length);
  packet.setU16(4, fields.identification);
  packet.setU16(6, (fields.dontFragment ? 0x4000 : 0) | (fields.moreFragments ? 0x2000 : 0) | (fields.fragmentOffset / 8));
  packet.setU8(8, fields.timeToLive);
  packet.setU8(9, fields.protocol);
  packet.setU16(10, 0);
  writeIp(packet, 12, fields.source);
  writeIp(packet, 16, fields.destination);
  if (fields.options !== undefined) packet.set(fields.options, IPV4_HEADER_LENGTH);
  packet.setU16(10, foldChecksum(sumBytes(packet.bytes, packet.start, packet.start + headerLength)));
}
