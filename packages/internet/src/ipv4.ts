// IPv4 (RFC 791, RFC 1122 §3.2.1, RFC 1812 §5.2): what comes in, what goes out, what passes through.
import {
  type Host,
  IPV4_ANY,
  IPV4_BROADCAST,
  type IpAddress,
  type Ipv4Address,
  isLoopback,
  isMulticast,
  isReservedIpv4,
  type PacketBuffer,
} from "@netstrata/core";
import type { LinkCast, NetworkInterface } from "@netstrata/link";
import type { Destination, DestinationCache } from "./destination-cache.ts";
import { Forwarding } from "./forwarding.ts";
import { fragmentIpv4 } from "./fragmentation.ts";
import type { Icmp } from "./icmp.ts";
import {
  ICMP_DESTINATION_UNREACHABLE,
  ICMP_PARAMETER_PROBLEM,
  ICMP_TIME_EXCEEDED,
  TIME_EXCEEDED_IN_REASSEMBLY,
  UNREACHABLE_HOST,
  UNREACHABLE_PORT,
  UNREACHABLE_PROTOCOL,
  UNREACHABLE_SOURCE_ROUTE_FAILED,
} from "./icmp-message.ts";
import type { Arrival, IpProtocolHandler, IpSendOptions, IpSendResult } from "./ip-service.ts";
import { createIpv4Counters, createIpv4Drops, type Ipv4Counters, type Ipv4DropReason, type Ipv4Drops } from "./ipv4-counters.ts";
import {
  IPV4_HEADER_LENGTH,
  IPV4_MAX_HEADER_LENGTH,
  IPV4_MAX_LENGTH,
  type Ipv4Header,
  prependIpv4,
  readIpv4Header,
  readUncheckedIpv4Header,
} from "./ipv4-header.ts";
import { isFinished, isSourceRoute, OPTION_STRICT_SOURCE_ROUTE, readIpv4Options } from "./ipv4-options.ts";
import type { LocalAddresses } from "./local-addresses.ts";
import { Reassembler, type ReassemblyLimits } from "./reassembly.ts";
import { finishChecksum } from "./transport-checksum.ts";

/** RFC 1112 §6.1: what is multicast stays on its link unless the sender says otherwise. */
const MULTICAST_TIME_TO_LIVE = 1;
export const DEFAULT_TIME_TO_LIVE = 64;

export interface Ipv4Options {
  /** The TTL of datagrams whose sender gives none (RFC 1122 §3.2.1.7). @default 64 */
  readonly timeToLive?: number;
  readonly reassembly?: Partial<ReassemblyLimits>;
}

export class Ipv4 {
  readonly counters: Ipv4Counters = createIpv4Counters();
  readonly drops: Ipv4Drops;
  readonly reassembler: Reassembler;
  readonly forwarding: Forwarding;
  timeToLive: number;
  private readonly host: Host;
  private readonly addresses: LocalAddresses;
  private readonly destinations: DestinationCache;
  private readonly handlers: readonly (IpProtocolHandler | undefined)[];
  private readonly icmp: Icmp;
  private lastArrival: Arrival | undefined;

  constructor(
    host: Host,
    addresses: LocalAddresses,
    destinations: DestinationCache,
    handlers: readonly (IpProtocolHandler | undefined)[],
    icmp: Icmp,
    options: Ipv4Options = {},
  ) {
    this.host = host;
    this.addresses = addresses;
    this.destinations = destinations;
    this.handlers = handlers;
    this.icmp = icmp;
    this.timeToLive = options.timeToLive ?? DEFAULT_TIME_TO_LIVE;
    this.drops = createIpv4Drops(host, this.counters);
    this.forwarding = new Forwarding(this.counters, this.drops, destinations, icmp);
    this.reassembler = new Reassembler(host, this.counters, this.drops, options.reassembly ?? {}, (fragment, header, cast) =>
      icmp.sendError(fragment, header, cast, { type: ICMP_TIME_EXCEEDED, code: TIME_EXCEEDED_IN_REASSEMBLY, rest: 0 }),
    );
  }

