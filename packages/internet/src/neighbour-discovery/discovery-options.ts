// The options of neighbour discovery messages (RFC 4861 §4.6, RFC 4191 §2.3, RFC 8106 §5).
import {
  type IpPrefix,
  type Ipv6Address,
  isGroupMac,
  type MacAddress,
  NULL_MAC,
  type PacketBuffer,
  readIpv6,
  writeIp,
} from "@netstrata/core";

export const OPTION_SOURCE_LINK_ADDRESS = 1;
export const OPTION_TARGET_LINK_ADDRESS = 2;
const OPTION_PREFIX_INFORMATION = 3;
const OPTION_MTU = 5;
const OPTION_ROUTE_INFORMATION = 24;
const OPTION_DNS_SERVERS = 25;

const UNIT = 8;

/** A prefix as a router advertises it (§4.6.2). Times in seconds; 2^32 - 1 is for ever. */
export interface PrefixInformation {
  readonly prefix: IpPrefix;
  readonly onLink: boolean;
  readonly autonomous: boolean;
  readonly validLifetime: number;
  readonly preferredLifetime: number;
}

/** RFC 4191 §2.1: 1 high, 0 medium, -1 low. */
export type RouterPreference = 1 | 0 | -1;

export interface RouteInformation {
  readonly prefix: IpPrefix;
  readonly preference: RouterPreference;
  /** In seconds. */
  readonly lifetime: number;
}

export interface DnsServers {
  readonly addresses: readonly Ipv6Address[];
  /** In seconds. */
  readonly lifetime: number;
}

/** Everything that the options of one message say; what is not known is passed over. */
export interface DiscoveryOptions {
  readonly sourceLinkAddress?: MacAddress;
  readonly targetLinkAddress?: MacAddress;
  readonly prefixes: readonly PrefixInformation[];
  readonly routes: readonly RouteInformation[];
  readonly dnsServers: readonly DnsServers[];
  readonly mtu?: number;
}

/**
 * Reads the options from `at` to the packet's end.
 * @returns undefined when one has a length of 0, or leads out of the packet: the whole message is to be dropped (§6.1, §7.1)
 */
export function readDiscoveryOptions(packet: PacketBuffer, at: number): DiscoveryOptions | undefined {
  const prefixes: PrefixInformation[] = [];
  const routes: RouteInformation[] = [];
  const dnsServers: DnsServers[] = [];
  let sourceLinkAddress: MacAddress | undefined;
  let targetLinkAddress: MacAddress | undefined;
  let mtu: number | undefined;
  while (at < packet.length) {
    if (at + 2 > packet.length) return undefined;
    const length = packet.u8(at + 1) * UNIT;
    if (length === 0 || at + length > packet.length) return undefined;
    switch (packet.u8(at)) {
      case OPTION_SOURCE_LINK_ADDRESS:
        sourceLinkAddress ??= readMac(packet, at, length);
        break;
      case OPTION_TARGET_LINK_ADDRESS:
        targetLinkAddress ??= readMac(packet, at, length);
        break;
      case OPTION_PREFIX_INFORMATION:
        if (length === 32 && packet.u8(at + 2) <= 128) prefixes.push(readPrefix(packet, at));
        break;
      case OPTION_MTU:
        if (length === 8) mtu = packet.u32(at + 4);
        break;
      case OPTION_ROUTE_INFORMATION: {
        const route = readRoute(packet, at, length);
        if (route !== undefined) routes.push(route);
        break;
      }
      case OPTION_DNS_SERVERS:
        // RFC 8106 §5.1: one address at least, 16 octets each.
        if (length >= 24 && length % 16 === 8) dnsServers.push(readDnsServers(packet, at, length));
        break;
    }
    at += length;
  }
  return { sourceLinkAddress, targetLinkAddress, prefixes, routes, dnsServers, mtu };
}

/** RFC 2464 §6. A group's address is nobody's own. */
function readMac(packet: PacketBuffer, at: number, length: number): MacAddress | undefined {
  if (length !== UNIT) return undefined;
  const mac = (packet.u16(at + 2) * 0x100000000 + packet.u32(at + 4)) as MacAddress;
  return isGroupMac(mac) || mac === NULL_MAC ? undefined : mac;
}

function readPrefix(packet: PacketBuffer, at: number): PrefixInformation {
  const flags = packet.u8(at + 3);
  return {
    prefix: { address: readIpv6(packet, at + 16), length: packet.u8(at + 2) },
    onLink: (flags & 0x80) !== 0,
    autonomous: (flags & 0x40) !== 0,
    validLifetime: packet.u32(at + 4),
    preferredLifetime: packet.u32(at + 8),
  };
}

/** RFC 4191 §2.3: the prefix takes no more octets than it needs. */
function readRoute(packet: PacketBuffer, at: number, length: number): RouteInformation | undefined {
  const bits = packet.u8(at + 2);
  const preference = preferenceOf(packet.u8(at + 3) >>> 3);
  if (length > 24 || bits > 128 || (bits > 64 && length < 24) || (bits > 0 && length < 16) || preference === undefined) return undefined;
  let address = "";
  for (let group = 0; group < 8; group += 1) {
    address += String.fromCharCode(8 + 2 * group < length ? packet.u16(at + 8 + 2 * group) : 0);
  }
  return { prefix: { address: address as Ipv6Address, length: bits }, preference, lifetime: packet.u32(at + 4) };
}

/** RFC 4191 §2.1: two bits, signed; 10 is reserved. */
export function preferenceOf(bits: number): RouterPreference | undefined {
  return ([0, 1, undefined, -1] as const)[bits & 3];
}

function readDnsServers(packet: PacketBuffer, at: number, length: number): DnsServers {
  const addresses: Ipv6Address[] = [];
  for (let entry = at + 8; entry < at + length; entry += 16) addresses.push(readIpv6(packet, entry));
  return { addresses, lifetime: packet.u32(at + 4) };
}

/** A link address option, of 8 octets. */
export function writeLinkAddress(packet: PacketBuffer, at: number, type: number, mac: MacAddress): void {
  packet.setU8(at, type);
  packet.setU8(at + 1, 1);
  packet.setU16(at + 2, Math.floor(mac / 0x100000000));
  packet.setU32(at + 4, mac % 0x100000000);
}

/** A prefix information option, of 32 octets. */
export function writePrefix(packet: PacketBuffer, at: number, information: PrefixInformation): void {
  packet.setU8(at, OPTION_PREFIX_INFORMATION);
  packet.setU8(at + 1, 4);
  packet.setU8(at + 2, information.prefix.length);
  packet.setU8(at + 3, (information.onLink ? 0x80 : 0) | (information.autonomous ? 0x40 : 0));
  packet.setU32(at + 4, information.validLifetime);
  packet.setU32(at + 8, information.preferredLifetime);
  writeIp(packet, at + 16, information.prefix.address);
}

/** An MTU option, of 8 octets. */
export function writeMtu(packet: PacketBuffer, at: number, mtu: number): void {
  packet.setU8(at, OPTION_MTU);
  packet.setU8(at + 1, 1);
  packet.setU32(at + 4, mtu);
}
