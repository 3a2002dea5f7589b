// Writing "congestion experienced" into a packet on its way (RFC 3168 §5), in either version of IP.
import { type PacketBuffer, updateChecksum } from "@netstrata/core";
import type { Medium } from "../link-device.ts";

const ECN_FIELD = 0b11;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const ETHERTYPE_VLAN = 0x8100;
const ETHERTYPE_SERVICE_VLAN = 0x88a8;
const ETHERNET_TYPE_AT = 12;

/** Marks the packet in place, if its sender has said by ECT that it understands marks; answers false, and leaves it alone, if not. */
export function markCongestion(packet: PacketBuffer, medium: Medium): boolean {
  const at = medium === "ip" ? 0 : ipOffset(packet);
  // What is too short to hold addresses is for the receiver to judge.
  if (at === undefined || packet.length < at + 20) return false;
  const version = packet.u8(at) >>> 4;
  if (version === 4) return markIpv4(packet, at);
  return version === 6 && markIpv6(packet, at);
}

function markIpv4(packet: PacketBuffer, at: number): boolean {
  const before = packet.u16(at);
  if ((before & ECN_FIELD) === 0) return false;
  const after = before | ECN_FIELD;
  packet.setU16(at, after);
  // RFC 1624: by the difference, so that damage done elsewhere stays visible.
  packet.setU16(at + 10, updateChecksum(packet.u16(at + 10), before, after));
  return true;
}

/** The traffic class stands across the first two octets; there is no checksum over it. */
function markIpv6(packet: PacketBuffer, at: number): boolean {
  const octet = packet.u8(at + 1);
  if ((octet & (ECN_FIELD << 4)) === 0) return false;
  packet.setU8(at + 1, octet | (ECN_FIELD << 4));
  return true;
}

function ipOffset(frame: PacketBuffer): number | undefined {
  let at = ETHERNET_TYPE_AT;
  while (frame.length >= at + 2) {
    const type = frame.u16(at);
    if (type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6) return at + 2;
    if (type !== ETHERTYPE_VLAN && type !== ETHERTYPE_SERVICE_VLAN) return undefined;
    at += 4;
  }
  return undefined;
}
