// The route cache (RFC 1122 §3.3.1.2): each destination is resolved once, and again when anything has changed.
import { type Host, IPV4_BROADCAST, type IpAddress, isIpv4, isMulticast, isUnspecified, resolveLimits } from "@netstrata/core";
import type { NetworkInterface } from "@netstrata/link";
import { Destination, type Path } from "./destination.ts";
import type { LocalAddresses } from "./local-addresses.ts";
import { NextHopHealth } from "./next-hop-health.ts";
import { RoutingTable } from "./routing-table.ts";

/** How many destinations are remembered; the oldest is forgotten for a new one. */
export const DEFAULT_DESTINATION_LIMIT = 4096;

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

  /** @param limit how many destinations to remember, at least 1 */
  constructor(host: Host, addresses: LocalAddresses, limit?: number) {
    this.host = host;
    this.addresses = addresses;
    this.limit = resolveLimits({ destinations: DEFAULT_DESTINATION_LIMIT }, { destinations: limit }).destinations;
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
    if (isThisNetwork(address)) return undefined;
    const path = this.addresses.isLocal(address) ? this.pathTo(address) : this.pathThrough(address, through);
    return path === undefined ? undefined : new Destination(address, path, this.generation, this.host.random);
  }

  private resolve(address: IpAddress, outdated: Destination | undefined): Destination | undefined {
    if (outdated !== undefined) this.entries.delete(address);
    const path = isThisNetwork(address) ? undefined : this.pathTo(address);
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
    const source = route.source ?? this.sourceOn(route.interface, address, nextHop);
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
      source: route?.source ?? this.sourceOn(through, address, nextHop),
    };
  }

  /** IPv4 looks at who is next (RFC 1122 §3.3.4.3), IPv6 at where it goes (RFC 6724 §5). */
  private sourceOn(through: NetworkInterface, address: IpAddress, nextHop: IpAddress): IpAddress | undefined {
    return this.addresses.sourceOn(through, isIpv4(address) ? nextHop : address);
  }

  private firstLink(): NetworkInterface | undefined {
    return this.addresses.interfaces.find((candidate) => candidate !== this.addresses.loopback);
  }
}

/** RFC 1122 §3.2.1.3 (a), (b): 0.0.0.0/8, "this network", is never sent to, whatever the default route says; nor is "::". */
function isThisNetwork(address: IpAddress): boolean {
  return isIpv4(address) ? address >>> 24 === 0 : isUnspecified(address);
}

/** Limited broadcasts and multicasts are not sent to a router. */
function onLinkOnly(address: IpAddress): boolean {
  return address === IPV4_BROADCAST || isMulticast(address);
}
