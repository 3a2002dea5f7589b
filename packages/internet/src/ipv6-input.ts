// What IPv6 makes of a datagram that comes in (RFC 8200 §3, §4): drop, deliver or forward.
import { type Ipv6Address, isLinkLocal, isLoopback, isMappedIpv4, isMulticast, isUnspecified, type PacketBuffer } from "@netstrata/core";
import type { LinkCast, NetworkInterface } from "@netstrata/link";
import { countEcnField } from "./ecn-counters.ts";
import type { Gateway, Refusal } from "./gateway/gateway.ts";
import type { IcmpHeader } from "./icmp-message.ts";
import type { Icmpv6 } from "./icmpv6.ts";
import { ICMPV6_DESTINATION_UNREACHABLE, ICMPV6_PARAMETER_PROBLEM, UNREACHABLE_V6_PORT } from "./icmpv6-message.ts";
import type { Arrival, IpProtocolHandler } from "./ip-service.ts";
import type { Ipv6Counters, Ipv6DropReason, Ipv6Drops } from "./ipv6-counters.ts";
import { type ExtensionHeaderLimits, followHeaders, isExtension } from "./ipv6-extension-headers.ts";
import type { Ipv6Forwarding } from "./ipv6-forwarding.ts";
import { IPV6_HEADER_LENGTH, type Ipv6Header, readIpv6FixedHeader } from "./ipv6-header.ts";
import { type Ipv6Fault, PROBLEM_UNKNOWN_NEXT_HEADER } from "./ipv6-options.ts";
import type { Ipv6Reassembler } from "./ipv6-reassembly.ts";
import type { LocalAddresses } from "./local-addresses.ts";

const PORT_UNREACHABLE: IcmpHeader = { type: ICMPV6_DESTINATION_UNREACHABLE, code: UNREACHABLE_V6_PORT, rest: 0 };
/** Where the IPv6 header names what follows it. */
const NEXT_HEADER_FIELD = 6;

/** Some may not come in fragments (RFC 6980), and have to know. */
const WAS_FRAGMENT = { identification: 0, offset: 0, moreFragments: false } as const;

/** Everything input works with. */
export interface Ipv6InputParts {
  readonly addresses: LocalAddresses;
  /** The transports by protocol number. */
  readonly handlers: readonly (IpProtocolHandler | undefined)[];
  readonly icmp: Icmpv6;
  readonly forwarding: Ipv6Forwarding;
  readonly reassembler: Ipv6Reassembler;
  /** What else decides over a datagram; most hosts have none. */
  readonly gateway: Gateway | undefined;
  /** Tells the sender of what the gateway refuses. */
  readonly refuse: (refusal: Refusal, datagram: PacketBuffer, header: Ipv6Header, cast: LinkCast) => void;
  readonly limits: ExtensionHeaderLimits;
  readonly counters: Ipv6Counters;
  readonly drops: Ipv6Drops;
}

export class Ipv6Input {
  private readonly parts: Ipv6InputParts;
  private lastArrival: Arrival | undefined;

  constructor(parts: Ipv6InputParts) {
    this.parts = parts;
  }

  /** A datagram from an interface. */
  receive(datagram: PacketBuffer, from: NetworkInterface, cast: LinkCast): void {
    const { addresses, counters, drops, forwarding } = this.parts;
    counters.InReceives += 1;
    const header = readIpv6FixedHeader(datagram);
    if (typeof header === "string") {
      drops.count(header, datagram);
      return;
    }
    countEcnField(counters, header.trafficClass);
    const own = addresses.castOf(header.destination, from) ?? this.castOfClaimed(datagram, header);
    const refusal = this.refusal(header, from, own);
    if (refusal !== undefined) {
      drops.count(refusal, datagram);
      return;
    }
    if (own === undefined) {
      forwarding.forward(datagram, header, from, cast);
      return;
    }
    const breadth = cast === "unicast" ? own : cast;
    if (!isExtension(header.protocol)) this.demultiplex(datagram, header, NEXT_HEADER_FIELD, from, breadth);
    else this.receiveChain(datagram, header, from, breadth, false);
  }

  /** Why a datagram is dropped in silence for its addresses; undefined when it is not. */
  private refusal(header: Ipv6Header, from: NetworkInterface, own: LinkCast | undefined): Ipv6DropReason | undefined {
    const { addresses, forwarding } = this.parts;
    const { source, destination } = header;
    if (from !== addresses.loopback) {
      // RFC 4291 §2.5.3: ::1 never appears outside a host; nor do our own addresses as somebody else's source.
      if (addresses.isLocal(source) && !addresses.doubtful.has(source)) return "martian-source";
      if (isLoopback(source)) return "martian-source";
      if (isLoopback(destination)) return "martian-destination";
    }
    // RFC 4291 §2.7: a group is nobody's source; §2.5.2: who has no address yet speaks to groups only.
    if (isMulticast(source) || (isUnspecified(source) && !isMulticast(destination))) return "martian-source";
    if (isUnspecified(destination)) return "martian-destination";
    // These stand for IPv4 addresses inside a host. From the wire they could pass for what an IPv4 rule lets through.
    if (isMappedIpv4(source) || isMappedIpv4(destination)) return "mapped-address";
    if (own !== undefined && own !== "multicast") return undefined;
    if (isMulticast(destination)) return refusalOfGroup(destination, own, from === addresses.loopback);
    return forwarding.enabled ? undefined : "not-for-us";
  }

