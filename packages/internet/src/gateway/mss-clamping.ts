// MSS clamping: a router lowers the segment size that passing SYNs announce (RFC 9293 §3.7.1) to what its links take (RFC 2923 §2.1 says what for).
import { type PacketBuffer, updateChecksum } from "@netstrata/core";
import { IPV4_HEADER_LENGTH } from "../ipv4-header.ts";
import { IPV6_HEADER_LENGTH } from "../ipv6-header.ts";

const SYN = 0x02;
const RST = 0x04;
const TCP_HEADER_LENGTH = 20;
const CHECKSUM = 16;
const OPTION_END = 0;
const OPTION_NONE = 1;
const OPTION_MSS = 2;

/**
 * @param datagram a whole one; its window starts at the IP header
 * @param at octets to the TCP header
 * @param mtu octets of the narrower link
 */
export function clampSegmentSize(datagram: PacketBuffer, at: number, mtu: number): void {
  if (datagram.length < at + TCP_HEADER_LENGTH || (datagram.u8(at + 13) & (SYN | RST)) !== SYN) return;
  const end = Math.min(datagram.length, at + (datagram.u8(at + 12) >>> 4) * 4);
  const option = findMss(datagram, at + TCP_HEADER_LENGTH, end);
  const largest = mtu - TCP_HEADER_LENGTH - (datagram.u8(0) >>> 4 === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH);
  if (option === undefined || datagram.u16(option + 2) <= largest) return;
  const field = at + CHECKSUM;
  // Options need not stand at even octets; what is changed are then halves of three words, of which the sum is that of the swapped value.
  const isOdd = (option - at) % 2 === 1;
  const before = datagram.u16(option + 2);
  datagram.setU16(option + 2, largest);
  if (datagram.checksum === "partial") return;
  const [former, latter] = isOdd ? [swapped(before), swapped(largest)] : [before, largest];
  datagram.setU16(field, updateChecksum(datagram.u16(field), former, latter));
}

/** Octets from the window's start to the option; undefined when there is none that can be read. */
function findMss(datagram: PacketBuffer, from: number, end: number): number | undefined {
  for (let at = from; at < end; ) {
    const kind = datagram.u8(at);
    if (kind === OPTION_END) return undefined;
    if (kind === OPTION_NONE) {
      at += 1;
      continue;
    }
    const length = at + 1 < end ? datagram.u8(at + 1) : 0;
    if (length < 2 || at + length > end) return undefined;
    if (kind === OPTION_MSS) return length === 4 ? at : undefined;
    at += length;
  }
  return undefined;
}

function swapped(word: number): number {
  return ((word & 0xff) << 8) | (word >>> 8);
}
