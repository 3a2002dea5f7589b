// The internet layer of one host (RFC 1122 §3): interfaces below, transports above, one module for each IP version between.
import {
  type Host,
  type IpAddress,
  type IpPrefix,
  isIpv4,
  isIpv6,
  isMulticast,
  type PacketBuffer,
  randomSipKey,
  type SipKey,
} from "@netstrata/core";
import type { DatagramReceiver, LinkCast, NetworkInterface } from "@netstrata/link";
import { DestinationCache } from "./destination-cache.ts";
import { EchoClients } from "./echo.ts";
import { Gateway, type GatewayOptions } from "./gateway/gateway.ts";
import { Icmp } from "./icmp.ts";
import type { IcmpRateLimits } from "./icmp-rate-limiter.ts";
import { Icmpv6 } from "./icmpv6.ts";
import { baseHeaderLength } from "./ip-header.ts";
import type { IpProtocolHandler, IpSendOptions, IpSendResult, IpService } from "./ip-service.ts";
import { Ipv4, type Ipv4Options } from "./ipv4.ts";
import { IPV4_MAX_HEADER_LENGTH, IPV4_MAX_LENGTH, IPV4_MINIMUM_REASSEMBLY } from "./ipv4-header.ts";
import { Ipv6, type Ipv6Options } from "./ipv6.ts";
import { IPV6_MAX_PAYLOAD, IPV6_MINIMUM_MTU } from "./ipv6-header.ts";
import { LocalAddresses } from "./local-addresses.ts";
import { listenForDiscovery } from "./neighbour-discovery/discovery-listener.ts";
import {
  type DiscoveryOwner,
  type Ipv6InterfaceOptions,
  isDiscoveryLink,
  NeighbourDiscovery,
} from "./neighbour-discovery/neighbour-discovery.ts";
import type { RoutingTable } from "./routing-table.ts";

/** What stands here is for both families; TTL and hop limit are one and the same. */
export interface InternetOptions extends Ipv4Options, Ipv6Options, GatewayOptions {
  /** Pass on datagrams that are for others: be a router (RFC 1122 §3.1). @default false */
  readonly forwarding?: boolean;
  /** As a router, pass on broadcasts directed to a network of ours (RFC 2644: off unless asked for). @default false */
  readonly directedBroadcasts?: boolean;
  /** As a router, tell hosts of one that is nearer to where they send (RFC 1812 §5.2.7.2). IPv4 only. @default true */
  readonly redirects?: boolean;
  /** Makes the identifiers of IPv6 addresses (RFC 7217 §5): the same secret, the same addresses after a restart. @default a random one */
  readonly addressSecret?: SipKey;
  /** For each of ICMP and ICMPv6. */
  readonly icmp?: Partial<IcmpRateLimits>;
  /** Destinations whose route and path MTU are remembered. @default 4096 */
  readonly destinations?: number;
}

export interface InterfaceRole {
  /** What is sent to an address of this host goes through this interface and comes back by it. One interface at most. */
  readonly loopback?: boolean;
}

export class InternetLayer implements IpService, DatagramReceiver {
  readonly ipv4: Ipv4;
  readonly icmp: Icmp;
  readonly ipv6: Ipv6;
  readonly icmpv6: Icmpv6;
  /** Our own echo requests, of both families: ping, traceroute. */
  readonly echo: EchoClients;
  /** Filter, address translation and connection tracking, when an option has asked for one of them. */
  readonly gateway: Gateway | undefined;
  /** The destination cache; for its size and its evictions. */
  readonly destinations: DestinationCache;
  private readonly host: Host;
  private readonly local = new LocalAddresses();
  /** By protocol number, the same transports for both families; but each family has an ICMP of its own. */
  private readonly ipv4Handlers: (IpProtocolHandler | undefined)[] = new Array(256).fill(undefined);
  private readonly ipv6Handlers: (IpProtocolHandler | undefined)[] = new Array(256).fill(undefined);
  private readonly discoveries = new Map<NetworkInterface, NeighbourDiscovery>();
  private addressSecret: SipKey | undefined;
  private largestHeadroom = 0;

  constructor(host: Host, options: InternetOptions = {}) {
    this.host = host;
    this.destinations = new DestinationCache(host, this.local, options.destinations);
    this.echo = new EchoClients(host, this);
    if (needsGateway(options)) this.gateway = new Gateway(host, this.routes, (address) => this.isLocal(address), options);
    this.icmp = new Icmp(host, this, this.local, this.ipv4Handlers, this.echo, options.icmp);
    this.ipv4 = new Ipv4(host, this.local, this.destinations, this.ipv4Handlers, this.icmp, this, this.gateway, options);
    this.icmpv6 = new Icmpv6(host, this, this.local, this.ipv6Handlers, this.echo, options.icmp);
    this.ipv6 = new Ipv6(host, this.local, this.destinations, this.ipv6Handlers, this.icmpv6, this, this.gateway, options);
    this.forwarding = options.forwarding ?? false;
    this.ipv4.forwarding.directedBroadcasts = options.directedBroadcasts ?? false;
    this.ipv4.forwarding.redirects = options.redirects ?? true;
    this.addressSecret = options.addressSecret;
    this.ipv4Handlers[this.icmp.protocol] = this.icmp;
    this.ipv6Handlers[this.icmpv6.protocol] = this.icmpv6;
    listenForDiscovery(this.icmpv6, (networkInterface) => this.discoveries.get(networkInterface));
  }

