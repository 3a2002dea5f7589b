// The route cache (RFC 1122 §3.3.1.2) with the path MTU of each destination (RFC 1191 §6.1).
import {
  type Clock,
  type Host,
  IPV4_BROADCAST,
  type IpAddress,
  isIpv4,
  isMulticast,
  type Milliseconds,
  type Random,
} from "@netstrata/core";
import type { NetworkInterface } from "@netstrata/link";
import { IPV4_MINIMUM_MTU } from "./ipv4-header.ts";
import { IPV6_MINIMUM_MTU } from "./ipv6-header.ts";
import type { LocalAddresses } from "./local-addresses.ts";
import { NextHopHealth } from "./next-hop-health.ts";
import { RoutingTable } from "./routing-table.ts";

/** How many destinations are remembered; the oldest is forgotten for a new one. */
export const DEFAULT_DESTINATION_LIMIT = 4096;
/** How long a learnt path MTU is believed before a larger one is tried again (RFC 1191 §6.3 recommends 10 minutes). */
export const PATH_MTU_LIFETIME: Milliseconds = 600_000;

/** Everything that is known about sending to one address. */
export class Destination {
  readonly address: IpAddress;
  readonly interface: NetworkInterface;
  /** To whom the interface hands the datagram: a router, the destination itself, or a broadcast or multicast address. */
  readonly nextHop: IpAddress;
  /** True when `nextHop` is a router. */
  readonly viaRouter: boolean;
  /** The address to speak from; undefined when this host has none yet. */
  readonly source: IpAddress | undefined;
  readonly generation: number;
  /** A source address that is known to be good, so that a connection's is checked once. */
  checkedSource: IpAddress | undefined;
  /** The identification of the next datagram that may be fragmented (RFC 6864 §4.3): a counter for each destination tells nobody else anything. */
  identification: number;
  private pathMtu = Number.POSITIVE_INFINITY;
  private pathMtuExpiry: Milliseconds = 0;

  constructor(address: IpAddress, path: Path, generation: number, random: Random) {
    this.address = address;
    this.interface = path.interface;
    this.nextHop = path.nextHop;
    this.viaRouter = path.viaRouter;
    this.source = path.source;
    this.generation = generation;
    this.identification = random.uint32() & 0xffff;
  }

  /** The largest datagram that goes there unfragmented, in octets, as far as is known. */
  mtu(clock: Clock): number {
    // Most paths are as wide as their first link: they need not even look at the clock.
    if (this.pathMtu === Number.POSITIVE_INFINITY) return this.interface.mtu;
    if (clock.now() >= this.pathMtuExpiry) this.pathMtu = Number.POSITIVE_INFINITY;
    return Math.min(this.pathMtu, this.interface.mtu);
  }

  /** RFC 1191 §3: an estimate is never raised by a message, and never goes below what every link must carry. */
  reducePathMtu(mtu: number, clock: Clock): void {
    const reduced = Math.max(mtu, isIpv4(this.address) ? IPV4_MINIMUM_MTU : IPV6_MINIMUM_MTU);
    if (reduced >= this.mtu(clock)) return;
    this.pathMtu = reduced;
    this.pathMtuExpiry = clock.now() + PATH_MTU_LIFETIME;
  }

  nextIdentification(): number {
    this.identification = (this.identification + 1) & 0xffff;
    return this.identification;
  }

  /** Takes over what an outdated entry had learnt, if the way is still the same. */
  inherit(former: Destination): void {
    this.identification = former.identification;
    if (former.interface !== this.interface || former.nextHop !== this.nextHop) return;
    this.pathMtu = former.pathMtu;
    this.pathMtuExpiry = former.pathMtuExpiry;
  }
}

interface Path {
  readonly interface: NetworkInterface;
  readonly nextHop: IpAddress;
  readonly viaRouter: boolean;
  readonly source: IpAddress | undefined;
}

/**
 * Answers "which way" once for each destination. Any change of routes, addresses or the health of a next hop starts a new
 * generation, which outdates all answers at the cost of one addition.
 */
export class DestinationCache {
  readonly routes: RoutingTable = new RoutingTable(() => this.invalidate());
  /** How many destinations were forgotten to make room. */
  evictions = 0;
  private readonly host: Host;
  private readonly addresses: LocalAddresses;
  private readonly limit: number;
  private readonly health: NextHopHealth;
  private readonly entries = new Map<IpAddress, Destination>();
  private last: Destination | undefined;
  private generation = 0;

