// What IPv4 sends for the transports of this host (RFC 791 §3.2, RFC 1122 §3.2.1, §3.3.1).
import { type Host, IPV4_ANY, IPV4_BROADCAST, type Ipv4Address, isLoopback, isMulticast, type PacketBuffer } from "@netstrata/core";
import type { Destination } from "./destination.ts";
import type { DestinationCache } from "./destination-cache.ts";
import { ipv4Fragmenter } from "./fragmentation.ts";
import type { Gateway, Refusal } from "./gateway/gateway.ts";
import type { IpSendOptions, IpSendResult } from "./ip-service.ts";
import type { Ipv4Counters, Ipv4DropReason, Ipv4Drops } from "./ipv4-counters.ts";
import { IPV4_HEADER_LENGTH, IPV4_MAX_HEADER_LENGTH, IPV4_MAX_LENGTH, prependIpv4 } from "./ipv4-header.ts";
import { readIpv4Options } from "./ipv4-options.ts";
import { type Fragmenter, sendToLink } from "./link-output.ts";
import type { LocalAddresses } from "./local-addresses.ts";

/** RFC 1112 §6.1: what is multicast stays on its link unless the sender says otherwise. */
const MULTICAST_TIME_TO_LIVE = 1;
const NO_OPTIONS = new Uint8Array(0);

export class Ipv4Output {
  private readonly host: Host;
  private readonly addresses: LocalAddresses;
  private readonly destinations: DestinationCache;
  private readonly counters: Ipv4Counters;
  private readonly drops: Ipv4Drops;
  private readonly timeToLive: number;
  private readonly fragment: Fragmenter;
  private readonly gateway: Gateway | undefined;
  private readonly refuse: (refusal: Refusal, datagram: PacketBuffer) => void;

  /** @param timeToLive of datagrams whose sender gives none */
  constructor(
    host: Host,
    addresses: LocalAddresses,
    destinations: DestinationCache,
    counters: Ipv4Counters,
    drops: Ipv4Drops,
    timeToLive: number,
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
    this.timeToLive = timeToLive;
    this.fragment = ipv4Fragmenter(counters);
  }

  /** @param packet its window is the transport message */
  send(packet: PacketBuffer, options: IpSendOptions): IpSendResult {
    this.counters.OutRequests += 1;
    const destination = this.destinationOf(options);
    if (destination === undefined) return this.fail("no-route-to-send", "network-unreachable", packet);
    // A connection's source is looked at once, not with every segment.
    if (options.source !== destination.checkedSource && options.transparent !== true) {
      if (!this.maySpeakAs(options.source as Ipv4Address, destination)) return this.fail("foreign-source", "address-not-available", packet);
      destination.checkedSource = options.source;
    }
    if (options.timeToLive !== undefined || options.options !== undefined) refuseMisuse(options);
    const headerLength = IPV4_HEADER_LENGTH + (options.options?.length ?? 0);
    if (packet.length + headerLength > IPV4_MAX_LENGTH) return this.fail("message-too-long", "message-too-long", packet);
    const datagram = this.addressed(packet, headerLength, options, destination);
    if (this.gateway !== undefined && !this.letOut(this.gateway, datagram, headerLength, options, destination)) return "sent";
    const isSent = sendToLink(datagram, destination, destination.mtu(this.host.clock), this.fragment);
    return isSent ? "sent" : this.fail("message-too-long", "message-too-long", datagram);
  }

  /** What a filter drops is lost on its way, for all its sender knows; and told by ICMP where the rule says so. */
  private letOut(gateway: Gateway, datagram: PacketBuffer, headerLength: number, options: IpSendOptions, next: Destination): boolean {
    const { source, destination, protocol } = options;
    const refusal = gateway.output(datagram, { version: 4, source, destination, protocol, headerLength }, next);
    if (refusal !== undefined) this.refuse(refusal, datagram);
    return refusal === undefined;
  }

  private destinationOf(options: IpSendOptions): Destination | undefined {
    if (options.interface === undefined) return this.destinations.lookup(options.destination);
    return this.destinations.lookupThrough(options.destination, options.interface);
  }

  /** RFC 1122 §3.2.1.3: only as one of our own addresses; as 0.0.0.0 only where nobody knows us yet; as 127/8 only to ourselves. */
  private maySpeakAs(source: Ipv4Address, destination: Destination): boolean {
    if (source === IPV4_ANY) return destination.address === IPV4_BROADCAST || isMulticast(destination.address);
    return this.addresses.isLocal(source) && (!isLoopback(source) || destination.interface === this.addresses.loopback);
  }

  /** The packet with its IP header. */
  private addressed(packet: PacketBuffer, headerLength: number, options: IpSendOptions, destination: Destination): PacketBuffer {
    const needed = headerLength + destination.interface.headroom;
    // Whoever used `headroom` has left enough; a packet from before an interface was added may have not.
    const datagram = packet.headroom >= needed ? packet : packet.copy(needed);
    const dontFragment = options.dontFragment === true;
    prependIpv4(datagram, {
      source: options.source as Ipv4Address,
      destination: options.destination as Ipv4Address,
      protocol: options.protocol,
      timeToLive: options.timeToLive ?? (isMulticast(options.destination) ? MULTICAST_TIME_TO_LIVE : this.timeToLive),
      trafficClass: options.trafficClass ?? 0,
      // RFC 6864 §4.1: the identification of an atomic datagram means nothing.
      identification: dontFragment ? 0 : destination.nextIdentification(),
      dontFragment,
      moreFragments: false,
      fragmentOffset: 0,
      options: options.options,
    });
    return datagram;
  }

  private fail(reason: Ipv4DropReason, result: IpSendResult, packet: PacketBuffer): IpSendResult {
    this.drops.count(reason, packet);
    return result;
  }
}

/** @throws RangeError for what no header can say, or must not (RFC 1122 §3.2.1.7: a TTL of 0) */
function refuseMisuse({ timeToLive = 1, options = NO_OPTIONS }: IpSendOptions): void {
  // One of 256 would be written as 0.
  if (!(timeToLive >= 1 && timeToLive <= 255)) throw new RangeError(`TTL ${timeToLive}: not 1 to 255`);
  const { length } = options;
  if (length % 4 !== 0 || length > IPV4_MAX_HEADER_LENGTH - IPV4_HEADER_LENGTH) throw new RangeError(`${length} octets of IPv4 options`);
  const fault = readIpv4Options(options);
  if (typeof fault === "number") throw new RangeError(`IPv4 options with a fault at octet ${fault}`);
}
