// What a transport checksum is worth (RFC 9293 §3.1, RFC 768, RFC 4443 §2.3).
import { foldChecksum, sumBytes } from "@netstrata/core";
import { sumPseudoHeader } from "@netstrata/internet";
import type { Cursor } from "./cursor.ts";
import type { ChecksumVerdict } from "./layer.ts";

/** The verdict on a checksum that covers the pseudo-header of the innermost IP header and the next `length` octets. */
export function transportChecksum(cursor: Cursor, protocol: number, length: number): ChecksumVerdict {
  if (!cursor.canVerify(length)) return "unverified";
  const { packet } = cursor;
  const pseudoHeader = sumPseudoHeader(cursor.source, cursor.destination, protocol, length);
  return cursor.verdict(foldChecksum(sumBytes(packet.bytes, packet.start, packet.start + length, pseudoHeader)) === 0);
}
