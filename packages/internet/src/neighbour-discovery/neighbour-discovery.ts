// Neighbour discovery on one interface (RFC 4861, RFC 4862): who is there, who routes, which addresses are ours.
import {
  type DropReasons,
  Drops,
  type Host,
  IPV6_ANY,
  type IpAddress,
  type IpPrefix,
  type IpVersion,
  type Ipv6Address,
  isIpv6,
  isLinkLocal,
  isUnspecified,
  type MacAddress,
  type Milliseconds,
  PacketBuffer,
  prefix,
  randomFraction,
  type SipKey,
  type Timer,
  writeIp,
} from "@netstrata/core";
import {
  NeighbourCache,
  type NeighbourLimits,
  type NeighbourLink,
  type NeighbourProtocol,
  type NeighbourResolver,
  type NetworkInterface,
} from "@netstrata/link";
import type { AddressAttributes } from "../address-selection.ts";
import type { IcmpHeader } from "../icmp-message.ts";
import type { Icmpv6 } from "../icmpv6.ts";
import {
  ICMPV6_LISTENER_REPORT_V2,
  ICMPV6_NEIGHBOUR_ADVERTISEMENT,
  ICMPV6_NEIGHBOUR_SOLICITATION,
  ICMPV6_ROUTER_ADVERTISEMENT,
  ICMPV6_ROUTER_SOLICITATION,
} from "../icmpv6-message.ts";
import { PROTOCOL_ICMPV6 } from "../ip-protocol.ts";
import type { Ipv6Header } from "../ipv6-header.ts";
import { ALL_NODES, ALL_ROUTERS, type LocalAddresses, solicitedNodeGroup } from "../local-addresses.ts";
import type { RoutingTable } from "../routing-table.ts";
import { AddressAutoconfiguration } from "./address-autoconfiguration.ts";
import { AdvertisedRoutes } from "./advertised-routes.ts";
import {
  advertisementFlags,
  DISCOVERY_HOP_LIMIT,
  type NeighbourAdvertisement,
  readNeighbourAdvertisement,
  readNeighbourSolicitation,
  readRouterAdvertisement,
  readRouterSolicitation,
} from "./discovery-message.ts";
import { OPTION_SOURCE_LINK_ADDRESS, OPTION_TARGET_LINK_ADDRESS, writeLinkAddress } from "./discovery-options.ts";
import { DuplicateAddressDetection } from "./duplicate-address-detection.ts";
import { opaqueAddress } from "./interface-identifier.ts";
import { Lifetimes } from "./lifetimes.ts";
import { ALL_LISTENER_ROUTERS, LISTENER_OPTIONS, ListenerReport } from "./listener-report.ts";
import { type RouterAdvertisementOptions, RouterAdvertiser } from "./router-advertiser.ts";

/** An interface whose neighbours have link addresses. */
export interface DiscoveryLink extends NetworkInterface, NeighbourLink {
  readonly macAddress: MacAddress;
  registerResolver(version: IpVersion, resolver: NeighbourResolver): void;
}

export function isDiscoveryLink(networkInterface: NetworkInterface): networkInterface is DiscoveryLink {
  return networkInterface.resolvesNeighbours && "registerResolver" in networkInterface && "macAddress" in networkInterface;
}

export interface Ipv6InterfaceOptions {
  /** Ask routers, and take addresses and routes from them (RFC 4862 §5.5). @default false */
  readonly autoconfigure?: boolean;
  /** Probes for each new address (RFC 4862 §5.1); 0: none. @default 1 */
  readonly duplicateDetection?: number;
  /** Advertise this host as a router, and the prefixes of its addresses (RFC 4861 §6.2). @default not */
  readonly advertise?: RouterAdvertisementOptions;
  readonly neighbours?: Partial<NeighbourLimits>;
}

export type DiscoveryDrop = "not-credible" | "not-for-us" | "unsolicited" | "address-conflict" | "router-ignored" | "solicitation-ignored";

const DISCOVERY_DROPS: DropReasons<DiscoveryDrop> = {
  "not-credible": "RFC 4861 §6.1, §7.1",
  "not-for-us": "RFC 4861 §7.2.3",
  unsolicited: "RFC 4861 §7.2.5",
  "address-conflict": "RFC 4862 §5.4",
  "router-ignored": "RFC 4861 §6.3.4",
  "solicitation-ignored": "RFC 4861 §6.2.6",
};

