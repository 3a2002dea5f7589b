// Which stream sockets share a port: `bind`'s rules of SO_REUSEADDR and SO_REUSEPORT, as Linux has them.
import { IPV4_ANY, IPV6_ANY, type IpAddress, isMulticast, isUnspecified } from "@netstrata/core";
import { type Binding, bindingsOverlap, type Endpoint, type Tcp } from "@netstrata/transport";
import type { Errno } from "./errno.ts";
import { AF_INET } from "./linux-numbers.ts";

/** What is known of who holds a port. */
export interface PortHolder {
  readonly bound: Endpoint | undefined;
  readonly reuseAddress: boolean;
  readonly reusePort: boolean;
  readonly onlyIpv6: boolean;
  readonly isListening: boolean;
}

/** As often a random port may be taken before `bind` gives up. */
const ATTEMPTS = 64;

export class BoundPorts {
  private readonly tcp: Tcp;
  /** TCP itself knows of a port only when it listens or connects. */
  private readonly holders: Map<number, Set<PortHolder>> = new Map();

  constructor(tcp: Tcp) {
    this.tcp = tcp;
  }

  any(domain: number): Endpoint {
    return { address: domain === AF_INET ? IPV4_ANY : IPV6_ANY, port: 0 };
  }

  /** Addresses that are not this host's. */
  refuse({ address }: Endpoint): Errno | undefined {
    const { ip } = this.tcp;
    const isOurs = isUnspecified(address) || ip.isLocal(address) || isMulticast(address) || ip.isBroadcast(address);
    return isOurs ? undefined : "EADDRNOTAVAIL";
  }

  /** Gives the port to `holder`; a free one for port 0. */
  reserve(holder: PortHolder, wanted: Endpoint): Endpoint | Errno {
    const local = wanted.port === 0 ? this.choose(wanted.address) : wanted;
    if (local === undefined || this.conflicts(holder, local)) return "EADDRINUSE";
    const holders = this.holders.get(local.port);
    if (holders === undefined) this.holders.set(local.port, new Set([holder]));
    else holders.add(holder);
    return local;
  }

  release(holder: PortHolder): void {
    const port = holder.bound?.port;
    const holders = port === undefined ? undefined : this.holders.get(port);
    if (port === undefined || holders === undefined) return;
    holders.delete(holder);
    if (holders.size === 0) this.holders.delete(port);
  }

  private conflicts(holder: PortHolder, local: Endpoint): boolean {
    const own = bindingOf(local, holder.onlyIpv6);
    for (const other of this.holders.get(local.port) ?? []) {
      const theirs = bindingOf(other.bound as Endpoint, other.onlyIpv6);
      if (other !== holder && bindingsOverlap(theirs, own) && !mayShare(holder, other)) return true;
    }
    // Servers of the promise interface.
    for (const { binding, user } of this.tcp.listenersOfPort(local.port)) {
      if (bindingsOverlap(binding, own) && !("reuseAddress" in user)) return true;
    }
    // Connections outlive their descriptors, in TIME-WAIT above all.
    for (const { local: theirs, user } of this.tcp.connectionsOfPort(local.port)) {
      if (!bindingsOverlap(bindingOf(theirs, false), own)) continue;
      const owner: Partial<PortHolder> = user as Partial<PortHolder>;
      if (!holder.reuseAddress || owner.reuseAddress !== true) return true;
    }
    return false;
  }

  /** A port that nobody has. */
  private choose(address: IpAddress): Endpoint | undefined {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      // A listener that is closed at once asks TCP for a port at random.
      const probe = this.tcp.listen({ address, port: 0 }, { acceptable: () => {} });
      if (typeof probe === "string") return undefined;
      probe.close();
      if (!this.holders.has(probe.local.port)) return probe.local;
    }
    return undefined;
  }
}

function mayShare(holder: PortHolder, other: PortHolder): boolean {
  if (holder.reusePort && other.reusePort) return true;
  return holder.reuseAddress && other.reuseAddress && !other.isListening;
}

function bindingOf({ address }: Endpoint, ipv6Only: boolean): Binding {
  return { address, ipv6Only };
}
