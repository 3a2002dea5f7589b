// What IPv4 makes of a datagram that comes in (RFC 1122 §3.2.1, RFC 1812 §5.2): drop, deliver or forward.
import { IPV4_ANY, IPV4_BROADCAST, type Ipv4Address, isLoopback, isMulticast, isReservedIpv4, type PacketBuffer } from "@netstrata/core";
import type { LinkCast, NetworkInterface } from "@netstrata/link";
import { countEcnField } from "./ecn-counters.ts";
import type { Forwarding } from "./forwarding.ts";
import type { Gateway, Refusal } from "./gateway/gateway.ts";
import type { Icmp } from "./icmp.ts";
import {
  ICMP_DESTINATION_UNREACHABLE,
  ICMP_PARAMETER_PROBLEM,
  type IcmpHeader,
  UNREACHABLE_PORT,
  UNREACHABLE_PROTOCOL,
  UNREACHABLE_SOURCE_ROUTE_FAILED,
} from "./icmp-message.ts";
import type { Arrival, IpProtocolHandler } from "./ip-service.ts";
import type { Ipv4Counters, Ipv4DropReason, Ipv4Drops } from "./ipv4-counters.ts";
import { IPV4_HEADER_LENGTH, type Ipv4Header, readIpv4Header, readUncheckedIpv4Header } from "./ipv4-header.ts";
import { isFinished, isSourceRoute, OPTION_STRICT_SOURCE_ROUTE, readIpv4Options, recordedAddresses } from "./ipv4-options.ts";
import type { Reassembler } from "./ipv4-reassembly.ts";
import type { LocalAddresses } from "./local-addresses.ts";

const PROTOCOL_UNREACHABLE: IcmpHeader = { type: ICMP_DESTINATION_UNREACHABLE, code: UNREACHABLE_PROTOCOL, rest: 0 };
const PORT_UNREACHABLE: IcmpHeader = { type: ICMP_DESTINATION_UNREACHABLE, code: UNREACHABLE_PORT, rest: 0 };
const SOURCE_ROUTE_FAILED: IcmpHeader = { type: ICMP_DESTINATION_UNREACHABLE, code: UNREACHABLE_SOURCE_ROUTE_FAILED, rest: 0 };

/** Everything input works with. */
export interface Ipv4InputParts {
  readonly addresses: LocalAddresses;
  /** The transports by protocol number. */
  readonly handlers: readonly (IpProtocolHandler | undefined)[];
  readonly icmp: Icmp;
  readonly forwarding: Forwarding;
  readonly reassembler: Reassembler;
  /** What else decides over a datagram; most hosts have none. */
  readonly gateway: Gateway | undefined;
  /** Tells the sender of what the gateway refuses. */
  readonly refuse: (refusal: Refusal, datagram: PacketBuffer, header: Ipv4Header, cast: LinkCast) => void;
  readonly counters: Ipv4Counters;
  readonly drops: Ipv4Drops;
}

interface WholeDatagram {
  readonly datagram: PacketBuffer;
  readonly header: Ipv4Header;
}

export class Ipv4Input {
  private readonly parts: Ipv4InputParts;
  private lastArrival: Arrival | undefined;

  constructor(parts: Ipv4InputParts) {
    this.parts = parts;
  }

  /** A datagram from an interface, in the order of RFC 1812 §5.2.1: header, addresses, options, then ours or not. */
  receive(datagram: PacketBuffer, from: NetworkInterface, cast: LinkCast): void {
    const { addresses, counters, drops, forwarding } = this.parts;
    counters.InReceives += 1;
    const header = readIpv4Header(datagram);
    if (typeof header === "string") {
      drops.count(header, datagram);
      return;
    }
    countEcnField(counters, header.trafficClass);
    const own = addresses.castOf(header.destination, from) ?? this.castOfClaimed(datagram, header);
    const refusal = this.refusal(header, from, cast, own);
    if (refusal !== undefined) {
      drops.count(refusal, datagram);
      return;
    }
    const breadth = own === undefined ? cast : broader(cast, own);
    if (header.headerLength > IPV4_HEADER_LENGTH && !this.acceptsOptions(datagram, header, from, breadth, own !== undefined)) return;
    if (this.parts.gateway !== undefined) {
      this.passGateway(this.parts.gateway, datagram, header, from, cast, own);
      return;
    }
    if (own === undefined) {
      forwarding.forward(datagram, header, from, cast);
      return;
    }
    if (own === "broadcast" && forwarding.directedBroadcasts) this.passDirectedBroadcast(datagram, header, from, cast);
    this.deliver(datagram, header, from, breadth);
  }