  /** A datagram from an interface, in the order of RFC 1812 §5.2.1: header, addresses, options, then ours or not. */
  receive(datagram: PacketBuffer, from: NetworkInterface, cast: LinkCast): void {
    this.counters.InReceives += 1;
    const header = readIpv4Header(datagram);
    if (typeof header === "string") {
      this.drops.count(header, datagram);
      return;
    }
    const own = this.addresses.castOf(header.destination, from);
    const refusal = this.refusal(header, from, cast, own);
    if (refusal !== undefined) {
      this.drops.count(refusal, datagram);
      return;
    }
    if (header.headerLength > IPV4_HEADER_LENGTH && !this.acceptsOptions(datagram, header, cast, own !== undefined)) return;
    if (own === undefined) {
      this.forwarding.forward(datagram, header, cast);
      return;
    }
    if (own === "broadcast" && this.forwarding.directedBroadcasts) this.passDirectedBroadcast(datagram, header, from, cast);
    this.deliver(datagram, header, from, broader(cast, own));
  }

  /** RFC 1812 §5.3.5.2: a broadcast to another network of ours is delivered and forwarded, but not if it came as a link broadcast (§5.3.4). */
  private passDirectedBroadcast(datagram: PacketBuffer, header: Ipv4Header, from: NetworkInterface, cast: LinkCast): void {
    const network = this.addresses.broadcastInterface(header.destination);
    if (!this.forwarding.enabled || cast !== "unicast" || network === undefined || network === from) return;
    const { start } = datagram;
    this.forwarding.forward(datagram, header, cast);
    datagram.start = start;
  }

  /** Why a datagram is dropped in silence for its addresses; undefined when it is not. */
  private refusal(header: Ipv4Header, from: NetworkInterface, cast: LinkCast, own: LinkCast | undefined): Ipv4DropReason | undefined {
    const { source, destination } = header;
    if (from !== this.addresses.loopback) {
      // RFC 1122 §3.2.1.3 (g): 127/8 never appears outside a host; nor do our own addresses as somebody else's source.
      if (isLoopback(source) || this.addresses.isLocal(source)) return "martian-source";
      if (isLoopback(destination)) return "martian-destination";
    }
    if (this.isImpossibleSource(source, destination)) return "martian-source";
    // RFC 1122 §3.3.6: what the link broadcasts must be addressed to many in its IP header too.
    if (cast !== "unicast" && own !== "broadcast" && !isMulticast(destination)) return "unicast-in-link-broadcast";
    if (own !== undefined) return undefined;
    if (isMulticast(destination)) return "not-a-group-of-ours";
    // RFC 1122 §3.2.1.3: a host drops what is not for it without a word, and without a look at its options.
    return this.forwarding.enabled ? undefined : "not-for-us";
  }

  private isImpossibleSource(source: Ipv4Address, destination: Ipv4Address): boolean {
    // RFC 1122 §3.2.1.3 (a): who does not know his address yet (DHCP) calls all neighbours; nobody answers him directly.
    if (source === IPV4_ANY) return destination !== IPV4_BROADCAST && !isMulticast(destination);
    return source >>> 24 === 0 || isMulticast(source) || isReservedIpv4(source) || this.addresses.isBroadcast(source);
  }

  /** Checks the options; false when the datagram has been dropped for them. */
  private acceptsOptions(datagram: PacketBuffer, header: Ipv4Header, cast: LinkCast, isOurs: boolean): boolean {
    const length = header.headerLength - IPV4_HEADER_LENGTH;
    const bytes = datagram.bytes.subarray(datagram.start - length, datagram.start);
    const options = readIpv4Options(bytes);
    if (typeof options === "number") {
      // RFC 1122 §3.2.2.5: the pointer names the octet in the header.
      this.refuse("bad-option", datagram, header, cast, ICMP_PARAMETER_PROBLEM, 0, ((IPV4_HEADER_LENGTH + options) << 24) >>> 0);
      return false;
    }
    const route = options.find(isSourceRoute);
    if (route === undefined) return true;
    // RFC 1122 §3.3.5: this stack does not pass source-routed datagrams on. For a datagram that is not addressed to us a loose
    // route is the business of its next named hop, but a strict one has gone astray.
    const isOurTurn = isOurs ? !isFinished(bytes, route) : route.type === OPTION_STRICT_SOURCE_ROUTE;
    if (!isOurTurn) return true;
    this.refuse("source-route-refused", datagram, header, cast, ICMP_DESTINATION_UNREACHABLE, UNREACHABLE_SOURCE_ROUTE_FAILED);
    return false;
  }