/** What discovery does to the rest of the layer. */
export interface DiscoveryOwner {
  readonly headroom: number;
  readonly isRouter: boolean;
  readonly addresses: LocalAddresses;
  readonly routes: RoutingTable;
  /** Gives the interface an address, or takes it away; what is known of ways is forgotten. */
  assign(address: IpPrefix, on: NetworkInterface): void;
  unassign(address: Ipv6Address, on: NetworkInterface): void;
  /** Attributes of an address have changed. */
  changed(): void;
}

/** RFC 4861 §10. */
const MAX_ROUTER_SOLICITATIONS = 3;
const ROUTER_SOLICITATION_INTERVAL: Milliseconds = 4000;
const MAX_ROUTER_SOLICITATION_DELAY: Milliseconds = 1000;
/** RFC 8106 §5.3.1 asks for three at least. */
const MAX_DNS_SERVERS = 8;
const LINK_LOCAL: IpPrefix = prefix("fe80::/64");
/** RFC 7217 §6, IDGEN_RETRIES. */
const MAX_LINK_LOCAL_CONFLICTS = 3;
const LINK_OPTION_LENGTH = 8;

export class NeighbourDiscovery implements NeighbourProtocol {
  readonly cache: NeighbourCache;
  readonly drops: Drops<DiscoveryDrop>;
  readonly routes: AdvertisedRoutes;
  private readonly host: Host;
  private readonly link: DiscoveryLink;
  private readonly icmp: Icmpv6;
  private readonly owner: DiscoveryOwner;
  private readonly secret: SipKey;
  private readonly options: Ipv6InterfaceOptions;
  private readonly detection: DuplicateAddressDetection;
  private readonly autoconfiguration: AddressAutoconfiguration;
  private readonly advertiser: RouterAdvertiser | undefined;
  private readonly report: ListenerReport;
  private readonly dns: Lifetimes<Ipv6Address>;
  private readonly solicitation: Timer;
  private solicitations = 0;
  private reported: ReadonlySet<Ipv6Address> = new Set();

  /** @param secret of the host, for its identifiers (RFC 7217 §5) */
  constructor(host: Host, link: DiscoveryLink, icmp: Icmpv6, owner: DiscoveryOwner, secret: SipKey, options: Ipv6InterfaceOptions = {}) {
    this.host = host;
    this.link = link;
    this.icmp = icmp;
    this.owner = owner;
    this.secret = secret;
    this.options = options;
    this.drops = new Drops(host, "icmpv6", DISCOVERY_DROPS);
    this.cache = new NeighbourCache(host, link, this, options.neighbours);
    this.detection = new DuplicateAddressDetection(host, options.duplicateDetection);
    this.routes = new AdvertisedRoutes(host.clock, owner.routes, link);
    const acquire = (address: IpPrefix, attributes: AddressAttributes, taken: () => void): void => this.acquire(address, attributes, taken);
    const deprecate = (address: Ipv6Address, attributes: AddressAttributes): void => this.attribute(address, attributes);
    this.autoconfiguration = new AddressAutoconfiguration(
      host.clock,
      { acquire, deprecate, release: (address) => this.release(address) },
      secret,
      link.name,
    );
    this.report = new ListenerReport(
      host,
      () => owner.headroom,
      (body, records) => this.sendReport(body, records),
    );
    this.dns = new Lifetimes(host.clock, MAX_DNS_SERVERS, () => {});
    this.solicitation = host.clock.timer(() => this.solicitRouters());
    this.advertiser = options.advertise && this.createAdvertiser(options.advertise);
    link.registerResolver(6, this.cache);
  }

  /** RFC 4862 §5.3: an interface that speaks IPv6 has a link-local address; then routers are asked, or we are one. */
  start(): void {
    if (this.advertiser !== undefined) this.join(ALL_ROUTERS);
    if (!this.link.addresses.some(({ address }) => isLinkLocal(address) && isIpv6(address))) this.acquireLinkLocal(0);
    else this.begin();
  }

  close(): void {
    this.advertiser?.stop();
    this.solicitation.disarm();
    this.detection.close();
    this.autoconfiguration.clear();
    this.routes.clear();
    this.dns.clear();
    this.report.close();
    this.cache.close();
  }

  /** DNS servers that routers have named (RFC 8106 §5.1). */
  get dnsServers(): readonly Ipv6Address[] {
    return this.dns.keys();
  }

  /** True while it is not known whether the address is ours alone (RFC 4862 §2). */
  isTentative(address: Ipv6Address): boolean {
    return this.detection.isTentative(address);
  }