  /** Why a datagram is dropped in silence for its addresses; undefined when it is not. */
  private refusal(header: Ipv4Header, from: NetworkInterface, cast: LinkCast, own: LinkCast | undefined): Ipv4DropReason | undefined {
    const { addresses, forwarding } = this.parts;
    const { source, destination } = header;
    if (from !== addresses.loopback) {
      // RFC 1122 §3.2.1.3 (g): 127/8 never appears outside a host; nor do our own addresses as somebody else's source.
      if (isLoopback(source) || addresses.isLocal(source)) return "martian-source";
      if (isLoopback(destination)) return "martian-destination";
    }
    if (this.isImpossibleSource(source, destination)) return "martian-source";
    // RFC 1122 §3.3.6: what the link broadcasts must be addressed to many in its IP header too.
    if (cast !== "unicast" && own !== "broadcast" && !isMulticast(destination)) return "unicast-in-link-broadcast";
    if (own !== undefined) return undefined;
    if (isMulticast(destination)) return "not-a-group-of-ours";
    // RFC 1122 §3.2.1.3: a host drops what is not for it without a word, and without a look at its options.
    return forwarding.enabled ? undefined : "not-for-us";
  }

  private isImpossibleSource(source: Ipv4Address, destination: Ipv4Address): boolean {
    // RFC 1122 §3.2.1.3 (a): who does not know his address yet (DHCP) calls all neighbours; nobody answers him directly.
    if (source === IPV4_ANY) return destination !== IPV4_BROADCAST && !isMulticast(destination);
    return this.isNoHost(source);
  }

  /** True for an address that no single host can have. */
  private isNoHost(address: Ipv4Address): boolean {
    return address >>> 24 === 0 || isMulticast(address) || isReservedIpv4(address) || this.parts.addresses.isBroadcast(address);
  }

  /** Checks the options; false when the datagram has been dropped for them. */
  private acceptsOptions(datagram: PacketBuffer, header: Ipv4Header, from: NetworkInterface, cast: LinkCast, isOurs: boolean): boolean {
    const length = header.headerLength - IPV4_HEADER_LENGTH;
    const bytes = datagram.bytes.subarray(datagram.start - length, datagram.start);
    const options = readIpv4Options(bytes);
    if (typeof options === "number") {
      // RFC 1122 §3.2.2.5: the pointer, in the first octet, names the octet of the header that is wrong.
      const pointer = IPV4_HEADER_LENGTH + options;
      this.refuse("bad-option", datagram, header, cast, { type: ICMP_PARAMETER_PROBLEM, code: 0, rest: (pointer << 24) >>> 0 });
      return false;
    }
    const route = options.find(isSourceRoute);
    if (route === undefined) return true;
    // RFC 1122 §3.3.5: this stack does not pass source-routed datagrams on. For a datagram that is not addressed to us a loose
    // route is the business of its next named hop, but a strict one has gone astray.
    const isOurTurn = isOurs ? !isFinished(bytes, route) : route.type === OPTION_STRICT_SOURCE_ROUTE;
    if (isOurTurn) {
      this.refuse("source-route-refused", datagram, header, cast, SOURCE_ROUTE_FAILED);
      return false;
    }
    // Answers go back by this route, so that its hops are held to what is asked of a source: else an echo request could have
    // its answer broadcast, or sent to a service that listens on 127.0.0.1.
    const { addresses, drops } = this.parts;
    const isMartian = (hop: Ipv4Address): boolean =>
      this.isNoHost(hop) || (from !== addresses.loopback && (isLoopback(hop) || addresses.isLocal(hop)));
    if (!isOurs || !recordedAddresses(bytes, route).some(isMartian)) return true;
    drops.count("martian-hop", datagram);
    return false;
  }

  /** RFC 1812 §5.3.5.2: a broadcast to another network of ours is delivered and forwarded, but not if it came as a link broadcast (§5.3.4). */
  private passDirectedBroadcast(datagram: PacketBuffer, header: Ipv4Header, from: NetworkInterface, cast: LinkCast): void {
    const { addresses, forwarding } = this.parts;
    const network = addresses.broadcastInterface(header.destination);
    if (!forwarding.enabled || cast !== "unicast" || network === undefined || network === from) return;
    const { start } = datagram;
    forwarding.forward(datagram, header, from, cast);
    datagram.start = start;
  }

  /** A transport wants what is for nobody here: a listener for any address. Only whole datagrams show whom they are for. */
  private castOfClaimed(datagram: PacketBuffer, header: Ipv4Header): LinkCast | undefined {
    const { addresses, handlers } = this.parts;
    const { destination, moreFragments, fragmentOffset } = header;
    if (moreFragments || fragmentOffset > 0 || isLoopback(destination) || this.isNoHost(destination)) return undefined;
    if (addresses.isLocal(destination)) return undefined;
    return handlers[header.protocol]?.claims?.(datagram, header) === true ? "unicast" : undefined;
  }

