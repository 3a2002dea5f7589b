// Routes for a whole world: the way over the fewest routers, found breadth first from each host.
import type { IpAddress } from "@netstrata/core";
import type { NetworkInterface } from "@netstrata/link";
import type { Stack } from "@netstrata/socket";
import type { Member, Network } from "./network.ts";

export interface Path {
  readonly network: Network;
  /** The router next to the host, and the interface that leads to it. */
  readonly nextHop: IpAddress;
  readonly interface: NetworkInterface;
  /** Routers on the way. */
  readonly distance: number;
}

/** A way that has come to a router. */
interface Arrival {
  readonly router: Stack;
  readonly nextHop: IpAddress;
  readonly interface: NetworkInterface;
  readonly distance: number;
}

/** The paths from `host` to every network that it is not on itself. Among equally short ones the first in the order of building. */
export function shortestPaths(host: Stack, networksOf: ReadonlyMap<Stack, readonly (readonly [Network, Member])[]>): Path[] {
  const reached = new Set<Network>();
  const visited = new Set<Stack>([host]);
  let frontier: Arrival[] = [];
  const enter = (network: Network, via: (router: Member) => Omit<Arrival, "router">): void => {
    reached.add(network);
    for (const member of network.members) {
      if (visited.has(member.stack) || !member.stack.layers.internet.forwarding) continue;
      visited.add(member.stack);
      frontier.push({ router: member.stack, ...via(member) });
    }
  };
  for (const [network, self] of networksOf.get(host) ?? []) {
    enter(network, (router) => ({ nextHop: router.address, interface: self.interface, distance: 1 }));
  }
  const paths: Path[] = [];
  while (frontier.length > 0) {
    const current = frontier;
    frontier = [];
    for (const { router, nextHop, interface: through, distance } of current) {
      for (const [network] of networksOf.get(router) ?? []) {
        if (reached.has(network)) continue;
        paths.push({ network, nextHop, interface: through, distance });
        enter(network, () => ({ nextHop, interface: through, distance: distance + 1 }));
      }
    }
  }
  return paths;
}