  /** Asks whether somebody has an address that was given by hand; meanwhile it is used with care (RFC 4429 §3). */
  verify(address: Ipv6Address): void {
    const { doubtful } = this.owner.addresses;
    doubtful.add(address);
    this.detection.start(address, true, {
      probe: () => this.probe(address),
      unique: () => void doubtful.delete(address),
      duplicate: () => {
        doubtful.delete(address);
        this.owner.unassign(address, this.link);
      },
    });
  }

  /** The interface has other addresses than before: their solicited-node groups are told to whoever forwards multicast. */
  addressesChanged(): void {
    const wanted = new Set(this.link.addresses.flatMap(({ address }) => (isIpv6(address) ? [solicitedNodeGroup(address)] : [])));
    for (const group of this.reported) if (!wanted.has(group)) this.report.leave(group);
    for (const group of wanted) this.report.join(group);
    this.reported = wanted;
  }

  joined(group: Ipv6Address): void {
    this.report.join(group);
  }

  left(group: Ipv6Address): void {
    this.report.leave(group);
  }

  /** A listener query (RFC 3810 §5.1): its Maximum Response Code, and the group it asks about. */
  queried(packet: PacketBuffer, message: IcmpHeader, header: Ipv6Header): void {
    // RFC 3810 §6.2: from the link, and no further.
    if (header.timeToLive !== 1 || !isLinkLocal(header.source) || packet.length < 16) return;
    const code = message.rest >>> 16;
    const delay = code < 0x8000 ? code : ((code & 0xfff) | 0x1000) << (((code >>> 12) & 7) + 3);
    const group = packet.view(0, 16).every((octet) => octet === 0) ? undefined : readGroup(packet);
    this.report.queried(group, delay);
  }

  // Neighbours (RFC 4861 §7)

  solicit(target: IpAddress, linkAddress: MacAddress | undefined): void {
    if (!isIpv6(target)) return;
    const source = this.owner.addresses.ipv6SourceOn(this.link, target);
    if (source === undefined || !isIpv6(source)) return;
    const destination = linkAddress === undefined ? solicitedNodeGroup(target) : target;
    this.sendSolicitation(target, source, destination);
  }

  /** @returns the reason when it is dropped */
  receiveSolicitation(packet: PacketBuffer, message: IcmpHeader, header: Ipv6Header): DiscoveryDrop | undefined {
    const read = readNeighbourSolicitation(packet, message, header);
    if (read === undefined) return "not-credible";
    const { target, options } = read;
    const isProbe = isUnspecified(header.source);
    if (this.detection.isTentative(target) && !this.detection.isOptimistic(target)) {
      // RFC 4862 §5.4.3: somebody else wants it too. Who asks for it with an address of his own gets no answer from us.
      return isProbe && this.detection.conflict(target) ? "address-conflict" : "not-for-us";
    }
    if (!this.link.addresses.some(({ address }) => address === target)) return "not-for-us";
    const known = isProbe ? undefined : options.sourceLinkAddress;
    if (known !== undefined) this.cache.heard(header.source, known, true);
    // RFC 4861 §7.2.4; RFC 4429 §3.3: an optimistic address overrides nobody's.
    this.sendAdvertisement(target, isProbe ? ALL_NODES : header.source, !isProbe);
    return undefined;
  }

  receiveAdvertisement(packet: PacketBuffer, message: IcmpHeader, header: Ipv6Header): DiscoveryDrop | undefined {
    const read = readNeighbourAdvertisement(packet, message, header);
    if (read === undefined) return "not-credible";
    if (this.detection.conflict(read.target)) return "address-conflict";
    if (this.link.addresses.some(({ address }) => address === read.target)) return "address-conflict";
    return this.believe(read);
  }

  /** RFC 4861 §7.2.5: what is known is brought up to date; nothing is ever learnt anew. */
  private believe({ target, options, isSolicited, override, isRouter }: NeighbourAdvertisement): DiscoveryDrop | undefined {
    const known = this.cache.get(target);
    if (known === undefined) return "unsolicited";
    const told = options.targetLinkAddress;
    const { linkAddress } = known;
    if (linkAddress === undefined) {
      if (told === undefined) return "unsolicited";
      if (isSolicited) this.cache.answered(target, told);
      else this.cache.heard(target, told, false);
    } else if (told !== undefined && told !== linkAddress && !override) {
      this.cache.doubt(target);
      return undefined;
    } else if (isSolicited) {
      this.cache.answered(target, told ?? linkAddress);
    } else if (told !== undefined) {
      this.cache.heard(target, told, false);
    }
    // §7.3.3: who routes no longer is no default router.
    if (!isRouter && this.routes.isDefaultRouter(target)) this.routes.defaultRouter(target, 0, 0);
    return undefined;
  }