  /** The same ways as without a gateway, for whole datagrams: filters and translation have to see their ports (RFC 1858). */
  private passGateway(
    gateway: Gateway,
    datagram: PacketBuffer,
    header: Ipv4Header,
    from: NetworkInterface,
    cast: LinkCast,
    own: LinkCast | undefined,
  ): void {
    const { addresses, drops, forwarding, refuse } = this.parts;
    if (header.moreFragments || header.fragmentOffset > 0) {
      const whole = this.reassemble(datagram, header, cast);
      if (whole !== undefined) this.passGateway(gateway, whole.datagram, whole.header, from, cast, own);
      return;
    }
    datagram.rewind(header.headerLength);
    const passage = gateway.arrive(datagram, header, from);
    if ("reason" in passage) {
      refuse(passage, datagram, header, cast);
      return;
    }
    const destination = gateway.destinationOf(passage) as Ipv4Address;
    const breadth = destination === header.destination ? own : addresses.castOf(destination, from);
    if (breadth === undefined) {
      datagram.consume(header.headerLength);
      if (forwarding.enabled) forwarding.forward(datagram, header, from, cast, passage);
      else drops.count("not-for-us", datagram);
      return;
    }
    const refusal = gateway.input(passage, datagram);
    if (refusal !== undefined) {
      refuse(refusal, datagram, header, cast);
      return;
    }
    // What was lent is not written to.
    const isTranslated = passage.end?.connection.isTranslated === true;
    const delivered = isTranslated ? datagram.copy() : datagram;
    if (isTranslated) gateway.translate(passage, delivered);
    delivered.consume(header.headerLength);
    const deliveredHeader = isTranslated ? { ...header, destination } : header;
    if (breadth === "broadcast" && forwarding.directedBroadcasts) this.passDirectedBroadcast(delivered, deliveredHeader, from, cast);
    this.demultiplex(delivered, deliveredHeader, from, broader(cast, breadth));
  }

  private deliver(datagram: PacketBuffer, header: Ipv4Header, from: NetworkInterface, cast: LinkCast): void {
    if (!header.moreFragments && header.fragmentOffset === 0) {
      this.demultiplex(datagram, header, from, cast);
      return;
    }
    const whole = this.reassemble(datagram, header, cast);
    if (whole !== undefined) this.demultiplex(whole.datagram, whole.header, from, cast);
  }

  /** @returns the datagram that this fragment completes, its window behind its header */
  private reassemble(fragment: PacketBuffer, header: Ipv4Header, cast: LinkCast): WholeDatagram | undefined {
    const datagram = this.parts.reassembler.add(fragment, header, cast);
    const wholeHeader = datagram && readUncheckedIpv4Header(datagram);
    if (datagram === undefined || typeof wholeHeader !== "object") return undefined;
    datagram.consume(wholeHeader.headerLength);
    return { datagram, header: wholeHeader };
  }

  private demultiplex(datagram: PacketBuffer, header: Ipv4Header, from: NetworkInterface, cast: LinkCast): void {
    const { handlers, counters, icmp } = this.parts;
    const handler = handlers[header.protocol];
    if (handler === undefined) {
      this.refuse("unknown-protocol", datagram, header, cast, PROTOCOL_UNREACHABLE);
      return;
    }
    counters.InDelivers += 1;
    const { start, end } = datagram;
    if (handler.receive(datagram, header, this.arrival(from, cast)) !== "port-unreachable") return;
    // The handler may have narrowed the window; the error quotes the datagram as it came.
    datagram.start = start - header.headerLength;
    datagram.end = end;
    icmp.sendError(datagram, header, cast, PORT_UNREACHABLE);
  }

  /** Drops a datagram and says so to its sender, if the rules let that. */
  private refuse(reason: Ipv4DropReason, datagram: PacketBuffer, header: Ipv4Header, cast: LinkCast, message: IcmpHeader): void {
    this.parts.drops.count(reason, datagram);
    datagram.rewind(header.headerLength);
    this.parts.icmp.sendError(datagram, header, cast, message);
  }

  private arrival(from: NetworkInterface, cast: LinkCast): Arrival {
    const last = this.lastArrival;
    if (last !== undefined && last.interface === from && last.cast === cast) return last;
    return (this.lastArrival = { interface: from, cast });
  }
}

function broader(a: LinkCast, b: LinkCast): LinkCast {
  if (a === "unicast" || b === "broadcast") return b;
  return a;
}
