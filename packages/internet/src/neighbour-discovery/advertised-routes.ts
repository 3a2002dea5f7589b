// Routes that routers advertise (RFC 4861 §6.3.4, RFC 4191 §3): prefixes on the link, default routers, more specific routes.
import { type Clock, formatPrefix, type IpPrefix, type Ipv6Address, networkOf, prefix as prefixOf } from "@netstrata/core";
import type { NetworkInterface } from "@netstrata/link";
import type { RoutingTable } from "../routing-table.ts";
import type { RouterPreference } from "./discovery-options.ts";
import { Lifetimes } from "./lifetimes.ts";

/** Routes of one interface that come from routers; one more is not taken. */
export const MAX_ADVERTISED_ROUTES = 32;
/** Routes that somebody has configured go before (as in Linux). */
const BASE_METRIC = 1024;

const DEFAULT_ROUTE: IpPrefix = prefixOf("::/0");

export class AdvertisedRoutes {
  private readonly routes: RoutingTable;
  private readonly through: NetworkInterface;
  private readonly known = new Map<string, { readonly prefix: IpPrefix; readonly nextHop: Ipv6Address | undefined }>();
  private readonly lifetimes: Lifetimes<string>;

  constructor(clock: Clock, routes: RoutingTable, through: NetworkInterface) {
    this.routes = routes;
    this.through = through;
    this.lifetimes = new Lifetimes(clock, MAX_ADVERTISED_ROUTES, (key) => this.remove(key));
  }

  get size(): number {
    return this.lifetimes.size;
  }

  /** Whether a router is in the default router list (RFC 4861 §5.1). */
  isDefaultRouter(address: Ipv6Address): boolean {
    return this.lifetimes.has(keyOf(DEFAULT_ROUTE, address));
  }

  /** @param lifetime in seconds; 0 takes the route away at once */
  defaultRouter(router: Ipv6Address, preference: RouterPreference, lifetime: number): void {
    this.set(DEFAULT_ROUTE, router, preference, lifetime);
  }

  /** @param router undefined: the prefix is on the link itself */
  set(wanted: IpPrefix, router: Ipv6Address | undefined, preference: RouterPreference, lifetime: number): void {
    const prefix = networkOf(wanted);
    const key = keyOf(prefix, router);
    if (lifetime === 0) {
      this.lifetimes.delete(key);
      this.remove(key);
      return;
    }
    if (!this.lifetimes.set(key, lifetime)) return;
    const metric = BASE_METRIC - preference;
    this.known.set(key, { prefix, nextHop: router });
    const isThere = this.routes.list().some((route) => this.isRoute(route, prefix, router) && route.metric === metric);
    if (!isThere) this.routes.add({ prefix, nextHop: router, interface: this.through, metric, origin: "advertised" });
  }

  clear(): void {
    for (const key of [...this.known.keys()]) this.remove(key);
    this.lifetimes.clear();
  }

  private remove(key: string): void {
    const route = this.known.get(key);
    if (route === undefined) return;
    this.known.delete(key);
    this.routes.remove((other) => this.isRoute(other, route.prefix, route.nextHop));
  }

  private isRoute(route: ReturnType<RoutingTable["list"]>[number], prefix: IpPrefix, nextHop: Ipv6Address | undefined): boolean {
    const { origin, interface: through } = route;
    const isPrefix = route.prefix.address === prefix.address && route.prefix.length === prefix.length;
    return isPrefix && origin === "advertised" && through === this.through && route.nextHop === nextHop;
  }
}

function keyOf(prefix: IpPrefix, router: Ipv6Address | undefined): string {
  return `${formatPrefix(prefix)} ${router ?? ""}`;
}
