// Ethernet II framing (RFC 894), with 802.1Q tags and 802.2/SNAP (RFC 1042) understood on receive.
import { type MacAddress, type PacketBuffer, readMac, writeMac } from "@netstrata/core";

export const ETHERNET_HEADER_LENGTH = 14;
/** Octets an 802.1Q tag adds to the header. */
export const VLAN_TAG_LENGTH = 4;
/** A frame is at least 60 octets without its FCS; shorter payloads are padded (IEEE 802.3 §4.2.3.3). */
export const ETHERNET_MINIMUM_LENGTH = 60;

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_VLAN = 0x8100;
/** 802.1ad, the outer tag of two. */
export const ETHERTYPE_SERVICE_VLAN = 0x88a8;
export const ETHERTYPE_IPV6 = 0x86dd;

/** Values up to this are a payload length, not a type (IEEE 802.3 §3.2.6). */
const LARGEST_LENGTH = 1500;
/** A frame of nothing but tags is not worth a longer look. */
const MAX_VLAN_TAGS = 4;

export interface VlanTag {
  /** VLAN identifier, 0 … 4095; 0 carries a priority only. */
  readonly id: number;
  /** 0 … 7. */
  readonly priority: number;
  readonly dropEligible: boolean;
}

export interface EthernetHeader {
  readonly destination: MacAddress;
  readonly source: MacAddress;
  /** The type behind all tags and behind SNAP; 0 for an 802.3 frame with another LLC header. */
  readonly etherType: number;
  /** Outermost first. */
  readonly vlanTags: readonly VlanTag[];
  /** Octets from the frame's start to the payload. */
  readonly headerLength: number;
}

const NO_TAGS: readonly VlanTag[] = [];

/** Reads and consumes the header; an 802.3 length trims the padding. The packet is unchanged when the answer is a string. */
export function readEthernet(packet: PacketBuffer): EthernetHeader | "truncated" | "too-many-tags" {
  if (packet.length < ETHERNET_HEADER_LENGTH) return "truncated";
  const destination = readMac(packet, 0);
  const source = readMac(packet, 6);
  let etherType = packet.u16(12);
  let headerLength = ETHERNET_HEADER_LENGTH;
  let vlanTags = NO_TAGS;
  while (etherType === ETHERTYPE_VLAN || etherType === ETHERTYPE_SERVICE_VLAN) {
    if (packet.length < headerLength + 4) return "truncated";
    if (vlanTags.length === MAX_VLAN_TAGS) return "too-many-tags";
    const control = packet.u16(headerLength);
    vlanTags = [...vlanTags, { id: control & 0xfff, priority: control >>> 13, dropEligible: (control & 0x1000) !== 0 }];
    etherType = packet.u16(headerLength + 2);
    headerLength += 4;
  }
  if (etherType <= LARGEST_LENGTH) {
    const payloadLength = etherType;
    if (packet.length < headerLength + payloadLength) return "truncated";
    packet.truncate(headerLength + payloadLength);
    etherType = 0;
    // LLC AA-AA-03 and the organization code 00-00-00 announce an EtherType (RFC 1042, header format).
    if (payloadLength >= 8 && packet.u32(headerLength) === 0xaaaa0300 && packet.u16(headerLength + 4) === 0) {
      etherType = packet.u16(headerLength + 6);
      headerLength += 8;
    }
  }
  packet.consume(headerLength);
  return { destination, source, etherType, vlanTags, headerLength };
}

/** Writes an Ethernet II header in front of the window. */
export function prependEthernet(packet: PacketBuffer, destination: MacAddress, source: MacAddress, etherType: number): void {
  packet.prepend(ETHERNET_HEADER_LENGTH);
  writeMac(packet, 0, destination);
  writeMac(packet, 6, source);
  packet.setU16(12, etherType);
}

/** Writes what follows the EtherType of a tagged frame in front of the window; `prependEthernet` then gets ETHERTYPE_VLAN. */
export function prependVlanTag(packet: PacketBuffer, id: number, etherType: number): void {
  packet.prepend(VLAN_TAG_LENGTH);
  packet.setU16(0, id);
  packet.setU16(2, etherType);
}

/** Makes a frame as long as Ethernet demands, with octets of zero (RFC 894): in place when there is room, else in a copy. */
export function padEthernet(frame: PacketBuffer): PacketBuffer {
  const missing = ETHERNET_MINIMUM_LENGTH - frame.length;
  if (missing <= 0) return frame;
  const padded = frame.tailroom >= missing ? frame : frame.copy(0, missing);
  padded.append(missing);
  // What was truncated from the packet may still stand there, and is nobody's business.
  padded.bytes.fill(0, padded.end - missing, padded.end);
  return padded;
}