  private deliver(datagram: PacketBuffer, header: Ipv4Header, from: NetworkInterface, cast: LinkCast): void {
    if (!header.moreFragments && header.fragmentOffset === 0) {
      this.demultiplex(datagram, header, from, cast);
      return;
    }
    const whole = this.reassembler.add(datagram, header, cast);
    if (whole === undefined) return;
    const wholeHeader = readUncheckedIpv4Header(whole);
    if (typeof wholeHeader === "string") {
      this.drops.count(wholeHeader, whole);
      return;
    }
    whole.consume(wholeHeader.headerLength);
    this.demultiplex(whole, wholeHeader, from, cast);
  }

  private demultiplex(datagram: PacketBuffer, header: Ipv4Header, from: NetworkInterface, cast: LinkCast): void {
    const handler = this.handlers[header.protocol];
    if (handler === undefined) {
      this.refuse("unknown-protocol", datagram, header, cast, ICMP_DESTINATION_UNREACHABLE, UNREACHABLE_PROTOCOL);
      return;
    }
    this.counters.InDelivers += 1;
    const { start, end } = datagram;
    if (handler.receive(datagram, header, this.arrival(from, cast)) !== "port-unreachable") return;
    // The handler may have narrowed the window; the error quotes the datagram as it came.
    datagram.start = start - header.headerLength;
    datagram.end = end;
    this.icmp.sendError(datagram, header, cast, { type: ICMP_DESTINATION_UNREACHABLE, code: UNREACHABLE_PORT, rest: 0 });
  }

  /** Drops a datagram and says so to its sender, if the rules let that. */
  private refuse(
    reason: Ipv4DropReason,
    datagram: PacketBuffer,
    header: Ipv4Header,
    cast: LinkCast,
    type: number,
    code: number,
    rest = 0,
  ): void {
    this.drops.count(reason, datagram);
    datagram.rewind(header.headerLength);
    this.icmp.sendError(datagram, header, cast, { type, code, rest });
  }

  private arrival(from: NetworkInterface, cast: LinkCast): Arrival {
    const last = this.lastArrival;
    if (last !== undefined && last.interface === from && last.cast === cast) return last;
    return (this.lastArrival = { interface: from, cast });
  }

  send(packet: PacketBuffer, options: IpSendOptions): IpSendResult {
    this.counters.OutRequests += 1;
    const destination =
      options.interface === undefined
        ? this.destinations.lookup(options.destination)
        : this.destinations.lookupThrough(options.destination, options.interface);
    if (destination === undefined) return this.fail("no-route-to-send", "network-unreachable", packet);
    if (options.source !== destination.checkedSource) {
      if (!this.maySpeakAs(options.source as Ipv4Address, destination)) return this.fail("foreign-source", "address-not-available", packet);
      destination.checkedSource = options.source;
    }
    if (options.timeToLive === 0 || options.options !== undefined) refuseMisuse(options);
    const link = destination.interface;
    if (packet.checksum === "partial" && !link.offload.checksum) finishChecksum(packet, options.protocol);
    const length = packet.length + IPV4_HEADER_LENGTH + (options.options?.length ?? 0);
    // A super-segment is cut by the device, so it is the device that says how long it may be.
    const largest = packet.segmentSize > 0 ? link.offload.segmentation : destination.mtu(this.host.clock);
    if (length > largest) return this.sendInFragments(packet, length, largest, options, destination);
    link.send(this.addressed(packet, options, destination), destination.nextHop);
    return "sent";
  }

