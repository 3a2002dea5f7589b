// Forwarding (RFC 1812 §5.2, §5.3): other hosts' datagrams on their way through this one, when it is a router.
import {
  foldChecksum,
  type IpAddress,
  type Ipv4Address,
  isIpv4,
  isLinkLocal,
  isLoopback,
  isReservedIpv4,
  type PacketBuffer,
  prefixContains,
  sumBytes,
  updateChecksum,
} from "@netstrata/core";
import type { LinkCast, NetworkInterface } from "@netstrata/link";
import type { Destination } from "./destination.ts";
import type { DestinationCache } from "./destination-cache.ts";
import { ipv4Fragmenter } from "./fragmentation.ts";
import type { Gateway, Passage, Refusal } from "./gateway/gateway.ts";
import type { Icmp } from "./icmp.ts";
import {
  ICMP_DESTINATION_UNREACHABLE,
  ICMP_REDIRECT,
  ICMP_TIME_EXCEEDED,
  type IcmpHeader,
  TIME_EXCEEDED_IN_TRANSIT,
  UNREACHABLE_FRAGMENTATION_NEEDED,
  UNREACHABLE_NETWORK,
} from "./icmp-message.ts";
import type { Ipv4Counters, Ipv4DropReason, Ipv4Drops } from "./ipv4-counters.ts";
import { IPV4_HEADER_LENGTH, IPV4_MAX_LENGTH, type Ipv4Header } from "./ipv4-header.ts";
import { recordRoute } from "./ipv4-options.ts";
import { type Fragmenter, sendToLink } from "./link-output.ts";

const NETWORK_UNREACHABLE: IcmpHeader = { type: ICMP_DESTINATION_UNREACHABLE, code: UNREACHABLE_NETWORK, rest: 0 };
/** The only code that routers should use, and the only one that hosts need to tell apart (RFC 1812 §4.3.3.2). */
const REDIRECT_FOR_HOST = 1;
const TIME_EXCEEDED: IcmpHeader = { type: ICMP_TIME_EXCEEDED, code: TIME_EXCEEDED_IN_TRANSIT, rest: 0 };

type RefuseFor = (refusal: Refusal, datagram: PacketBuffer, header: Ipv4Header, cast: LinkCast) => void;

export class Forwarding {
  /** The switch of RFC 1122 §3.1: off until somebody who knows turns it on, however many interfaces there are. */
  enabled = false;
  /** The switch of RFC 1812 §5.3.5.2; off, as RFC 2644 has changed it, because such broadcasts amplify attacks. */
  directedBroadcasts = false;
  /** Tell hosts of a router that is nearer to where they send (RFC 1812 §5.2.7.2). */
  redirects = true;
  private readonly counters: Ipv4Counters;
  private readonly drops: Ipv4Drops;
  private readonly destinations: DestinationCache;
  private readonly icmp: Icmp;
  private readonly fragment: Fragmenter;
  private readonly gateway: Gateway | undefined;
  private readonly refuseFor: RefuseFor;

  /** @param refuseFor tells the sender of what the gateway refuses */
  constructor(
    counters: Ipv4Counters,
    drops: Ipv4Drops,
    destinations: DestinationCache,
    icmp: Icmp,
    gateway: Gateway | undefined,
    refuseFor: RefuseFor,
  ) {
    this.gateway = gateway;
    this.refuseFor = refuseFor;
    this.counters = counters;
    this.drops = drops;
    this.destinations = destinations;
    this.icmp = icmp;
    this.fragment = ipv4Fragmenter(counters);
  }

