// Finishes the transport checksum of a packet that was meant for a device that would have done it (see `ChecksumState`).
import { foldChecksum, type PacketBuffer, sumPacket } from "@netstrata/core";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "./ip-protocol.ts";

/** Where the checksum field lies in each transport header that may come unfinished. */
const CHECKSUM_OFFSET: Readonly<Record<number, number>> = { [PROTOCOL_TCP]: 16, [PROTOCOL_UDP]: 6 };

/**
 * Completes a "partial" checksum: the field holds the pseudo-header's sum, and the message's own is still missing.
 * @param packet its window is the whole transport message
 */
export function finishChecksum(packet: PacketBuffer, protocol: number): void {
  const offset = CHECKSUM_OFFSET[protocol];
  packet.checksum = "complete";
  if (offset === undefined || packet.length < offset + 2) return;
  const checksum = foldChecksum(sumPacket(packet));
  // RFC 768: in UDP a field of 0 says "no checksum", so a sum of 0 is written as its other form.
  packet.setU16(offset, checksum === 0 && protocol === PROTOCOL_UDP ? 0xffff : checksum);
}
