// From octets to layers. Every header is read by a dissector of its own; this table says which one comes next.

import {
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_IPV6_DESTINATION,
  PROTOCOL_IPV6_FRAGMENT,
  PROTOCOL_IPV6_HOP_BY_HOP,
  PROTOCOL_IPV6_ROUTING,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from "@netstrata/internet";
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ETHERTYPE_SERVICE_VLAN,
  ETHERTYPE_VLAN,
  LINKTYPE_ETHERNET,
  LINKTYPE_IPV4,
  LINKTYPE_IPV6,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_LINUX_SLL2,
  LINKTYPE_LOOP,
  LINKTYPE_NULL,
  LINKTYPE_RAW,
} from "@netstrata/link";
import { dissectArp } from "./arp.ts";
import {
  Cursor,
  type Dissector,
  NEXT_ETHERNET,
  NEXT_LLC,
  NEXT_NOTHING,
  NEXT_VXLAN,
  type NextLayer,
  nextEtherType,
  nextIpProtocol,
} from "./cursor.ts";
import { type Dissection, summarize } from "./dissection.ts";
import { dissectEthernet, dissectLlc, dissectVlan } from "./ethernet.ts";
import { dissectIcmp, dissectIcmpv6 } from "./icmp.ts";
import { dissectIpv4 } from "./ipv4.ts";
import { dissectIpv6 } from "./ipv6.ts";
import {
  dissectAuthentication,
  dissectDestinationOptions,
  dissectHopByHop,
  dissectIpv6Fragment,
  dissectRouting,
} from "./ipv6-extension.ts";
import { dissectLoop, dissectNull, dissectSll, dissectSll2 } from "./pseudo-link.ts";
import { dissectTcp } from "./tcp.ts";
import { dissectGre, dissectVxlan, ETHERTYPE_TRANSPARENT_BRIDGING } from "./tunnel.ts";
import { dissectUdp } from "./udp.ts";

/** Reverse ARP (RFC 903) has messages of the same form. */
const ETHERTYPE_RARP = 0x8035;
/** Before 802.1ad had its number, some switches used this one. */
const ETHERTYPE_OLD_SERVICE_VLAN = 0x9100;
const PROTOCOL_IPV4 = 4;
const PROTOCOL_IPV6 = 41;
const PROTOCOL_GRE = 47;
const PROTOCOL_AUTHENTICATION = 51;
/** RFC 8986 §4.9: a whole frame behind a segment routing header. */
const PROTOCOL_ETHERNET = 143;

/** Outer headers behind one another; a packet of nothing but tunnels is not worth a longer look. */
export const MAX_LAYERS = 256;

const LINK_LAYERS: ReadonlyMap<number, Dissector> = new Map([
  [LINKTYPE_NULL, dissectNull],
  [LINKTYPE_ETHERNET, dissectEthernet],
  [12, dissectIp],
  [14, dissectIp],
  [LINKTYPE_RAW, dissectIp],
  [LINKTYPE_LOOP, dissectLoop],
  [LINKTYPE_LINUX_SLL, dissectSll],
  [LINKTYPE_IPV4, dissectIp],
  [LINKTYPE_IPV6, dissectIpv6],
  [LINKTYPE_LINUX_SLL2, dissectSll2],
]);

const NEXT_LAYERS: ReadonlyMap<NextLayer, Dissector> = new Map([
  [NEXT_ETHERNET, dissectEthernet],
  [NEXT_LLC, dissectLlc],
  [NEXT_VXLAN, dissectVxlan],
  [nextEtherType(ETHERTYPE_IPV4), dissectIp],
  [nextEtherType(ETHERTYPE_IPV6), dissectIpv6],
  [nextEtherType(ETHERTYPE_ARP), dissectArp],
  [nextEtherType(ETHERTYPE_RARP), dissectArp],
  [nextEtherType(ETHERTYPE_VLAN), dissectVlan],
  [nextEtherType(ETHERTYPE_SERVICE_VLAN), dissectVlan],
  [nextEtherType(ETHERTYPE_OLD_SERVICE_VLAN), dissectVlan],
  [nextEtherType(ETHERTYPE_TRANSPARENT_BRIDGING), dissectEthernet],
  [nextIpProtocol(PROTOCOL_ICMP), dissectIcmp],
  [nextIpProtocol(PROTOCOL_TCP), dissectTcp],
  [nextIpProtocol(PROTOCOL_UDP), dissectUdp],
  [nextIpProtocol(PROTOCOL_IPV4), dissectIp],
  [nextIpProtocol(PROTOCOL_IPV6), dissectIpv6],
  [nextIpProtocol(PROTOCOL_GRE), dissectGre],
  [nextIpProtocol(PROTOCOL_AUTHENTICATION), dissectAuthentication],
  [nextIpProtocol(PROTOCOL_IPV6_HOP_BY_HOP), dissectHopByHop],
  [nextIpProtocol(PROTOCOL_IPV6_ROUTING), dissectRouting],
  [nextIpProtocol(PROTOCOL_IPV6_FRAGMENT), dissectIpv6Fragment],
  [nextIpProtocol(PROTOCOL_IPV6_DESTINATION), dissectDestinationOptions],
  [nextIpProtocol(PROTOCOL_ICMPV6), dissectIcmpv6],
  [nextIpProtocol(PROTOCOL_ETHERNET), dissectEthernet],
]);

/** Either family: the version field tells, whatever the EtherType says. */
function dissectIp(cursor: Cursor): NextLayer {
  return cursor.packet.length > 0 && cursor.packet.u8(0) >>> 4 === 6 ? dissectIpv6(cursor) : dissectIpv4(cursor);
}

export interface DissectOptions {
  /** Octets the packet had on the wire. @default bytes.length */
  readonly originalLength?: number;
  /** Without it every verdict is "unverified", and the payloads are not read. @default true */
  readonly verifyChecksums?: boolean;
}

/**
 * Reads a captured packet layer by layer. It never throws: what is broken becomes a "malformed" layer, what is unknown "data".
 * The dissection shares `bytes`.
 * @param linkType LINKTYPE_ number
 */
export function dissect(bytes: Uint8Array, linkType: number, options: DissectOptions = {}): Dissection {
  const originalLength = options.originalLength ?? bytes.length;
  const cursor = new Cursor(bytes, originalLength, options.verifyChecksums ?? true);
  const { layers } = cursor;
  const first = LINK_LAYERS.get(linkType);
  if (first === undefined) {
    layers.push({ protocol: "unknown-link-type", offset: 0, headerLength: bytes.length, linkType });
    return summarize(bytes, linkType, originalLength, layers);
  }
  let next = first(cursor);
  while (next !== NEXT_NOTHING) {
    const dissector = NEXT_LAYERS.get(next);
    if (dissector === undefined) {
      next = dissectData(cursor);
    } else if (layers.length < MAX_LAYERS) {
      next = dissector(cursor);
    } else {
      next = cursor.malformed("data", "too-many-layers");
    }
  }
  return summarize(bytes, linkType, originalLength, layers);
}

function dissectData(cursor: Cursor): NextLayer {
  const { start: offset, length: headerLength } = cursor.packet;
  return headerLength === 0 ? NEXT_NOTHING : cursor.found({ protocol: "data", offset, headerLength }, NEXT_NOTHING);
}
