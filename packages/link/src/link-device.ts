// The link device, third of the three doors: the contract between netstrata and whatever carries its packets.
import { type Counters, createCounters, type PacketBuffer } from "@netstrata/core";
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_VLAN, VLAN_TAG_LENGTH } from "./ethernet-header.ts";

/** What a device carries: Ethernet frames without FCS, or bare IP datagrams. */
export type Medium = "ethernet" | "ip";

/** What a device does with packets so that the layers above need not. */
export interface LinkOffload {
  /**
   * True when outgoing packets may carry a "partial" transport checksum: the device finishes it, or the packet stays in
   * memory. In the latter case it arrives as "partial", which the receiver takes as verified, and which a router finishes
   * before it forwards the packet through a device without this offload.
   */
  readonly checksum: boolean;
  /** Octets of the largest super-segment (as an IP datagram) the device takes whole; 0 when it takes none. */
  readonly segmentation: number;
}

export const NO_OFFLOAD: LinkOffload = { checksum: false, segmentation: 0 };

/** Names as in Linux's `/proc/net/dev`. */
const LINK_COUNTERS = ["rxPackets", "rxBytes", "rxErrors", "rxDropped", "txPackets", "txBytes", "txErrors", "txDropped"] as const;
export type LinkCounters = Counters<(typeof LINK_COUNTERS)[number]>;

export function createLinkCounters(): LinkCounters {
  return createCounters(LINK_COUNTERS);
}

export interface PacketReceiver {
  /** The packet is lent for the duration of the call: narrow its window, copy what must live, keep nothing. */
  receive(packet: PacketBuffer): void;
}

export interface LinkDevice {
  readonly name: string;
  readonly medium: Medium;
  /** Largest link payload, in octets: the largest IP datagram, not counting an Ethernet header. */
  readonly mtu: number;
  readonly offload: LinkOffload;
  readonly counters: LinkCounters;
  /** Takes ownership. Never throws and never calls a receiver before it returns: what cannot be sent is lost and counted. */
  transmit(packet: PacketBuffer): void;
  /** There is one receiver; attaching another replaces it. What arrives while there is none is lost and counted. */
  attach(receiver: PacketReceiver): void;
  /** After it nothing is delivered, and what is transmitted is lost and counted. Closing twice is harmless. */
  close(): void;
}

/** True when a device of this medium, MTU and offload may be given a packet of this size. */
export function fitsDevice(device: Pick<LinkDevice, "medium" | "mtu" | "offload">, packet: PacketBuffer): boolean {
  const limit = packet.segmentSize > 0 ? Math.max(device.mtu, device.offload.segmentation) : device.mtu;
  if (device.medium === "ip") return packet.length > 0 && packet.length <= limit;
  const payload = packet.length - ETHERNET_HEADER_LENGTH;
  if (payload < 0) return false;
  // A tag makes the frame longer, not its payload (IEEE 802.3 §3.2.7).
  return payload <= limit || (payload <= limit + VLAN_TAG_LENGTH && packet.u16(12) === ETHERTYPE_VLAN);
}
