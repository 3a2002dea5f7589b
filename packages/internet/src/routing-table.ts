// The routing table (RFC 1812 §5.2.4.3): longest match first, then the smallest metric. One table serves both families.
import { type IpAddress, type IpPrefix, type Ipv4Address, ipv4Mask, isIpv4, networkOf } from "@netstrata/core";
import type { NetworkInterface } from "@netstrata/link";

/** Where a route comes from: "connected" ones follow the interfaces' addresses by themselves, "advertised" ones a router has lent. */
export type RouteOrigin = "connected" | "static" | "advertised";

export interface Route {
  /** All bits beyond its length are 0. Length 0 is the default route, 32 or 128 a host route. */
  readonly prefix: IpPrefix;
  readonly interface: NetworkInterface;
  /** The router to send through; absent when the destinations are on the link itself. */
  readonly nextHop?: IpAddress;
  /** The source address for what is sent along this route; chosen from the interface's addresses when absent. */
  readonly source?: IpAddress;
  /** The smaller one wins between routes to the same prefix. */
  readonly metric: number;
  readonly origin: RouteOrigin;
}

/** What `add` needs to know. */
export interface RouteSpecification {
  readonly prefix: IpPrefix;
  readonly interface: NetworkInterface;
  readonly nextHop?: IpAddress;
  readonly source?: IpAddress;
  /** @default 0 */
  readonly metric?: number;
  /** @default "static" */
  readonly origin?: RouteOrigin;
}

/** One family's routes: for each prefix length the networks of that length, for each network its routes by metric. */
class FamilyTable {
  private readonly networks = new Map<number, Map<IpAddress, Route[]>>();
  /** The prefix lengths in use, longest first: a lookup takes one probe for each. */
  private lengths: number[] = [];

  insert(route: Route): void {
    const { address, length } = route.prefix;
    let ofLength = this.networks.get(length);
    if (ofLength === undefined) this.networks.set(length, (ofLength = new Map()));
    const others = (ofLength.get(address) ?? []).filter((other) => !isSameRoute(other, route));
    // The sort is stable: among equal metrics the older route stays first.
    ofLength.set(
      address,
      [...others, route].sort((a, b) => a.metric - b.metric),
    );
    this.noteLengths();
  }

  remove(matches: (route: Route) => boolean): number {
    let removed = 0;
    for (const [length, ofLength] of this.networks) {
      for (const [address, routes] of ofLength) {
        const kept = routes.filter((route) => !matches(route));
        removed += routes.length - kept.length;
        if (kept.length === 0) ofLength.delete(address);
        else ofLength.set(address, kept);
      }
      if (ofLength.size === 0) this.networks.delete(length);
    }
    this.noteLengths();
    return removed;
  }

  /** For each prefix that contains `destination`, longest first, its routes; until `visit` has an answer. */
  find(destination: IpAddress, choose: (routes: readonly Route[]) => Route | undefined): Route | undefined {
    for (const length of this.lengths) {
      const routes = this.networks.get(length)?.get(masked(destination, length));
      const route = routes === undefined ? undefined : choose(routes);
      if (route !== undefined) return route;
    }
    return undefined;
  }

  list(): Route[] {
    return this.lengths.flatMap((length) => [...(this.networks.get(length) as Map<IpAddress, Route[]>).values()].flat());
  }

  private noteLengths(): void {
    if (this.lengths.length !== this.networks.size) this.lengths = [...this.networks.keys()].sort((a, b) => b - a);
  }
}

export class RoutingTable {
  private readonly v4 = new FamilyTable();
  private readonly v6 = new FamilyTable();
  private readonly onChange: () => void;

  /** @param onChange called after each change, so that answers given before can be forgotten */
  constructor(onChange: () => void = () => {}) {
    this.onChange = onChange;
  }

  /** Adds a route; one of the same origin to the same prefix through the same next hop and interface is replaced. */
  add(specification: RouteSpecification): Route {
    const { prefix, nextHop } = specification;
    if (nextHop !== undefined && isIpv4(nextHop) !== isIpv4(prefix.address)) {
      throw new RangeError("the next hop of a route is of another IP version than its prefix");
    }
    const route: Route = {
      ...specification,
      metric: specification.metric ?? 0,
      origin: specification.origin ?? "static",
      prefix: networkOf(prefix),
    };
    this.family(prefix.address).insert(route);
    this.onChange();
    return route;
  }

  /** Removes the routes for which `matches` says so. @returns how many those were */
  remove(matches: (route: Route) => boolean): number {
    const removed = this.v4.remove(matches) + this.v6.remove(matches);
    if (removed > 0) this.onChange();
    return removed;
  }

  /** All routes, IPv4 first, longest prefix first. */
  list(): Route[] {
    return [...this.v4.list(), ...this.v6.list()];
  }

  /**
   * The route to `destination`, or undefined when there is none.
   * @param accepts says which routes to prefer. It chooses among the routes to one prefix and never falls back to a shorter
   *   one: what was meant for a tunnel must not leave by the default route because the tunnel's router is silent
   * @param through look only at routes through this interface
   */
  lookup(destination: IpAddress, accepts: (route: Route) => boolean = acceptsAny, through?: NetworkInterface): Route | undefined {
    return this.family(destination).find(destination, (routes) => {
      const eligible = through === undefined ? routes : routes.filter((route) => route.interface === through);
      return eligible.find(accepts) ?? eligible[0];
    });
  }

  private family(address: IpAddress): FamilyTable {
    return isIpv4(address) ? this.v4 : this.v6;
  }
}

function acceptsAny(): boolean {
  return true;
}

function masked(address: IpAddress, length: number): IpAddress {
  return isIpv4(address) ? (((address & ipv4Mask(length)) >>> 0) as Ipv4Address) : networkOf({ address, length }).address;
}

function isSameRoute(a: Route, b: Route): boolean {
  return (
    a.prefix.length === b.prefix.length &&
    a.prefix.address === b.prefix.address &&
    a.interface === b.interface &&
    a.nextHop === b.nextHop &&
    a.origin === b.origin
  );
}
