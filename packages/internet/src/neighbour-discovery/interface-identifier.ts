// Interface identifiers (RFC 7217): stable in one network, another in the next, and telling nobody the hardware address.
import { type IpPrefix, type Ipv6Address, ipToBytes, networkOf, type SipKey, sipHash } from "@netstrata/core";

/** Only prefixes of this length leave room for an identifier (RFC 4291 §2.5.4, RFC 2464 §4). */
export const IDENTIFIER_PREFIX_LENGTH = 64;

/**
 * The address of an interface in a network (RFC 7217 §5).
 * @param conflicts how often an address made so was somebody else's
 */
export function opaqueAddress(secret: SipKey, prefix: IpPrefix, interfaceName: string, conflicts: number): Ipv6Address {
  const network = networkOf({ address: prefix.address, length: IDENTIFIER_PREFIX_LENGTH }).address as Ipv6Address;
  for (let counter = conflicts; ; counter += 16) {
    const name = Array.from(interfaceName, (character) => character.charCodeAt(0));
    const [low, high] = sipHash(secret, Uint8Array.from([...ipToBytes(network).subarray(0, 8), counter, ...name]));
    if (isReserved(high, low)) continue;
    return (network.slice(0, 4) + String.fromCharCode(high >>> 16, high & 0xffff, low >>> 16, low & 0xffff)) as Ipv6Address;
  }
}

/** RFC 5453: the subnet-router anycast address, the identifiers of IANA's own block, and the reserved anycast addresses. */
function isReserved(high: number, low: number): boolean {
  if (high === 0 && low === 0) return true;
  if (high === 0x02005eff && low >= 0xfe000000 && low <= 0xfe005212) return true;
  return high === 0xfdffffff && low >= 0xffffff80;
}
