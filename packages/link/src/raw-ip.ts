// Media without a link header, as in LINKTYPE_RAW captures and on TUN devices: the datagram's version field tells its family.
import type { PacketBuffer } from "@netstrata/core";
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from "./ethernet-header.ts";

/** The EtherType that a bare IP datagram would travel under; nothing is consumed. */
export function rawIpEtherType(packet: PacketBuffer): number | "truncated" | "bad-version" {
  if (packet.length === 0) return "truncated";
  const version = packet.u8(0) >>> 4;
  return version === 4 ? ETHERTYPE_IPV4 : version === 6 ? ETHERTYPE_IPV6 : "bad-version";
}