  constructor(host: Host, addresses: LocalAddresses, limit: number = DEFAULT_DESTINATION_LIMIT) {
    this.host = host;
    this.addresses = addresses;
    this.limit = limit;
    this.health = new NextHopHealth(host.clock);
  }

  get size(): number {
    return this.entries.size;
  }

  invalidate(): void {
    this.generation += 1;
  }

  /** A router does not answer: another one is chosen where there is one (RFC 1122 §3.3.1.5). */
  suspect(router: IpAddress): void {
    if (this.health.suspect(router)) this.invalidate();
  }

  /** A next hop has shown itself alive. */
  absolve(nextHop: IpAddress): void {
    if (this.health.absolve(nextHop)) this.invalidate();
  }

  /** The way to `address`; undefined when there is none. */
  lookup(address: IpAddress): Destination | undefined {
    const last = this.last;
    if (last !== undefined && last.address === address && last.generation === this.generation) return last;
    const known = this.entries.get(address);
    if (known !== undefined && known.generation === this.generation) return (this.last = known);
    return this.resolve(address, known);
  }

  /** The way to `address` through a given interface; worked out each time. */
  lookupThrough(address: IpAddress, through: NetworkInterface): Destination | undefined {
    const path = this.addresses.isLocal(address) ? this.pathTo(address) : this.pathThrough(address, through);
    return path === undefined ? undefined : new Destination(address, path, this.generation, this.host.random);
  }

  private resolve(address: IpAddress, outdated: Destination | undefined): Destination | undefined {
    if (outdated !== undefined) this.entries.delete(address);
    const path = this.pathTo(address);
    if (path === undefined) return undefined;
    const entry = new Destination(address, path, this.generation, this.host.random);
    if (outdated !== undefined) entry.inherit(outdated);
    if (this.entries.size >= this.limit) this.evictOldest();
    this.entries.set(address, entry);
    return (this.last = entry);
  }

  private evictOldest(): void {
    for (const oldest of this.entries.keys()) {
      this.entries.delete(oldest);
      this.evictions += 1;
      return;
    }
  }

  private pathTo(address: IpAddress): Path | undefined {
    if (this.addresses.isLocal(address)) {
      // What is for ourselves goes round through the loopback device: by the clock, not by a call into a layer that is busy.
      const { loopback } = this.addresses;
      return loopback && { interface: loopback, nextHop: address, viaRouter: false, source: address };
    }
    const directed = this.addresses.broadcastInterface(address);
    if (directed !== undefined) return this.pathThrough(address, directed);
    const route = this.routes.lookup(address, (candidate) => this.health.isGood(candidate.nextHop));
    if (route === undefined) {
      // Broadcasts and multicasts need no router: any link is a way (RFC 1122 §3.3.6 leaves the choice open).
      const link = address === IPV4_BROADCAST || isMulticast(address) ? this.firstLink() : undefined;
      return link && this.pathThrough(address, link);
    }
    const nextHop = onLinkOnly(address) ? address : (route.nextHop ?? address);
    const source = route.source ?? this.addresses.sourceOn(route.interface, nextHop);
    return { interface: route.interface, nextHop, viaRouter: nextHop !== address, source };
  }

  private pathThrough(address: IpAddress, through: NetworkInterface): Path {
    // RFC 1122 §3.3.6: every form of broadcast goes out as a link broadcast, for which its limited form stands.
    if (this.addresses.isBroadcast(address)) {
      return { interface: through, nextHop: IPV4_BROADCAST, viaRouter: false, source: this.addresses.sourceOn(through, address) };
    }
    const route = isMulticast(address) ? undefined : this.routes.lookup(address, undefined, through);
    const nextHop = route?.nextHop ?? address;
    return {
      interface: through,
      nextHop,
      viaRouter: nextHop !== address,
      source: route?.source ?? this.addresses.sourceOn(through, nextHop),
    };
  }

  private firstLink(): NetworkInterface | undefined {
    return this.addresses.interfaces.find((candidate) => candidate !== this.addresses.loopback);
  }
}

/** Limited broadcasts and multicasts are not sent to a router. */
function onLinkOnly(address: IpAddress): boolean {
  return address === IPV4_BROADCAST || isMulticast(address);
}