  private sendInFragments(
    packet: PacketBuffer,
    length: number,
    mtu: number,
    options: IpSendOptions,
    destination: Destination,
  ): IpSendResult {
    const isPossible = options.dontFragment !== true && packet.segmentSize === 0 && length <= IPV4_MAX_LENGTH;
    const headerLength = length - packet.length;
    if (!isPossible || mtu < headerLength + 8) return this.fail("message-too-long", "message-too-long", packet);
    if (packet.checksum === "partial") finishChecksum(packet, options.protocol);
    const datagram = this.addressed(packet, options, destination);
    const fragments = fragmentIpv4(datagram, mtu, destination.interface.headroom);
    this.counters.FragOKs += 1;
    this.counters.FragCreates += fragments.length;
    for (const fragment of fragments) destination.interface.send(fragment, destination.nextHop);
    return "sent";
  }

  /** The packet with its IP header. */
  private addressed(packet: PacketBuffer, options: IpSendOptions, destination: Destination): PacketBuffer {
    const needed = IPV4_HEADER_LENGTH + (options.options?.length ?? 0) + destination.interface.headroom;
    // Whoever used `headroom` has left enough; a packet from before an interface was added may have not.
    const roomy = packet.headroom >= needed ? packet : packet.copy(needed);
    const dontFragment = options.dontFragment === true;
    prependIpv4(roomy, {
      source: options.source as Ipv4Address,
      destination: options.destination as Ipv4Address,
      protocol: options.protocol,
      timeToLive: options.timeToLive ?? (isMulticast(options.destination) ? MULTICAST_TIME_TO_LIVE : this.timeToLive),
      trafficClass: options.trafficClass ?? 0,
      // RFC 6864 §4.1: an atomic datagram's identification means nothing.
      identification: dontFragment ? 0 : destination.nextIdentification(),
      dontFragment,
      moreFragments: false,
      fragmentOffset: 0,
      options: options.options,
    });
    return roomy;
  }

  /** RFC 1122 §3.2.1.3: only as one of our own addresses; as 0.0.0.0 only where nobody knows us yet; as 127/8 only to ourselves. */
  private maySpeakAs(source: Ipv4Address, destination: Destination): boolean {
    if (source === IPV4_ANY) return destination.address === IPV4_BROADCAST || isMulticast(destination.address);
    return this.addresses.isLocal(source) && (!isLoopback(source) || destination.interface === this.addresses.loopback);
  }

  private fail(reason: Ipv4DropReason, result: IpSendResult, packet: PacketBuffer): IpSendResult {
    this.drops.count(reason, packet);
    return result;
  }

  /** The link gives a datagram back whose next hop does not answer: its sender hears of it, here or far away (RFC 1122 §3.2.2.1). */
  unresolved(datagram: PacketBuffer, nextHop: IpAddress): void {
    const header = readUncheckedIpv4Header(datagram);
    if (typeof header === "string") {
      this.drops.count(header, datagram);
      return;
    }
    this.drops.count("no-neighbour", datagram);
    if (header.destination !== nextHop) this.destinations.suspect(nextHop);
    if (!this.addresses.isLocal(header.source)) {
      this.icmp.sendError(datagram, header, "unicast", { type: ICMP_DESTINATION_UNREACHABLE, code: UNREACHABLE_HOST, rest: 0 });
      return;
    }
    const handler = this.handlers[header.protocol];
    if (handler === undefined || header.fragmentOffset !== 0 || datagram.length < header.headerLength + 8) return;
    datagram.consume(header.headerLength);
    handler.receiveError({ kind: "host-unreachable", from: header.source, mtu: 0 }, datagram, header);
  }
}

/** @throws RangeError for what no header can say, or must not (RFC 1122 §3.2.1.7: a TTL of 0) */
function refuseMisuse({ timeToLive, options }: IpSendOptions): void {
  if (timeToLive === 0) throw new RangeError("a datagram with TTL 0 must not be sent");
  const length = options?.length ?? 0;
  if (length % 4 !== 0 || length > IPV4_MAX_HEADER_LENGTH - IPV4_HEADER_LENGTH) throw new RangeError(`${length} octets of IPv4 options`);
}

function broader(a: LinkCast, b: LinkCast): LinkCast {
  return a === "broadcast" || b === "broadcast" ? "broadcast" : a === "multicast" ? a : b;
}
