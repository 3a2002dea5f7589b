// Finishes the transport checksum (RFC 1071) of a packet that was meant for a device that would have done it, see `ChecksumState`.
import { foldChecksum, type PacketBuffer, sumBytes } from "@netstrata/core";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "./ip-protocol.ts";
import { IPV6_HEADER_LENGTH } from "./ipv6-header.ts";

/** Where the checksum field lies in each transport header that may come unfinished. */
const CHECKSUM_OFFSET: Readonly<Record<number, number>> = { [PROTOCOL_TCP]: 16, [PROTOCOL_UDP]: 6 };

/**
 * Completes a "partial" checksum: the field holds the pseudo-header's sum, and the message's own is still missing.
 * @param datagram of either family, without extension headers; its window starts at the IP header
 */
export function finishChecksum(datagram: PacketBuffer): void {
  const isVersion6 = datagram.u8(0) >>> 4 === 6;
  const protocol = datagram.u8(isVersion6 ? 6 : 9);
  const message = isVersion6 ? IPV6_HEADER_LENGTH : (datagram.u8(0) & 0xf) * 4;
  const field = message + CHECKSUM_OFFSET[protocol];
  datagram.checksum = "complete";
  // A protocol without an offset makes this comparison false.
  if (!(datagram.length >= field + 2)) return;
  const checksum = foldChecksum(sumBytes(datagram.bytes, datagram.start + message, datagram.end));
  // RFC 768: in UDP a field of 0 says "no checksum", so a sum of 0 is written as its other form.
  datagram.setU16(field, checksum === 0 && protocol === PROTOCOL_UDP ? 0xffff : checksum);
}