  get routes(): RoutingTable {
    return this.destinations.routes;
  }

  get interfaces(): readonly NetworkInterface[] {
    return this.local.interfaces;
  }

  /** Whether this host is a router, of both families. */
  get forwarding(): boolean {
    return this.ipv4.forwarding.enabled;
  }

  set forwarding(enabled: boolean) {
    this.ipv4.forwarding.enabled = enabled;
    this.ipv6.forwarding.enabled = enabled;
  }

  // Interfaces and addresses

  /** Takes an interface into use, with the addresses that it has. */
  addInterface(networkInterface: NetworkInterface, role: InterfaceRole = {}): void {
    if (this.interfaces.includes(networkInterface)) throw new RangeError(`interface ${networkInterface.name} is in use already`);
    if (role.loopback === true) {
      if (this.local.loopback !== undefined) throw new RangeError("there is a loopback interface already");
      this.local.loopback = networkInterface;
    }
    this.local.interfaces = [...this.interfaces, networkInterface];
    this.largestHeadroom = Math.max(this.largestHeadroom, networkInterface.headroom);
    networkInterface.attach(this);
    this.refresh(networkInterface);
    const ipv6 = networkInterface.addresses.map(({ address }) => address).filter(isIpv6);
    if (ipv6.length > 0) for (const address of ipv6) this.enableIpv6(networkInterface)?.verify(address);
  }

  /**
   * Lets an interface speak IPv6: it gets a link-local address, and finds its neighbours, and routers when asked to. Giving it an
   * address does this too. On an interface without link addresses (TUN, PPP) there is nothing to discover.
   * @throws RangeError when options are given to an interface that speaks it already
   */
  enableIpv6(networkInterface: NetworkInterface, options?: Ipv6InterfaceOptions): NeighbourDiscovery | undefined {
    const known = this.discoveries.get(networkInterface);
    if (known !== undefined && options !== undefined) throw new RangeError(`interface ${networkInterface.name} speaks IPv6 already`);
    if (known !== undefined || !isDiscoveryLink(networkInterface)) return known;
    this.addressSecret ??= randomSipKey(this.host.random);
    const discovery = new NeighbourDiscovery(this.host, networkInterface, this.icmpv6, this.discoveryOwner(), this.addressSecret, options);
    this.discoveries.set(networkInterface, discovery);
    discovery.start();
    discovery.addressesChanged();
    return discovery;
  }

  /** What is known of an interface's neighbours and routers; undefined where there is nothing to discover. */
  discovery(networkInterface: NetworkInterface): NeighbourDiscovery | undefined {
    return this.discoveries.get(networkInterface);
  }

  /** Lets go of an interface, with its addresses, routes and groups. It is not closed. */
  removeInterface(networkInterface: NetworkInterface): void {
    this.local.interfaces = this.interfaces.filter((other) => other !== networkInterface);
    if (this.local.loopback === networkInterface) this.local.loopback = undefined;
    this.discoveries.get(networkInterface)?.close();
    this.discoveries.delete(networkInterface);
    this.local.forgetGroups(networkInterface);
    networkInterface.attach(DETACHED);
    this.routes.remove((route) => route.interface === networkInterface);
    this.local.refresh();
    this.gateway?.addressesChanged(this.interfaces);
    this.destinations.invalidate();
  }

  /** Gives an interface an address, and with it a route to the network it is in. */
  addAddress(networkInterface: NetworkInterface, address: IpPrefix): void {
    networkInterface.addAddress(address);
    this.refresh(networkInterface);
    if (isIpv6(address.address)) this.enableIpv6(networkInterface)?.verify(address.address);
  }

  removeAddress(networkInterface: NetworkInterface, address: IpAddress): void {
    networkInterface.removeAddress(address);
    this.refresh(networkInterface);
  }

  /** Receives what is sent to a multicast group on one link (RFC 1112 §7.1). IPv6 groups are reported (RFC 3810); there is no IGMP yet. */
  joinGroup(group: IpAddress, networkInterface: NetworkInterface): void {
    this.local.join(group, networkInterface);
    if (isIpv6(group)) this.discoveries.get(networkInterface)?.joined(group);
  }

  leaveGroup(group: IpAddress, networkInterface: NetworkInterface): void {
    this.local.leave(group, networkInterface);
    if (isIpv6(group)) this.discoveries.get(networkInterface)?.left(group);
  }

  /** Every address of an interface makes the network around it reachable directly (RFC 1122 §3.3.1.1). */
  private refresh(networkInterface: NetworkInterface): void {
    this.local.refresh();
    this.gateway?.addressesChanged(this.interfaces);
    this.routes.remove((route) => route.origin === "connected" && route.interface === networkInterface);
    for (const prefix of networkInterface.addresses) {
      // IPv6 chooses among all addresses of the interface (RFC 6724 §5), whichever of them the route comes from.
      const source = isIpv4(prefix.address) ? prefix.address : undefined;
      this.routes.add({ prefix, interface: networkInterface, source, origin: "connected" });
    }
    this.discoveries.get(networkInterface)?.addressesChanged();
    this.destinations.invalidate();
  }

