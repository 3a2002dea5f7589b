// The link device, third of the three doors: the contract between netstrata and whatever carries its packets.
import { type Counters, createCounters, type PacketBuffer } from "@netstrata/core";

/** What a device carries: Ethernet frames without FCS, or bare IP datagrams. */
export type Medium = "ethernet" | "ip";

/** What a device does with packets so that the layers above need not. */
export interface LinkOffload {
  /** True when outgoing packets may carry a "partial" transport checksum: the device finishes it, or nobody will ever need it. */
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
