// The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
import type { PacketBuffer } from "./packet-buffer.ts";

/**
 * Sums are kept unfolded: a plain number that grows by 16-bit words. A number holds 2^37 of them exactly, so nothing
 * overflows before `foldChecksum`.
 */
export type ChecksumSum = number;

/** Adds the 16-bit big-endian words of `bytes[start, end)` to `sum`; an odd last octet counts as the high one (RFC 1071 §1). */
export function sumBytes(bytes: Uint8Array, start: number, end: number, sum: ChecksumSum = 0): ChecksumSum {
  let at = start;
  // Eight words in one step: their sum stays far below 2^31, so the engine keeps it in an integer register, and the loop
  // runs about twice as fast as one word at a time.
  for (const last = end - 15; at < last; at += 16) {
    const high =
      bytes[at] + bytes[at + 2] + bytes[at + 4] + bytes[at + 6] + bytes[at + 8] + bytes[at + 10] + bytes[at + 12] + bytes[at + 14];
    const low =
      bytes[at + 1] + bytes[at + 3] + bytes[at + 5] + bytes[at + 7] + bytes[at + 9] + bytes[at + 11] + bytes[at + 13] + bytes[at + 15];
    sum += (high << 8) + low;
  }
  for (; at + 1 < end; at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  if (at < end) sum += bytes[at] << 8;
  return sum;
}

/** The sum of a packet's whole window. */
export function sumPacket(packet: PacketBuffer, sum: ChecksumSum = 0): ChecksumSum {
  return sumBytes(packet.bytes, packet.start, packet.end, sum);
}

/** Folds a sum into 16 bits with end-around carry, without complementing it. */
export function foldSum(sum: ChecksumSum): number {
  let folded = sum;
  // Beyond 32 bits the carries have to come out of a division, because shifts see only the lower 32.
  while (folded > 0xffffffff) folded = (folded % 0x100000000) + Math.floor(folded / 0x100000000);
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return folded;
}

/**
 * The checksum field for a sum: its one's complement (RFC 1071 §1). A message whose own field is included and right gives 0.
 */
export function foldChecksum(sum: ChecksumSum): number {
  return foldSum(sum) ^ 0xffff;
}

/** The new checksum field when a 16-bit word of the message changes from `before` to `after` (RFC 1624 §3, equation 3). */
export function updateChecksum(checksum: number, before: number, after: number): number {
  return foldChecksum((~checksum & 0xffff) + (~before & 0xffff) + after);
}