  /**
   * Sends a datagram on to its next hop.
   * @param datagram its window is the payload; it is lent, so what goes on is a copy. Afterwards it starts at the IP header
   * @param passage what the gateway knows of it, where there is one. Errors quote it as it came, so that its sender knows it again
   */
  forward(datagram: PacketBuffer, header: Ipv4Header, from: NetworkInterface, cast: LinkCast, passage?: Passage): void {
    datagram.rewind(header.headerLength);
    const { gateway } = this;
    const destination = (
      gateway !== undefined && passage !== undefined ? gateway.destinationOf(passage) : header.destination
    ) as Ipv4Address;
    const obstacle = obstacleTo(header, destination);
    if (obstacle !== undefined) {
      this.drops.count(obstacle, datagram);
      return;
    }
    const next = this.destinations.lookup(destination);
    if (next === undefined) {
      this.refuse("no-route", datagram, header, cast, NETWORK_UNREACHABLE);
      return;
    }
    // RFC 1812 §5.3.1: the TTL matters only once it is decided that the datagram is to go on.
    if (header.timeToLive <= 1) {
      this.refuse("time-exceeded", datagram, header, cast, TIME_EXCEEDED);
      return;
    }
    const refusal = passage && gateway?.forward(passage, datagram, next);
    if (refusal !== undefined) {
      this.refuseFor(refusal, datagram, header, cast);
      return;
    }
    const link = next.interface;
    const onward = datagram.copy(link.headroom);
    decrementTimeToLive(onward);
    if (passage !== undefined) gateway?.leave(passage, onward, next);
    if (header.headerLength > IPV4_HEADER_LENGTH) recordOurselves(onward, header.headerLength, next.source);
    if (link === from && this.redirects && passage?.end?.connection.isTranslated !== true) this.redirect(datagram, header, cast, next);
    if (sendToLink(onward, next, link.mtu, this.fragment)) {
      this.counters.ForwDatagrams += 1;
      return;
    }
    // RFC 1191 §4: the message carries the MTU that was too small.
    const message = { type: ICMP_DESTINATION_UNREACHABLE, code: UNREACHABLE_FRAGMENTATION_NEEDED, rest: link.mtu };
    this.refuse("fragmentation-needed", datagram, header, cast, message);
  }

  /** RFC 1812 §5.2.7.2: to whom could have sent this to the next hop himself, and has not been told the way by a source route. */
  private redirect(datagram: PacketBuffer, header: Ipv4Header, cast: LinkCast, { interface: link, nextHop }: Destination): void {
    if (!link.resolvesNeighbours || header.headerLength > IPV4_HEADER_LENGTH || !isIpv4(nextHop)) return;
    const isNeighbour = link.addresses.some((own) => prefixContains(own, header.source) && prefixContains(own, nextHop));
    if (isNeighbour) this.icmp.sendError(datagram, header, cast, { type: ICMP_REDIRECT, code: REDIRECT_FOR_HOST, rest: nextHop });
  }

  private refuse(reason: Ipv4DropReason, datagram: PacketBuffer, header: Ipv4Header, cast: LinkCast, message: IcmpHeader): void {
    this.drops.count(reason, datagram);
    this.icmp.sendError(datagram, header, cast, message);
  }
}

/** Why a datagram goes nowhere, whatever the routes say; undefined when it may. What is for many has been dealt with before. */
function obstacleTo(header: Ipv4Header, destination: Ipv4Address): Ipv4DropReason | undefined {
  const { source, fragmentOffset, totalLength, headerLength } = header;
  // RFC 1812 §5.3.7
  if (destination >>> 24 === 0 || isLoopback(destination) || isReservedIpv4(destination)) return "martian-destination";
  // RFC 3927 §7
  if (isLinkLocal(source) || isLinkLocal(destination)) return "link-local";
  // RFC 791 §3.1: no datagram reaches so far. Were this fragment cut again, the offsets of its pieces would begin anew at 0.
  if (fragmentOffset + totalLength - headerLength > IPV4_MAX_LENGTH - IPV4_HEADER_LENGTH) return "oversize-fragment";
  return undefined;
}

/** RFC 1812 §5.3.1, with the checksum updated by the difference (RFC 1624): a router must not hide damage by summing anew. */
function decrementTimeToLive(datagram: PacketBuffer): void {
  const before = datagram.u16(8);
  const after = before - 0x100;
  datagram.setU16(8, after);
  datagram.setU16(10, updateChecksum(datagram.u16(10), before, after));
}

/** RFC 1812 §4.2.2.2: what a router writes into options is the address of the interface the datagram leaves by. */
function recordOurselves(datagram: PacketBuffer, headerLength: number, own: IpAddress | undefined): void {
  const options = datagram.view(IPV4_HEADER_LENGTH, headerLength - IPV4_HEADER_LENGTH);
  if (own === undefined || !isIpv4(own) || !recordRoute(options, own)) return;
  datagram.setU16(10, 0);
  datagram.setU16(10, foldChecksum(sumBytes(datagram.bytes, datagram.start, datagram.start + headerLength)));
}
