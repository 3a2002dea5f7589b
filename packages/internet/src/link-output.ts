// The last step of sending and of forwarding (RFC 791 §3.2): a datagram goes to its link whole or in pieces.
import type { PacketBuffer } from "@netstrata/core";
import type { Destination } from "./destination.ts";
import { fragmentIpv4 } from "./fragmentation.ts";
import type { Ipv4Counters } from "./ipv4-counters.ts";
import { segmentTcp } from "./tcp-segmentation.ts";
import { finishChecksum } from "./transport-checksum.ts";

const DONT_FRAGMENT = 0x4000;

/**
 * @param datagram its window starts at the IP header; ownership is taken
 * @param mtu octets of what may leave in one piece
 * @returns false when it is too long and must not, or cannot, be cut
 */
export function sendToLink(datagram: PacketBuffer, next: Destination, mtu: number, counters: Ipv4Counters): boolean {
  const link = next.interface;
  // A super-segment is cut by the device, so it is the device that says how long it may be.
  const largest = datagram.segmentSize > 0 ? link.offload.segmentation : mtu;
  const fits = datagram.length <= largest;
  if (datagram.checksum === "partial" && !(fits && link.offload.checksum)) finishChecksum(datagram);
  if (fits) {
    link.send(datagram, next.nextHop);
    return true;
  }
  const pieces = datagram.segmentSize > 0 ? segmentTcp(datagram, mtu, link.headroom) : fragments(datagram, mtu, link.headroom, counters);
  if (pieces === undefined) return false;
  for (const piece of pieces) link.send(piece, next.nextHop);
  return true;
}

function fragments(datagram: PacketBuffer, mtu: number, headroom: number, counters: Ipv4Counters): PacketBuffer[] | undefined {
  if ((datagram.u16(6) & DONT_FRAGMENT) !== 0) return undefined;
  const pieces = fragmentIpv4(datagram, mtu, headroom);
  if (pieces === undefined) return undefined;
  counters.FragOKs += 1;
  counters.FragCreates += pieces.length;
  return pieces;
}
