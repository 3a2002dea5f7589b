// Prefixes: an address and how many of its leading bits count (RFC 4632 §3.1, RFC 4291 §2.3).
import { IPV4_BROADCAST, type IpAddress, type Ipv4Address, type Ipv6Address, isIpv4 } from "./ip-address.ts";

export interface IpPrefix {
  /** An address in the prefix; bits beyond `length` are allowed and do not matter to `prefixContains`. */
  readonly address: IpAddress;
  /** 0 … 32 or 0 … 128. */
  readonly length: number;
}

/** The 32-bit network mask of an IPv4 prefix length. */
export function ipv4Mask(length: number): number {
  return length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
}

export function prefixContains(prefix: IpPrefix, address: IpAddress): boolean {
  const network = prefix.address;
  if (isIpv4(network)) return isIpv4(address) && ((network ^ address) & ipv4Mask(prefix.length)) === 0;
  if (isIpv4(address)) return false;
  let bits = prefix.length;
  for (let group = 0; bits > 0; group += 1, bits -= 16) {
    const mask = bits >= 16 ? 0xffff : (0xffff << (16 - bits)) & 0xffff;
    if (((network.charCodeAt(group) ^ address.charCodeAt(group)) & mask) !== 0) return false;
  }
  return true;
}

/** The prefix with all bits beyond its length cleared. */
export function networkOf(prefix: IpPrefix): IpPrefix {
  const { address, length } = prefix;
  if (isIpv4(address)) return { address: ((address & ipv4Mask(length)) >>> 0) as Ipv4Address, length };
  let network = "";
  for (let group = 0; group < 8; group += 1) {
    const bits = Math.min(16, Math.max(0, length - 16 * group));
    network += String.fromCharCode(address.charCodeAt(group) & ((0xffff << (16 - bits)) & 0xffff));
  }
  return { address: network as Ipv6Address, length };
}

/**
 * The directed broadcast address of an IPv4 prefix (RFC 922 §7), or undefined where there is none: IPv6, /31 (RFC 3021) and /32.
 */
export function broadcastOf(prefix: IpPrefix): Ipv4Address | undefined {
  if (!isIpv4(prefix.address) || prefix.length > 30) return undefined;
  return ((prefix.address | (IPV4_BROADCAST & ~ipv4Mask(prefix.length))) >>> 0) as Ipv4Address;
}
