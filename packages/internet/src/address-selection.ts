// Which address to speak from, and which of several to try first (RFC 6724).
import {
  type IpAddress,
  type IpPrefix,
  type Ipv6Address,
  isIpv4,
  isLinkLocal,
  isLoopback,
  isMulticast,
  mappedFromIpv4,
  prefix,
  prefixContains,
} from "@netstrata/core";

/** A row of the policy table (§2.1). */
export interface AddressPolicy {
  readonly prefix: IpPrefix;
  /** The higher, the sooner a destination is tried. */
  readonly precedence: number;
  /** Sources and destinations of one label belong together. */
  readonly label: number;
}

/** §2.1, longest prefix first, so that the first match is the best. */
export const DEFAULT_ADDRESS_POLICY: readonly AddressPolicy[] = (
  [
    ["::1/128", 50, 0],
    ["::ffff:0:0/96", 35, 4],
    ["::/96", 1, 3],
    ["2001::/32", 5, 5],
    ["2002::/16", 30, 2],
    ["3ffe::/16", 1, 12],
    ["fec0::/10", 1, 11],
    ["fc00::/7", 3, 13],
    ["::/0", 40, 1],
  ] as const
).map(([text, precedence, label]) => ({ prefix: prefix(text), precedence, label }));

/** What the rules ask about an own address besides its prefix. */
export interface AddressAttributes {
  /** Its preferred lifetime is over (RFC 4862 §5.5.4): it is not chosen for anything new. */
  readonly deprecated: boolean;
  /** It changes from time to time (RFC 8981), so that it tells less of who speaks. */
  readonly temporary: boolean;
}

const LINK_LOCAL_SCOPE = 0x2;
const SITE_LOCAL_SCOPE = 0x5;
const GLOBAL_SCOPE = 0xe;

/** §3.1, §3.2: the scope of an address; a multicast address says its own. */
export function scopeOf(address: IpAddress): number {
  if (isLoopback(address) || isLinkLocal(address)) return LINK_LOCAL_SCOPE;
  if (isIpv4(address)) return GLOBAL_SCOPE;
  if (isMulticast(address)) return address.charCodeAt(0) & 0xf;
  return (address.charCodeAt(0) & 0xffc0) === 0xfec0 ? SITE_LOCAL_SCOPE : GLOBAL_SCOPE;
}

export function policyOf(address: IpAddress, table: readonly AddressPolicy[] = DEFAULT_ADDRESS_POLICY): AddressPolicy {
  // §3.2: IPv4 addresses are looked up in their mapped form.
  const key = isIpv4(address) ? mappedFromIpv4(address) : address;
  return table.find((row) => prefixContains(row.prefix, key)) ?? { prefix: { address: key, length: 128 }, precedence: 0, label: -1 };
}

/** How many leading bits two addresses share (§2.2), at most `limit`. */
export function commonPrefixLength(a: Ipv6Address, b: Ipv6Address, limit = 128): number {
  for (let group = 0; group < 8; group += 1) {
    const difference = a.charCodeAt(group) ^ b.charCodeAt(group);
    if (difference !== 0) return Math.min(limit, 16 * group + Math.clz32(difference) - 16);
  }
  return limit;
}

/**
 * The best of own IPv6 addresses to speak from to `destination` (§5).
 * @param candidates of the outgoing interface, so that rule 5 has nothing to decide
 * @param attributesOf undefined for an address that is neither deprecated nor temporary
 */
export function selectSource(
  candidates: readonly IpPrefix[],
  destination: Ipv6Address,
  attributesOf: (address: IpAddress) => AddressAttributes | undefined,
): IpPrefix | undefined {
  let best: IpPrefix | undefined;
  for (const candidate of candidates) {
    if (best === undefined || compareSources(candidate, best, destination, attributesOf) < 0) best = candidate;
  }
  return best;
}

