// IPv4 and IPv6 addresses as plain values. Why these two forms: docs/decisions/0002-addresses-are-values.md.
import type { PacketBuffer } from "./packet-buffer.ts";

/** An IPv4 address as an unsigned 32-bit number. */
export type Ipv4Address = number & { readonly __brand: "Ipv4Address" };

/** An IPv6 address as a string of eight UTF-16 code units, one for each 16-bit group. For people: `formatIp`. */
export type Ipv6Address = string & { readonly __brand: "Ipv6Address" };

/** An address of either family: it compares with `===` and serves as a `Map` key. */
export type IpAddress = Ipv4Address | Ipv6Address;

export type IpVersion = 4 | 6;

export const IPV4_ANY: Ipv4Address = 0 as Ipv4Address;
export const IPV4_BROADCAST: Ipv4Address = 0xffffffff as Ipv4Address;
export const IPV4_LOOPBACK: Ipv4Address = 0x7f000001 as Ipv4Address;
export const IPV6_ANY: Ipv6Address = "\0\0\0\0\0\0\0\0" as Ipv6Address;
export const IPV6_LOOPBACK: Ipv6Address = "\0\0\0\0\0\0\0\u0001" as Ipv6Address;

export function isIpv4(address: IpAddress): address is Ipv4Address {
  return typeof address === "number";
}

export function isIpv6(address: IpAddress): address is Ipv6Address {
  return typeof address === "string";
}

export function ipVersion(address: IpAddress): IpVersion {
  return typeof address === "number" ? 4 : 6;
}

/** The unspecified address, 0.0.0.0 or :: */
export function isUnspecified(address: IpAddress): boolean {
  return address === 0 || address === IPV6_ANY;
}

/** 127.0.0.0/8 (RFC 1122 §3.2.1.3 g) or ::1 (RFC 4291 §2.5.3). */
export function isLoopback(address: IpAddress): boolean {
  return isIpv4(address) ? address >>> 24 === 127 : address === IPV6_LOOPBACK;
}

/** 169.254.0.0/16 (RFC 3927 §2.1) or fe80::/10 (RFC 4291 §2.5.6): it means something on one link only, and is never forwarded. */
export function isLinkLocal(address: IpAddress): boolean {
  return isIpv4(address) ? address >>> 16 === 0xa9fe : (address.charCodeAt(0) & 0xffc0) === 0xfe80;
}

/** ::ffff:0:0/96 (RFC 4291 §2.5.5.2): how IPv4 addresses look to a socket that serves both families. Never on a wire. */
export function isMappedIpv4(address: IpAddress): address is Ipv6Address {
  return isIpv6(address) && address.charCodeAt(5) === 0xffff && address.startsWith("\0\0\0\0\0");
}

export function mappedFromIpv4(address: Ipv4Address): Ipv6Address {
  return `\0\0\0\0\0\uffff${String.fromCharCode(address >>> 16, address & 0xffff)}` as Ipv6Address;
}

/** The IPv4 address in a mapped one. */
export function ipv4FromMapped(address: Ipv6Address): Ipv4Address {
  return (((address.charCodeAt(6) << 16) | address.charCodeAt(7)) >>> 0) as Ipv4Address;
}

/** 224.0.0.0/4 (RFC 1112 §4) or ff00::/8 (RFC 4291 §2.7). */
export function isMulticast(address: IpAddress): boolean {
  return isIpv4(address) ? address >>> 28 === 14 : address.charCodeAt(0) >>> 8 === 0xff;
}

/** Class E, 240.0.0.0/4, without the limited broadcast address (RFC 1112 §4). */
export function isReservedIpv4(address: Ipv4Address): boolean {
  return address >>> 28 === 15 && address !== IPV4_BROADCAST;
}

export function readIpv4(packet: PacketBuffer, offset: number): Ipv4Address {
  return packet.u32(offset) as Ipv4Address;
}

export function readIpv6(packet: PacketBuffer, offset: number): Ipv6Address {
  return String.fromCharCode(
    packet.u16(offset),
    packet.u16(offset + 2),
    packet.u16(offset + 4),
    packet.u16(offset + 6),
    packet.u16(offset + 8),
    packet.u16(offset + 10),
    packet.u16(offset + 12),
    packet.u16(offset + 14),
  ) as Ipv6Address;
}

/** Octets an address takes in a header: 4 or 16. */
export function ipLength(address: IpAddress): number {
  return isIpv4(address) ? 4 : 16;
}

export function writeIp(packet: PacketBuffer, offset: number, address: IpAddress): void {
  if (isIpv4(address)) packet.setU32(offset, address);
  else for (let group = 0; group < 8; group += 1) packet.setU16(offset + 2 * group, address.charCodeAt(group));
}

/** The sum of an address's 16-bit words, for the pseudo-header of a checksum. */
export function sumIp(address: IpAddress): number {
  if (isIpv4(address)) return (address >>> 16) + (address & 0xffff);
  let sum = 0;
  for (let group = 0; group < 8; group += 1) sum += address.charCodeAt(group);
  return sum;
}

/** The address as network-order octets. */
export function ipToBytes(address: IpAddress): Uint8Array {
  const bytes = new Uint8Array(ipLength(address));
  if (isIpv4(address)) for (let index = 0; index < 4; index += 1) bytes[index] = address >>> (24 - 8 * index);
  else for (let index = 0; index < 16; index += 1) bytes[index] = address.charCodeAt(index >> 1) >>> (index & 1 ? 0 : 8);
  return bytes;
}

/** The address made of 4 or 16 network-order octets. */
export function ipFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return (((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0) as Ipv4Address;
  if (bytes.length !== 16) throw new RangeError(`an IP address has 4 or 16 octets, not ${bytes.length}`);
  let text = "";
  for (let index = 0; index < 16; index += 2) text += String.fromCharCode((bytes[index] << 8) | bytes[index + 1]);
  return text as Ipv6Address;
}