  // Routers (RFC 4861 §6)

  receiveRouterSolicitation(packet: PacketBuffer, message: IcmpHeader, header: Ipv6Header): DiscoveryDrop | undefined {
    const options = readRouterSolicitation(packet, message, header);
    if (options === undefined) return "not-credible";
    if (this.advertiser === undefined) return "solicitation-ignored";
    if (options.sourceLinkAddress !== undefined) this.cache.heard(header.source, options.sourceLinkAddress, true);
    this.advertiser.solicited();
    return undefined;
  }

  receiveRouterAdvertisement(packet: PacketBuffer, message: IcmpHeader, header: Ipv6Header): DiscoveryDrop | undefined {
    const read = readRouterAdvertisement(packet, message, header);
    if (read === undefined) return "not-credible";
    // RFC 4861 §6.2.7, RFC 4862 §5.5: only hosts that were told to.
    if (this.options.autoconfigure !== true || this.owner.isRouter) return "router-ignored";
    this.solicitation.disarm();
    const { options, lifetime, preference } = read;
    const router = header.source;
    if (options.sourceLinkAddress !== undefined) this.cache.heard(router, options.sourceLinkAddress, true);
    this.routes.defaultRouter(router, preference, lifetime);
    for (const route of options.routes) this.routes.set(route.prefix, router, route.preference, route.lifetime);
    for (const information of options.prefixes) {
      if (information.onLink && !isLinkLocal(information.prefix.address))
        this.routes.set(information.prefix, undefined, 0, information.validLifetime);
      this.autoconfiguration.prefixAdvertised(information);
    }
    for (const { addresses, lifetime: seconds } of options.dnsServers) {
      for (const address of addresses) {
        if (seconds === 0) this.dns.delete(address);
        else this.dns.set(address, seconds);
      }
    }
    return undefined;
  }

  /** RFC 4861 §6.3.7: three times, unless a router answers. */
  private solicitRouters(): void {
    const source = this.owner.addresses.ipv6SourceOn(this.link, ALL_ROUTERS) ?? IPV6_ANY;
    const hasAddress = source !== IPV6_ANY;
    const body = PacketBuffer.allocate(this.owner.headroom + 8, hasAddress ? LINK_OPTION_LENGTH : 0);
    if (hasAddress) writeLinkAddress(body, 0, OPTION_SOURCE_LINK_ADDRESS, this.link.macAddress);
    this.send(ICMPV6_ROUTER_SOLICITATION, 0, body, source, ALL_ROUTERS);
    this.solicitations += 1;
    if (this.solicitations < MAX_ROUTER_SOLICITATIONS) this.solicitation.arm(ROUTER_SOLICITATION_INTERVAL);
  }

  // Addresses (RFC 4862)

  private acquireLinkLocal(conflicts: number): void {
    const address = opaqueAddress(this.secret, LINK_LOCAL, this.link.name, conflicts);
    const attributes = { deprecated: false, temporary: false };
    this.acquire({ address, length: LINK_LOCAL.length }, attributes, () => {
      // RFC 4862 §5.4.5: without one that is its own, the interface is not used any further.
      if (conflicts < MAX_LINK_LOCAL_CONFLICTS) this.acquireLinkLocal(conflicts + 1);
    });
  }

  /** Uses an address once nobody has said within a second that it is his. */
  private acquire(address: IpPrefix, attributes: AddressAttributes, taken: () => void): void {
    const own = address.address as Ipv6Address;
    const group = solicitedNodeGroup(own);
    this.owner.addresses.join(group, this.link);
    this.report.join(group);
    const over = (): void => this.owner.addresses.leave(group, this.link);
    this.detection.start(own, false, {
      probe: () => this.probe(own),
      unique: () => {
        over();
        this.attribute(own, attributes);
        this.owner.assign(address, this.link);
        if (isLinkLocal(own)) this.begin();
      },
      duplicate: () => {
        over();
        this.report.leave(group);
        taken();
      },
    });
  }

