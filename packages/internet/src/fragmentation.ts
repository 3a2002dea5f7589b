// Fragmentation (RFC 791 §3.2): cuts a datagram, or a fragment, into pieces that fit.
import { foldChecksum, PacketBuffer, sumBytes } from "@netstrata/core";
import type { Ipv4Counters } from "./ipv4-counters.ts";
import { IPV4_HEADER_LENGTH } from "./ipv4-header.ts";
import { copiedOptions } from "./ipv4-options.ts";
import type { Fragmenter } from "./link-output.ts";

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;

/** Cuts and counts what is not forbidden to be cut (RFC 791 §3.1, Flags). */
export function ipv4Fragmenter(counters: Ipv4Counters): Fragmenter {
  return (datagram, mtu, next) => {
    if ((datagram.u16(6) & DONT_FRAGMENT) !== 0) return undefined;
    const pieces = fragmentIpv4(datagram, mtu, next.interface.headroom);
    if (pieces === undefined) return undefined;
    counters.FragOKs += 1;
    counters.FragCreates += pieces.length;
    return pieces;
  };
}

/**
 * Cuts a datagram.
 * @param datagram its window starts at the IP header; it is only read
 * @param mtu octets of the largest fragment
 * @param headroom octets to leave in front of each fragment
 * @returns undefined when a header and 8 octets do not fit
 */
export function fragmentIpv4(datagram: PacketBuffer, mtu: number, headroom: number): PacketBuffer[] | undefined {
  const fragments: PacketBuffer[] = [];
  const firstHeader = datagram.view(0, (datagram.u8(0) & 0xf) * 4);
  if (mtu < firstHeader.length + 8) return undefined;
  const laterHeader = headerOfLaterFragments(firstHeader);
  const flagsAndOffset = datagram.u16(6);
  const payloadLength = datagram.length - firstHeader.length;
  for (let at = 0; at < payloadLength; ) {
    // A fragment that is cut again has lost its uncopied options already; its own options count as a first fragment's.
    const headerBytes = at === 0 ? firstHeader : laterHeader;
    const room = mtu - headerBytes.length;
    const isLast = payloadLength - at <= room;
    const length = isLast ? payloadLength - at : room - (room % 8);
    const fragment = PacketBuffer.allocate(headroom, headerBytes.length + length);
    fragment.set(headerBytes);
    fragment.set(datagram.view(firstHeader.length + at, length), headerBytes.length);
    fragment.setU16(2, fragment.length);
    // What is cut may be a fragment itself: its offset and its flags (the reserved one too, RFC 1812 §5.2.5) live on.
    fragment.setU16(6, (flagsAndOffset | (isLast ? 0 : MORE_FRAGMENTS)) + at / 8);
    fragment.setU16(10, 0);
    fragment.setU16(10, foldChecksum(sumBytes(fragment.bytes, fragment.start, fragment.start + headerBytes.length)));
    fragments.push(fragment);
    at += length;
  }
  return fragments;
}

function headerOfLaterFragments(firstHeader: Uint8Array): Uint8Array {
  if (firstHeader.length === IPV4_HEADER_LENGTH) return firstHeader;
  const options = copiedOptions(firstHeader.subarray(IPV4_HEADER_LENGTH));
  const header = new Uint8Array(IPV4_HEADER_LENGTH + options.length);
  header.set(firstHeader.subarray(0, IPV4_HEADER_LENGTH));
  header.set(options, IPV4_HEADER_LENGTH);
  header[0] = 0x40 | (header.length / 4);
  return header;
}
