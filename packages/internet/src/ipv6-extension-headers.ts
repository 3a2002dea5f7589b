// Extension headers (RFC 8200 §4): the chain between the IPv6 header and the transport message, as its destination goes through it.
import { type PacketBuffer, resolveLimits } from "@netstrata/core";
import {
  PROTOCOL_IPV6_DESTINATION,
  PROTOCOL_IPV6_FRAGMENT,
  PROTOCOL_IPV6_HOP_BY_HOP,
  PROTOCOL_IPV6_NO_NEXT,
  PROTOCOL_IPV6_ROUTING,
} from "./ip-protocol.ts";
import type { Ipv6DropReason } from "./ipv6-counters.ts";
import { IPV6_HEADER_LENGTH } from "./ipv6-header.ts";
import {
  checkOptions,
  type Ipv6Fault,
  PROBLEM_ERRONEOUS_FIELD,
  PROBLEM_INCOMPLETE_CHAIN,
  PROBLEM_UNKNOWN_NEXT_HEADER,
} from "./ipv6-options.ts";

/** RFC 8504 §5.3 lets a host choose these; what passes them is dropped in silence. */
export interface ExtensionHeaderLimits {
  /** Extension headers of one datagram. @default 8 */
  readonly headers: number;
  /** Octets of all extension headers of one datagram. @default 2048 */
  readonly octets: number;
  /** Options of one header, padding not counted. @default 8 */
  readonly options: number;
}

export const DEFAULT_EXTENSION_HEADER_LIMITS: ExtensionHeaderLimits = { headers: 8, octets: 2048, options: 8 };

export function resolveExtensionHeaderLimits(changes: Partial<ExtensionHeaderLimits> = {}): ExtensionHeaderLimits {
  return resolveLimits(DEFAULT_EXTENSION_HEADER_LIMITS, changes);
}

/** The fields of a Fragment header (RFC 8200 §4.5). */
export interface FragmentHeader {
  readonly identification: number;
  /** In octets, a multiple of 8. */
  readonly offset: number;
  readonly moreFragments: boolean;
  /** Octets from the IPv6 header to this header, and to the octet that names it. */
  readonly at: number;
  readonly namedAt: number;
}

/** How far the chain was followed. */
export interface HeaderChain {
  /** What comes next: a transport's number, or of a fragment's first header. */
  readonly protocol: number;
  /** Octets from the IPv6 header to what comes next, and to the octet that names it. */
  readonly headerLength: number;
  readonly namedAt: number;
  /** Where the chain stops until the datagram is whole; of an atomic fragment it goes on (RFC 6946 §4). */
  readonly fragment: FragmentHeader | undefined;
  /** There is a fragment header in the chain, though nothing to wait for. */
  readonly isAtomic: boolean;
}

/**
 * Follows the chain of a datagram that has arrived, in the order in which it stands (RFC 8200 §4.1).
 * @param datagram its window starts at the IPv6 header
 * @param firstHeader the Next Header field
 * @param isWhole it was put together from fragments, so that no further fragment header may stand in it
 */
