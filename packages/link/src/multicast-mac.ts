// The Ethernet addresses of IP multicast groups (RFC 1112 §6.4, RFC 2464 §7).
import { type IpAddress, isIpv4, type MacAddress } from "@netstrata/core";

const IPV4_GROUPS = 0x01005e000000;
const IPV6_GROUPS = 0x333300000000;

/** The lower 23 bits of an IPv4 group, or the lower 32 of an IPv6 group, under a fixed beginning. */
export function multicastMac(group: IpAddress): MacAddress {
  if (isIpv4(group)) return (IPV4_GROUPS + (group & 0x7fffff)) as MacAddress;
  return (IPV6_GROUPS + group.charCodeAt(6) * 0x10000 + group.charCodeAt(7)) as MacAddress;
}
