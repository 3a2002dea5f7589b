// What IPv6 sends for the transports of this host (RFC 8200 §3, §4.5, §5).
import { type Host, IPV6_ANY, type Ipv6Address, isIpv6, isLoopback, isMulticast, type PacketBuffer } from "@netstrata/core";
import type { Destination } from "./destination.ts";
import type { DestinationCache } from "./destination-cache.ts";
import { flowLabelOf } from "./flow-label.ts";
import type { Gateway, Refusal } from "./gateway/gateway.ts";
import { PROTOCOL_IPV6_HOP_BY_HOP } from "./ip-protocol.ts";
import type { IpSendOptions, IpSendResult } from "./ip-service.ts";
import type { Ipv6Counters, Ipv6DropReason, Ipv6Drops } from "./ipv6-counters.ts";
import { fragmentIpv6 } from "./ipv6-fragmentation.ts";
import { IPV6_HEADER_LENGTH, IPV6_MAX_PAYLOAD, prependIpv6 } from "./ipv6-header.ts";
import { type Fragmenter, NEVER_FRAGMENT, sendToLink } from "./link-output.ts";
import type { LocalAddresses } from "./local-addresses.ts";

/** RFC 3493 §5.2: what is multicast stays on its link unless the sender says otherwise. */
const MULTICAST_HOP_LIMIT = 1;

export class Ipv6Output {
  private readonly host: Host;
  private readonly addresses: LocalAddresses;
  private readonly destinations: DestinationCache;
  private readonly counters: Ipv6Counters;
  private readonly drops: Ipv6Drops;
  private readonly hopLimit: number;
  private readonly fragment: Fragmenter;
  private readonly gateway: Gateway | undefined;
  private readonly refuse: (refusal: Refusal, datagram: PacketBuffer) => void;

  /** @param hopLimit of datagrams whose sender gives none */
  constructor(
    host: Host,
    addresses: LocalAddresses,
    destinations: DestinationCache,
    counters: Ipv6Counters,
    drops: Ipv6Drops,
    hopLimit: number,
    gateway: Gateway | undefined,
    refuse: (refusal: Refusal, datagram: PacketBuffer) => void,
  ) {
    this.gateway = gateway;
    this.refuse = refuse;
    this.host = host;
    this.addresses = addresses;
    this.destinations = destinations;
    this.counters = counters;
    this.drops = drops;
    this.hopLimit = hopLimit;
    this.fragment = (datagram, mtu, next) => {
      const pieces = fragmentIpv6(datagram, mtu, next.interface.headroom, next.nextFragmentIdentification());
      if (pieces === undefined) return undefined;
      counters.FragOKs += 1;
      counters.FragCreates += pieces.length;
      return pieces;
    };
  }

  /** @param packet its window is the transport message */
  send(packet: PacketBuffer, options: IpSendOptions): IpSendResult {
    this.counters.OutRequests += 1;
    const destination = this.destinationOf(options);
    if (destination === undefined) return this.fail("no-route-to-send", "network-unreachable", packet);
    // A connection's source is looked at once, not with every segment.
    if (options.source !== destination.checkedSource && options.transparent !== true) {
      if (!this.maySpeakAs(options.source as Ipv6Address, destination)) return this.fail("foreign-source", "address-not-available", packet);
      destination.checkedSource = options.source;
    }
    if (options.timeToLive !== undefined || options.options !== undefined) refuseMisuse(options);
    const extension = options.options === undefined ? 0 : 2 + options.options.length;
    if (packet.length + extension > IPV6_MAX_PAYLOAD) return this.fail("message-too-long", "message-too-long", packet);
    const datagram = this.addressed(packet, extension, options, destination);
    if (this.gateway !== undefined && !this.letOut(this.gateway, datagram, IPV6_HEADER_LENGTH + extension, options, destination))
      return "sent";
    const fragment = options.dontFragment === true ? NEVER_FRAGMENT : this.fragment;
    const isSent = sendToLink(datagram, destination, destination.mtu(this.host.clock), fragment);
    return isSent ? "sent" : this.fail("message-too-long", "message-too-long", datagram);
  }

  /** As in `Ipv4Output`. */
  private letOut(gateway: Gateway, datagram: PacketBuffer, headerLength: number, options: IpSendOptions, next: Destination): boolean {
    const { source, destination, protocol } = options;
    const refusal = gateway.output(datagram, { version: 6, source, destination, protocol, headerLength }, next);
    if (refusal !== undefined) this.refuse(refusal, datagram);
    return refusal === undefined;
  }

  private destinationOf(options: IpSendOptions): Destination | undefined {
    if (options.interface === undefined) return this.destinations.lookup(options.destination);
    return this.destinations.lookupThrough(options.destination, options.interface);
  }

  /** Only as one of our own addresses; as "::" only to a group, where nobody knows us yet (RFC 4291 §2.5.2); as ::1 only to ourselves. */
  private maySpeakAs(source: Ipv6Address, destination: Destination): boolean {
    if (!isIpv6(source)) return false;
    if (source === IPV6_ANY) return isMulticast(destination.address);
    return this.addresses.isLocal(source) && (!isLoopback(source) || destination.interface === this.addresses.loopback);
  }

  /** The packet with its IP header, and a hop-by-hop header when there are options. */
  private addressed(packet: PacketBuffer, extension: number, options: IpSendOptions, destination: Destination): PacketBuffer {
    const needed = IPV6_HEADER_LENGTH + extension + destination.interface.headroom;
    // Whoever used `headroom` has left enough; a packet from before an interface was added may have not.
    const datagram = packet.headroom >= needed ? packet : packet.copy(needed);
    const { source, protocol, timeToLive, trafficClass = 0 } = options;
    const flowLabel = flowLabelOf(destination.flowSecret, source, protocol, datagram);
    if (options.options !== undefined) prependHopByHop(datagram, protocol, options.options);
    prependIpv6(datagram, {
      source: source as Ipv6Address,
      destination: options.destination as Ipv6Address,
      protocol: extension > 0 ? PROTOCOL_IPV6_HOP_BY_HOP : protocol,
      timeToLive: timeToLive ?? (isMulticast(options.destination) ? MULTICAST_HOP_LIMIT : this.hopLimit),
      trafficClass,
      flowLabel,
    });
    return datagram;
  }

  private fail(reason: Ipv6DropReason, result: IpSendResult, packet: PacketBuffer): IpSendResult {
    this.drops.count(reason, packet);
    return result;
  }
}

/** RFC 8200 §4.3. */
function prependHopByHop(packet: PacketBuffer, nextHeader: number, options: Uint8Array): void {
  packet.prepend(2 + options.length);
  packet.setU8(0, nextHeader);
  packet.setU8(1, (2 + options.length) / 8 - 1);
  packet.set(options, 2);
}

/** @throws RangeError for what no header can say, or must not */
function refuseMisuse({ timeToLive = 1, options }: IpSendOptions): void {
  if (!(timeToLive >= 1 && timeToLive <= 255)) throw new RangeError(`hop limit ${timeToLive}: not 1 to 255`);
  if (options !== undefined && (options.length > 2046 || (2 + options.length) % 8 !== 0)) {
    throw new RangeError(`${options.length} octets of hop-by-hop options`);
  }
}
