// Linux "cooked" capture headers, LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2 (tcpdump.org link-layer header types). They
// exist in captures only: the kernel writes them in place of the link headers of devices that differ from each other.
import type { PacketBuffer } from "@netstrata/core";

export const LINUX_SLL_LENGTH = 16;
export const LINUX_SLL2_LENGTH = 20;

/** How the capturing host saw the packet, by the value of the header's packet type. */
const PACKET_TYPES = ["to-us", "broadcast", "multicast", "to-other", "from-us"] as const;
export type CookedPacketType = (typeof PACKET_TYPES)[number] | "unknown";

/** Values below this are no EtherTypes: 1 is Novell's raw 802.3, 4 is 802.2 LLC (linux/if_ether.h). */
const FIRST_ETHERTYPE = 0x0600;
/** Hardware types for which the protocol field is something other than an EtherType: FRAD, IP GRE, radiotap, netlink. */
const OTHER_PROTOCOL_SPACES: ReadonlySet<number> = new Set([770, 778, 803, 824]);
const LARGEST_LINK_ADDRESS = 8;

export interface CookedHeader {
  readonly packetType: CookedPacketType;
  /** Linux's ARPHRD_ value of the device. */
  readonly hardwareType: number;
  /** The sender's link address, at most 8 octets; it may be empty. */
  readonly linkAddress: Uint8Array;
  /** The protocol field as it stands. */
  readonly protocol: number;
  /** The protocol field where it is an EtherType, else 0. */
  readonly etherType: number;
  /** The interface's number on the capturing host, 0 when the header does not say (version 1). */
  readonly interfaceIndex: number;
  readonly headerLength: number;
}

/** Reads and consumes a version 1 header. The packet is unchanged when the answer is a string. */
export function readLinuxSll(packet: PacketBuffer): CookedHeader | "truncated" {
  if (packet.length < LINUX_SLL_LENGTH) return "truncated";
  const header = cookedHeader(packet, LINUX_SLL_LENGTH, packet.u16(0), packet.u16(2), packet.u16(4), 6, packet.u16(14), 0);
  packet.consume(LINUX_SLL_LENGTH);
  return header;
}

/** Reads and consumes a version 2 header. The packet is unchanged when the answer is a string. */
export function readLinuxSll2(packet: PacketBuffer): CookedHeader | "truncated" {
  if (packet.length < LINUX_SLL2_LENGTH) return "truncated";
  const header = cookedHeader(packet, LINUX_SLL2_LENGTH, packet.u8(10), packet.u16(8), packet.u8(11), 12, packet.u16(0), packet.u32(4));
  packet.consume(LINUX_SLL2_LENGTH);
  return header;
}

function cookedHeader(
  packet: PacketBuffer,
  headerLength: number,
  packetType: number,
  hardwareType: number,
  addressLength: number,
  addressOffset: number,
  protocol: number,
  interfaceIndex: number,
): CookedHeader {
  const isEtherType = protocol >= FIRST_ETHERTYPE && !OTHER_PROTOCOL_SPACES.has(hardwareType);
  return {
    packetType: PACKET_TYPES[packetType] ?? "unknown",
    hardwareType,
    // The length may be larger than the field: the kernel tells the true one and cuts the address.
    linkAddress: packet.slice(addressOffset, Math.min(addressLength, LARGEST_LINK_ADDRESS)),
    protocol,
    etherType: isEtherType ? protocol : 0,
    interfaceIndex,
    headerLength,
  };
}
