// ARP messages for IPv4 over Ethernet (RFC 826).
import { type Ipv4Address, type MacAddress, type PacketBuffer, readIpv4, readMac, writeIp, writeMac } from "@netstrata/core";
import { ETHERTYPE_IPV4 } from "./ethernet-header.ts";

export const ARP_LENGTH = 28;
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

const HARDWARE_ETHERNET = 1;
/** RFC 5494 lists it: IEEE 802 networks, which some hosts use on Ethernet (RFC 1042). */
const HARDWARE_IEEE_802 = 6;

export interface ArpMessage {
  readonly operation: number;
  readonly senderHardware: MacAddress;
  readonly senderProtocol: Ipv4Address;
  readonly targetHardware: MacAddress;
  readonly targetProtocol: Ipv4Address;
}

/** Reads a message at the window's start; padding behind it is ignored. */
export function readArp(packet: PacketBuffer): ArpMessage | "truncated" | "bad-hardware" | "bad-protocol" {
  if (packet.length < 8) return "truncated";
  const hardware = packet.u16(0);
  if ((hardware !== HARDWARE_ETHERNET && hardware !== HARDWARE_IEEE_802) || packet.u8(4) !== 6) return "bad-hardware";
  if (packet.u16(2) !== ETHERTYPE_IPV4 || packet.u8(5) !== 4) return "bad-protocol";
  if (packet.length < ARP_LENGTH) return "truncated";
  return {
    operation: packet.u16(6),
    senderHardware: readMac(packet, 8),
    senderProtocol: readIpv4(packet, 14),
    targetHardware: readMac(packet, 18),
    targetProtocol: readIpv4(packet, 24),
  };
}

/** Writes a message into the first 28 octets of the window. */
export function writeArp(packet: PacketBuffer, message: ArpMessage): void {
  packet.setU16(0, HARDWARE_ETHERNET);
  packet.setU16(2, ETHERTYPE_IPV4);
  packet.setU8(4, 6);
  packet.setU8(5, 4);
  packet.setU16(6, message.operation);
  writeMac(packet, 8, message.senderHardware);
  writeIp(packet, 14, message.senderProtocol);
  writeMac(packet, 18, message.targetHardware);
  writeIp(packet, 24, message.targetProtocol);
}