  private discoveryOwner(): DiscoveryOwner {
    const headroom = (): number => this.headroom;
    const isRouter = (): boolean => this.forwarding;
    return {
      addresses: this.local,
      routes: this.routes,
      assign: (address, on) => {
        on.addAddress(address);
        this.refresh(on);
      },
      unassign: (address, on) => {
        if (on.addresses.some((own) => own.address === address)) this.removeAddress(on, address);
      },
      changed: () => this.destinations.invalidate(),
      get headroom() {
        return headroom();
      },
      get isRouter() {
        return isRouter();
      },
    };
  }

  // From the link (RFC 1122 §2.4)

  receive(datagram: PacketBuffer, from: NetworkInterface, cast: LinkCast): void {
    if (isVersion6(datagram)) this.ipv6.receive(datagram, from, cast);
    else this.ipv4.receive(datagram, from, cast);
  }

  unresolved(datagram: PacketBuffer, _via: NetworkInterface, nextHop: IpAddress): void {
    if (isVersion6(datagram)) this.ipv6.unresolved(datagram, nextHop);
    else this.ipv4.unresolved(datagram, nextHop);
  }

  // From the transport (RFC 1122 §3.4)

  get headroom(): number {
    return this.largestHeadroom + IPV4_MAX_HEADER_LENGTH;
  }

  send(packet: PacketBuffer, options: IpSendOptions): IpSendResult {
    return isIpv4(options.destination) ? this.ipv4.send(packet, options) : this.ipv6.send(packet, options);
  }

  sourceFor(destination: IpAddress): IpAddress | undefined {
    return this.destinations.lookup(destination)?.source;
  }

  maxSendSize(destination: IpAddress): number {
    const least = isIpv4(destination) ? IPV4_MINIMUM_REASSEMBLY : IPV6_MINIMUM_MTU;
    const mtu = this.destinations.lookup(destination)?.mtu(this.host.clock) ?? least;
    return mtu - baseHeaderLength(destination);
  }

  linkSendSize(destination: IpAddress): number {
    const least = isIpv4(destination) ? IPV4_MINIMUM_REASSEMBLY : IPV6_MINIMUM_MTU;
    return (this.destinations.lookup(destination)?.interface.mtu ?? least) - baseHeaderLength(destination);
  }

  maxReceiveSize(destination: IpAddress): number {
    // IPv4 counts its header, IPv6 does not.
    return isIpv4(destination) ? IPV4_MAX_LENGTH - baseHeaderLength(destination) : IPV6_MAX_PAYLOAD;
  }

  maxSuperSegment(destination: IpAddress): number {
    const segmentation = this.destinations.lookup(destination)?.interface.offload.segmentation ?? 0;
    return Math.max(0, segmentation - baseHeaderLength(destination));
  }

  isLocal(address: IpAddress): boolean {
    return this.local.isLocal(address);
  }

  isBroadcast(address: IpAddress): boolean {
    return this.local.isBroadcast(address);
  }

  confirmReachability(destination: IpAddress): void {
    const known = this.destinations.lookup(destination);
    if (known === undefined) return;
    if (known.viaRouter) this.destinations.absolve(known.nextHop);
    if (known.interface.resolvesNeighbours) known.interface.confirm(known.nextHop);
  }

  adviseUnreachable(destination: IpAddress): void {
    const known = this.destinations.lookup(destination);
    if (known?.viaRouter) this.destinations.suspect(known.nextHop);
  }

  pathMtuReduced(destination: IpAddress, mtu: number): void {
    if (!isMulticast(destination)) this.destinations.lookup(destination)?.reducePathMtu(mtu, this.host.clock);
  }

  register(handler: IpProtocolHandler): void {
    this.ipv4Handlers[handler.protocol] = handler;
    this.ipv6Handlers[handler.protocol] = handler;
  }

  /** Disarms timers and forgets unfinished datagrams. The interfaces stay their owner's to close. */
  close(): void {
    this.ipv4.reassembler.clear();
    this.ipv6.reassembler.clear();
    this.gateway?.close();
    for (const networkInterface of this.interfaces) this.removeInterface(networkInterface);
  }
}

/** Who asks for nothing of the kind pays nothing for it. */
function needsGateway({ filter, nat, tracking, reversePathCheck = "off", mssClamping = false }: GatewayOptions): boolean {
  return filter !== undefined || nat !== undefined || tracking !== undefined || reversePathCheck !== "off" || mssClamping;
}

/** What is neither is IPv4's to drop. */
function isVersion6(datagram: PacketBuffer): boolean {
  return datagram.length > 0 && datagram.u8(0) >>> 4 === 6;
}

/** Receives for interfaces that no layer uses any more. */
const DETACHED: DatagramReceiver = { receive: () => {}, unresolved: () => {} };