export function followHeaders(
  datagram: PacketBuffer,
  firstHeader: number,
  limits: ExtensionHeaderLimits,
  isWhole = false,
): HeaderChain | Ipv6Fault {
  let protocol = firstHeader;
  let namedAt = 6;
  let at = IPV6_HEADER_LENGTH;
  let fragment: FragmentHeader | undefined;
  for (let count = 1; isExtension(protocol); count += 1) {
    if (protocol === PROTOCOL_IPV6_NO_NEXT) return silent("no-next-header", at);
    if (count > limits.headers) return silent("too-many-extension-headers", at);
    if (datagram.length < at + 8) return silent("bad-extension-header", at);
    const length = protocol === PROTOCOL_IPV6_FRAGMENT ? 8 : 8 * (datagram.u8(at + 1) + 1);
    const end = at + length;
    if (datagram.length < end) return silent("bad-extension-header", at + 1);
    if (end - IPV6_HEADER_LENGTH > limits.octets) return silent("too-many-extension-octets", at);
    if (protocol === PROTOCOL_IPV6_FRAGMENT) {
      if (isWhole || fragment !== undefined) return silent("nested-fragment", at);
      const word = datagram.u16(at + 2);
      fragment = { identification: datagram.u32(at + 4), offset: word & 0xfff8, moreFragments: (word & 1) === 1, at, namedAt };
      // A fragment waits for the others; one that is all of its datagram goes on alone (RFC 6946 §4, RFC 8200 §4.5).
      if (fragment.offset > 0 || fragment.moreFragments) {
        return { protocol: datagram.u8(at), headerLength: end, namedAt: at, fragment, isAtomic: false };
      }
    } else {
      const fault = faultOf(datagram, protocol, namedAt, at, end, limits);
      if (fault !== undefined) return fault;
    }
    protocol = datagram.u8(at);
    namedAt = at;
    at = end;
  }
  return { protocol, headerLength: at, namedAt, fragment: undefined, isAtomic: fragment !== undefined };
}

function faultOf(
  datagram: PacketBuffer,
  protocol: number,
  namedAt: number,
  at: number,
  end: number,
  limits: ExtensionHeaderLimits,
): Ipv6Fault | undefined {
  if (protocol === PROTOCOL_IPV6_ROUTING) {
    // RFC 8200 §4.4: no type is known here (type 0 must not be, RFC 5095 §3); with nothing left to visit the header is ignored.
    if (datagram.u8(at + 3) === 0) return undefined;
    return { reason: "unknown-routing-type", code: PROBLEM_ERRONEOUS_FIELD, pointer: at + 2 };
  }
  // RFC 8200 §4: the hop-by-hop header stands first, or is as good as unknown.
  if (protocol === PROTOCOL_IPV6_HOP_BY_HOP && at !== IPV6_HEADER_LENGTH) {
    return { reason: "misplaced-hop-by-hop", code: PROBLEM_UNKNOWN_NEXT_HEADER, pointer: namedAt };
  }
  return checkOptions(datagram, at + 2, end, limits.options);
}

/** Octets of each transport header that have to be there for the chain to be complete (RFC 7112 §2). */
const TRANSPORT_HEADER: Readonly<Record<number, number>> = { 6: 20, 17: 8, 58: 8 };

const INCOMPLETE: Ipv6Fault = { reason: "incomplete-header-chain", code: PROBLEM_INCOMPLETE_CHAIN, pointer: 0 };

/**
 * RFC 7112 §5: the first fragment holds the whole chain, to the end of the transport's header.
 * @param datagram a first fragment; its window starts at the IPv6 header
 * @param chain ends at its fragment header
 */
export function faultOfFirstFragment(datagram: PacketBuffer, chain: HeaderChain): Ipv6Fault | undefined {
  let { protocol, headerLength: at } = chain;
  while (isExtension(protocol) && protocol !== PROTOCOL_IPV6_NO_NEXT) {
    if (protocol === PROTOCOL_IPV6_FRAGMENT) return silent("nested-fragment", at);
    if (datagram.length < at + 8) return INCOMPLETE;
    protocol = datagram.u8(at);
    at += 8 * (datagram.u8(at + 1) + 1);
  }
  return datagram.length < at + (TRANSPORT_HEADER[protocol] ?? 0) ? INCOMPLETE : undefined;
}

function silent(reason: Ipv6DropReason, pointer: number): Ipv6Fault {
  return { reason, pointer };
}

export function isExtension(protocol: number): boolean {
  return (
    protocol === PROTOCOL_IPV6_HOP_BY_HOP ||
    protocol === PROTOCOL_IPV6_ROUTING ||
    protocol === PROTOCOL_IPV6_FRAGMENT ||
    protocol === PROTOCOL_IPV6_DESTINATION ||
    protocol === PROTOCOL_IPV6_NO_NEXT
  );
}