  /** @param datagram its window is behind the fixed header */
  private receiveChain(datagram: PacketBuffer, header: Ipv6Header, from: NetworkInterface, cast: LinkCast, isWhole: boolean): void {
    const { limits, reassembler } = this.parts;
    datagram.rewind(IPV6_HEADER_LENGTH);
    const chain = followHeaders(datagram, header.protocol, limits, isWhole);
    if ("reason" in chain) {
      this.refuse(chain, datagram, header, cast);
      return;
    }
    if (chain.fragment === undefined) {
      const { protocol, headerLength, namedAt } = chain;
      datagram.consume(headerLength);
      const fragment = isWhole || chain.isAtomic ? WAS_FRAGMENT : undefined;
      this.demultiplex(datagram, { ...header, protocol, headerLength, fragment }, namedAt, from, cast);
      return;
    }
    const whole = reassembler.add(datagram, header, chain, chain.fragment, cast);
    if (whole === undefined) return;
    if ("reason" in whole) {
      this.refuse(whole, datagram, header, cast);
      return;
    }
    const wholeHeader = readIpv6FixedHeader(whole);
    if (typeof wholeHeader !== "object") return;
    this.receiveChain(whole, wholeHeader, from, cast, true);
  }

  /** @param namedAt octets from the IPv6 header to the octet that names the transport */
  private demultiplex(datagram: PacketBuffer, header: Ipv6Header, namedAt: number, from: NetworkInterface, cast: LinkCast): void {
    const { handlers, counters, icmp } = this.parts;
    if (this.parts.gateway !== undefined && !this.mayComeIn(this.parts.gateway, datagram, header, from, cast)) return;
    const handler = handlers[header.protocol];
    const { start, end } = datagram;
    if (handler === undefined) {
      datagram.start = start - header.headerLength;
      // RFC 8200 §4: the pointer names the octet that names what is unknown.
      this.refuse({ reason: "unknown-protocol", code: PROBLEM_UNKNOWN_NEXT_HEADER, pointer: namedAt }, datagram, header, cast);
      return;
    }
    counters.InDelivers += 1;
    if (handler.receive(datagram, header, this.arrival(from, cast)) !== "port-unreachable") return;
    // The handler may have narrowed the window; the error quotes the datagram as it came.
    datagram.start = start - header.headerLength;
    datagram.end = end;
    icmp.sendError(datagram, header, cast, PORT_UNREACHABLE);
  }

  /** A transport wants what is for nobody here: a listener for any address. Only whole datagrams without extensions show whom they are for. */
  private castOfClaimed(datagram: PacketBuffer, header: Ipv6Header): LinkCast | undefined {
    const { destination } = header;
    if (isMulticast(destination) || isLinkLocal(destination) || isLoopback(destination)) return undefined;
    return this.parts.handlers[header.protocol]?.claims?.(datagram, header) === true ? "unicast" : undefined;
  }

  /** False when the gateway has dropped it. The window is where it was. */
  private mayComeIn(gateway: Gateway, datagram: PacketBuffer, header: Ipv6Header, from: NetworkInterface, cast: LinkCast): boolean {
    datagram.rewind(header.headerLength);
    const passage = gateway.arrive(datagram, header, from);
    const refusal = "reason" in passage ? passage : gateway.input(passage, datagram);
    if (refusal !== undefined) this.parts.refuse(refusal, datagram, header, cast);
    datagram.consume(header.headerLength);
    return refusal === undefined;
  }

  /** Drops a datagram, whose window starts at its IPv6 header, and says so to its sender where there is a message for it. */
  private refuse({ reason, code, pointer, evenForGroups }: Ipv6Fault, datagram: PacketBuffer, header: Ipv6Header, cast: LinkCast): void {
    this.parts.drops.count(reason, datagram);
    if (code === undefined) return;
    this.parts.icmp.sendError(datagram, header, cast, { type: ICMPV6_PARAMETER_PROBLEM, code, rest: pointer }, evenForGroups);
  }

  private arrival(from: NetworkInterface, cast: LinkCast): Arrival {
    const last = this.lastArrival;
    if (last !== undefined && last.interface === from && last.cast === cast) return last;
    return (this.lastArrival = { interface: from, cast });
  }
}

/** RFC 4291 §2.7: scope 0 is reserved, scope 1 never leaves its interface; and a group is for its members. */
function refusalOfGroup(group: Ipv6Address, own: LinkCast | undefined, isLoopbackInterface: boolean): Ipv6DropReason | undefined {
  const scope = group.charCodeAt(0) & 0xf;
  if (scope === 0 || (scope === 1 && !isLoopbackInterface)) return "bad-multicast-scope";
  return own === undefined ? "not-a-group-of-ours" : undefined;
}
