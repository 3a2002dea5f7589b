// The last step of sending and of forwarding (RFC 791 §3.2, RFC 8200 §5): a datagram goes to its link whole or in pieces.
import type { PacketBuffer } from "@netstrata/core";
import type { Destination } from "./destination.ts";
import { segmentTcp } from "./tcp-segmentation.ts";
import { finishChecksum } from "./transport-checksum.ts";

/** Cuts what does not fit into pieces of at most `mtu` octets; undefined when it must not, or cannot, be cut. It only reads. */
export type Fragmenter = (datagram: PacketBuffer, mtu: number, next: Destination) => PacketBuffer[] | undefined;

/** For what is on its way through an IPv6 router (RFC 8200 §5), or must not be cut. */
export const NEVER_FRAGMENT: Fragmenter = () => undefined;

/**
 * @param datagram of either family, its window starts at the IP header; ownership is taken
 * @param mtu octets of what may leave in one piece
 * @param fragment what becomes of larger ones
 * @returns false when it is too long and must not, or cannot, be cut
 */
export function sendToLink(datagram: PacketBuffer, next: Destination, mtu: number, fragment: Fragmenter): boolean {
  const link = next.interface;
  // A super-segment is cut by the device, so it is the device that says how long it may be.
  const largest = datagram.segmentSize > 0 ? link.offload.segmentation : mtu;
  const fits = datagram.length <= largest;
  if (datagram.checksum === "partial" && !(fits && link.offload.checksum)) finishChecksum(datagram);
  if (fits) {
    link.send(datagram, next.nextHop);
    return true;
  }
  const pieces = datagram.segmentSize > 0 ? segmentTcp(datagram, mtu, link.headroom) : fragment(datagram, mtu, next);
  if (pieces === undefined) return false;
  for (const piece of pieces) link.send(piece, next.nextHop);
  return true;
}
