// Forwarding IPv6 (RFC 8200 §3, §5, RFC 4443 §3): other hosts' datagrams on their way through this one, when it is a router.
import { type Host, isLinkLocal, isLoopback, isUnspecified, type PacketBuffer } from "@netstrata/core";
import type { LinkCast, NetworkInterface } from "@netstrata/link";
import type { Destination } from "./destination.ts";
import type { DestinationCache } from "./destination-cache.ts";
import { FragmentVerdicts } from "./gateway/fragment-verdicts.ts";
import type { Gateway, Passage, Refusal } from "./gateway/gateway.ts";
import type { IcmpHeader } from "./icmp-message.ts";
import type { Icmpv6 } from "./icmpv6.ts";
import {
  ICMPV6_DESTINATION_UNREACHABLE,
  ICMPV6_PACKET_TOO_BIG,
  ICMPV6_TIME_EXCEEDED,
  UNREACHABLE_V6_BEYOND_SCOPE,
  UNREACHABLE_V6_NO_ROUTE,
} from "./icmpv6-message.ts";
import type { Ipv6Counters, Ipv6DropReason, Ipv6Drops } from "./ipv6-counters.ts";
import { IPV6_HEADER_LENGTH, type Ipv6Header, readUncheckedIpv6Header } from "./ipv6-header.ts";
import { NEVER_FRAGMENT, sendToLink } from "./link-output.ts";

const NO_ROUTE: IcmpHeader = { type: ICMPV6_DESTINATION_UNREACHABLE, code: UNREACHABLE_V6_NO_ROUTE, rest: 0 };
const BEYOND_SCOPE: IcmpHeader = { type: ICMPV6_DESTINATION_UNREACHABLE, code: UNREACHABLE_V6_BEYOND_SCOPE, rest: 0 };
const TIME_EXCEEDED: IcmpHeader = { type: ICMPV6_TIME_EXCEEDED, code: 0, rest: 0 };

type RefuseFor = (refusal: Refusal, datagram: PacketBuffer, header: Ipv6Header, cast: LinkCast) => void;

export class Ipv6Forwarding {
  /** Off until somebody who knows turns it on, however many interfaces there are. */
  enabled = false;
  private readonly counters: Ipv6Counters;
  private readonly drops: Ipv6Drops;
  private readonly destinations: DestinationCache;
  private readonly icmp: Icmpv6;
  private readonly gateway: Gateway | undefined;
  private readonly refuseFor: RefuseFor;
  private readonly fragments: FragmentVerdicts;

  /** @param refuseFor tells the sender of what the gateway refuses */
  constructor(
    host: Host,
    counters: Ipv6Counters,
    drops: Ipv6Drops,
    destinations: DestinationCache,
    icmp: Icmpv6,
    gateway: Gateway | undefined,
    refuseFor: RefuseFor,
  ) {
    this.gateway = gateway;
    this.refuseFor = refuseFor;
    this.fragments = new FragmentVerdicts(host.clock);
    this.counters = counters;
    this.drops = drops;
    this.destinations = destinations;
    this.icmp = icmp;
  }

  /**
   * Sends a datagram on to its next hop. Its extension headers are the business of its destination (RFC 8200 §4).
   * @param datagram its window is behind the IPv6 header; it is lent, so what goes on is a copy. Afterwards it starts at the header
   */
  forward(datagram: PacketBuffer, header: Ipv6Header, from: NetworkInterface, cast: LinkCast): void {
    datagram.rewind(IPV6_HEADER_LENGTH);
    const { source, destination } = header;
    if (isUnspecified(source) || isLoopback(destination)) {
      this.drops.count("martian-source", datagram);
      return;
    }
    // RFC 4291 §2.5.6: a link-local address never leaves its link, as a destination or as a source.
    if (isLinkLocal(destination)) {
      this.drops.count("beyond-scope", datagram);
      return;
    }
    const next = this.destinations.lookup(destination);
    if (next === undefined) {
      this.refuse("no-route", datagram, header, cast, NO_ROUTE);
      return;
    }
    if (isLinkLocal(source) && next.interface !== from) {
      this.refuse("beyond-scope", datagram, header, cast, BEYOND_SCOPE);
      return;
    }
    if (header.timeToLive <= 1) {
      this.refuse("hop-limit-exceeded", datagram, header, cast, TIME_EXCEEDED);
      return;
    }
    let passage: Passage | undefined;
    if (this.gateway !== undefined) {
      const verdict = this.passGateway(this.gateway, datagram, header, from, next, cast);
      if (verdict === "refused") return;
      if (verdict !== "accepted") passage = verdict;
    }
    const link = next.interface;
    const onward = datagram.copy(link.headroom);
    onward.setU8(7, header.timeToLive - 1);
    if (passage !== undefined) this.gateway?.leave(passage, onward, next);
    if (sendToLink(onward, next, link.mtu, NEVER_FRAGMENT)) {
      this.counters.OutForwDatagrams += 1;
      return;
    }
    this.drops.count("packet-too-big", datagram);
    // RFC 4443 §3.2: the one error besides unknown options that is also sent about what goes to a group.
    this.icmp.sendError(datagram, header, cast, { type: ICMPV6_PACKET_TOO_BIG, code: 0, rest: link.mtu }, true);
  }

  /** Extension headers are followed to see the transport's, and left to the destination otherwise. */
  private passGateway(
    gateway: Gateway,
    datagram: PacketBuffer,
    fixed: Ipv6Header,
    from: NetworkInterface,
    next: Destination,
    cast: LinkCast,
  ): Passage | "accepted" | "refused" {
    const header = readUncheckedIpv6Header(datagram);
    if (typeof header === "string" || header.headerLength > datagram.length) {
      this.drops.count("bad-extension-header", datagram);
      return "refused";
    }
    const { source, destination, fragment } = header;
    const whole = fragment && `${source}${destination}${fragment.identification}`;
    if (whole !== undefined && (fragment?.offset ?? 0) > 0) {
      if (this.fragments.isAccepted(whole)) return "accepted";
      this.drops.count("fragment-without-first", datagram);
      return "refused";
    }
    const passage = gateway.arrive(datagram, header, from);
    const refusal = "reason" in passage ? passage : gateway.forward(passage, datagram, next);
    if (refusal !== undefined) {
      this.refuseFor(refusal, datagram, refusal.verdict === "reset" ? header : fixed, cast);
      return "refused";
    }
    if (whole !== undefined && fragment?.moreFragments === true) this.fragments.accept(whole);
    return passage as Passage;
  }

  private refuse(reason: Ipv6DropReason, datagram: PacketBuffer, header: Ipv6Header, cast: LinkCast, message: IcmpHeader): void {
    this.drops.count(reason, datagram);
    this.icmp.sendError(datagram, header, cast, message);
  }
}