  private release(address: Ipv6Address): void {
    this.detection.stop(address);
    this.owner.addresses.leave(solicitedNodeGroup(address), this.link);
    this.owner.addresses.attributes.delete(address);
    this.owner.unassign(address, this.link);
  }

  private attribute(address: Ipv6Address, attributes: AddressAttributes): void {
    if (attributes.deprecated || attributes.temporary) this.owner.addresses.attributes.set(address, attributes);
    else this.owner.addresses.attributes.delete(address);
    this.owner.changed();
  }

  /** There is a link-local address to speak from. */
  private begin(): void {
    this.advertiser?.start();
    if (this.options.autoconfigure === true && !this.owner.isRouter) {
      this.solicitation.arm(randomFraction(this.host.random) * MAX_ROUTER_SOLICITATION_DELAY);
    }
  }

  private join(group: Ipv6Address): void {
    this.owner.addresses.join(group, this.link);
    this.report.join(group);
  }

  // Sending

  private probe(address: Ipv6Address): void {
    this.sendSolicitation(address, IPV6_ANY, solicitedNodeGroup(address));
  }

  private sendSolicitation(target: Ipv6Address, source: Ipv6Address, destination: Ipv6Address): void {
    // A deviation from RFC 4429 §3.2, which leaves it out while an address is optimistic: two hosts that both are could not find
    // each other for a second. Whose address it really is answers our probe to all nodes, and so puts right what they remember.
    const withLinkAddress = source !== IPV6_ANY;
    const body = PacketBuffer.allocate(this.owner.headroom + 8, 16 + (withLinkAddress ? LINK_OPTION_LENGTH : 0));
    writeIp(body, 0, target);
    if (withLinkAddress) writeLinkAddress(body, 16, OPTION_SOURCE_LINK_ADDRESS, this.link.macAddress);
    this.send(ICMPV6_NEIGHBOUR_SOLICITATION, 0, body, source, destination);
  }

  private sendAdvertisement(target: Ipv6Address, destination: Ipv6Address, isSolicited: boolean): void {
    const body = PacketBuffer.allocate(this.owner.headroom + 8, 16 + LINK_OPTION_LENGTH);
    writeIp(body, 0, target);
    writeLinkAddress(body, 16, OPTION_TARGET_LINK_ADDRESS, this.link.macAddress);
    const flags = advertisementFlags(this.owner.isRouter, isSolicited, !this.detection.isOptimistic(target));
    this.send(ICMPV6_NEIGHBOUR_ADVERTISEMENT, flags, body, target, destination);
  }

  private sendReport(body: PacketBuffer, records: number): void {
    // RFC 3810 §5.2.13: from the link-local address, or from none while there is none.
    const own = this.link.addresses.find(({ address }) => isIpv6(address) && isLinkLocal(address))?.address ?? IPV6_ANY;
    const message = { type: ICMPV6_LISTENER_REPORT_V2, code: 0, rest: records };
    this.icmp.sendMessage(message, body, {
      source: own,
      destination: ALL_LISTENER_ROUTERS,
      protocol: PROTOCOL_ICMPV6,
      timeToLive: 1,
      options: LISTENER_OPTIONS,
      interface: this.link,
    });
  }

  private createAdvertiser(options: RouterAdvertisementOptions): RouterAdvertiser {
    const { link, owner } = this;
    const advertise = (rest: number, body: PacketBuffer): void => {
      const source = owner.addresses.ipv6SourceOn(link, ALL_NODES);
      if (source !== undefined && isLinkLocal(source)) this.send(ICMPV6_ROUTER_ADVERTISEMENT, rest, body, source as Ipv6Address, ALL_NODES);
    };
    const advertising = {
      macAddress: link.macAddress,
      mtu: link.mtu,
      advertise,
      get addresses(): readonly IpPrefix[] {
        return link.addresses;
      },
      get headroom(): number {
        return owner.headroom + 8;
      },
    };
    return new RouterAdvertiser(this.host, advertising, options);
  }

  private send(type: number, rest: number, body: PacketBuffer, source: IpAddress, destination: IpAddress): void {
    this.icmp.sendMessage({ type, code: 0, rest }, body, {
      source,
      destination,
      protocol: PROTOCOL_ICMPV6,
      timeToLive: DISCOVERY_HOP_LIMIT,
      interface: this.link,
    });
  }
}

function readGroup(packet: PacketBuffer): Ipv6Address {
  let group = "";
  for (let at = 0; at < 16; at += 2) group += String.fromCharCode(packet.u16(at));
  return group as Ipv6Address;
}