/** Below 0: `a` is the better one. */
function compareSources(
  a: IpPrefix,
  b: IpPrefix,
  destination: Ipv6Address,
  attributesOf: (address: IpAddress) => AddressAttributes | undefined,
): number {
  // Rule 1: the destination itself.
  if (a.address === destination) return -1;
  if (b.address === destination) return 1;
  // Rule 2: the smallest scope that reaches as far as the destination's.
  const [scopeA, scopeB, scope] = [scopeOf(a.address), scopeOf(b.address), scopeOf(destination)];
  if (scopeA < scopeB) return scopeA < scope ? 1 : -1;
  if (scopeB < scopeA) return scopeB < scope ? -1 : 1;
  const [ofA, ofB] = [attributesOf(a.address), attributesOf(b.address)];
  // Rule 3: no deprecated one.
  if (ofA?.deprecated !== ofB?.deprecated && (ofA?.deprecated || ofB?.deprecated)) return ofA?.deprecated ? 1 : -1;
  // Rule 6: of the destination's label.
  const label = policyOf(destination).label;
  const [matchesA, matchesB] = [policyOf(a.address).label === label, policyOf(b.address).label === label];
  if (matchesA !== matchesB) return matchesA ? -1 : 1;
  // Rule 7: a temporary one.
  if (ofA?.temporary !== ofB?.temporary && (ofA?.temporary || ofB?.temporary)) return ofA?.temporary ? -1 : 1;
  // Rule 8: the longest matching prefix, within the source's own.
  return (
    commonPrefixLength(b.address as Ipv6Address, destination, b.length) -
    commonPrefixLength(a.address as Ipv6Address, destination, a.length)
  );
}

/**
 * Destinations in the order in which to try them (§6), for a name that has several addresses of either family.
 * @param sourceFor the address that would be spoken from; undefined when there is no way
 */
export function orderDestinations(
  destinations: readonly IpAddress[],
  sourceFor: (destination: IpAddress) => IpAddress | undefined,
  attributesOf: (address: IpAddress) => AddressAttributes | undefined = () => undefined,
): IpAddress[] {
  const rated = destinations.map((destination) => rate(destination, sourceFor(destination), attributesOf));
  // The sort is stable, which is rule 10.
  return rated.sort(compareDestinations).map(({ destination }) => destination);
}

interface RatedDestination {
  readonly destination: IpAddress;
  readonly source: IpAddress | undefined;
  readonly scope: number;
  readonly matchesScope: boolean;
  readonly deprecated: boolean;
  readonly matchesLabel: boolean;
  readonly precedence: number;
}

function rate(
  destination: IpAddress,
  source: IpAddress | undefined,
  attributesOf: (address: IpAddress) => AddressAttributes | undefined,
): RatedDestination {
  const { precedence, label } = policyOf(destination);
  const scope = scopeOf(destination);
  return {
    destination,
    source,
    scope,
    matchesScope: source !== undefined && scopeOf(source) === scope,
    deprecated: source !== undefined && attributesOf(source)?.deprecated === true,
    matchesLabel: source !== undefined && policyOf(source).label === label,
    precedence,
  };
}

function compareDestinations(a: RatedDestination, b: RatedDestination): number {
  // Rule 1: those that can be reached; rule 2: of the source's scope.
  if ((a.source === undefined) !== (b.source === undefined)) return a.source === undefined ? 1 : -1;
  if (a.matchesScope !== b.matchesScope) return a.matchesScope ? -1 : 1;
  // Rule 3: not from a deprecated source; rule 5: of the source's label; rule 6: by precedence; rule 8: the smaller scope.
  if (a.deprecated !== b.deprecated) return a.deprecated ? 1 : -1;
  if (a.matchesLabel !== b.matchesLabel) return a.matchesLabel ? -1 : 1;
  if (a.precedence !== b.precedence) return b.precedence - a.precedence;
  if (a.scope !== b.scope) return a.scope - b.scope;
  // Rule 9: what shares more with its source. It means nothing between families, or for IPv4.
  if (isIpv4(a.destination) || isIpv4(b.destination) || a.source === undefined || b.source === undefined) return 0;
  if (isIpv4(a.source) || isIpv4(b.source)) return 0;
  return commonPrefixLength(b.source, b.destination) - commonPrefixLength(a.source, a.destination);
}
