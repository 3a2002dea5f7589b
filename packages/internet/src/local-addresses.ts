// What is this host's own: its addresses, the broadcast addresses of its networks, its groups (RFC 1122 §3.2.1.3).
import {
  broadcastOf,
  IPV4_ANY,
  IPV4_BROADCAST,
  type IpAddress,
  type IpPrefix,
  type Ipv6Address,
  isIpv4,
  isIpv6,
  isLinkLocal,
  isLoopback,
  isMulticast,
  networkOf,
  prefixContains,
} from "@netstrata/core";
import type { LinkCast, NetworkInterface } from "@netstrata/link";
import { type AddressAttributes, scopeOf, selectSource } from "./address-selection.ts";

/** 224.0.0.1, of which every host is a member (RFC 1112 §4). */
const ALL_HOSTS = 0xe0000001;
/** Of these every node is a member (RFC 4291 §2.7.1, §2.8). */
export const ALL_NODES_ON_INTERFACE: Ipv6Address = "\uff01\0\0\0\0\0\0\u0001" as Ipv6Address;
export const ALL_NODES: Ipv6Address = "\uff02\0\0\0\0\0\0\u0001" as Ipv6Address;

/** Of this every router is one. */
export const ALL_ROUTERS: Ipv6Address = "\uff02\0\0\0\0\0\0\u0002" as Ipv6Address;

/** ff02::1:ffXX:XXXX with the last 24 bits of an address (RFC 4291 §2.7.1): there it is asked for. */
export function solicitedNodeGroup(address: Ipv6Address): Ipv6Address {
  const group = String.fromCharCode(0xff02, 0, 0, 0, 0, 1, 0xff00 | (address.charCodeAt(6) & 0xff), address.charCodeAt(7));
  return group as Ipv6Address;
}

export class LocalAddresses {
  /** In the order in which they were added. */
  interfaces: readonly NetworkInterface[] = [];
  /** The interface that leads back into this host; it makes all of 127/8 local. */
  loopback: NetworkInterface | undefined;
  private readonly own = new Map<IpAddress, NetworkInterface>();
  private readonly broadcasts = new Map<IpAddress, NetworkInterface>();
  private readonly groups = new Map<NetworkInterface, Set<IpAddress>>();
  /** For each interface the groups that come with its IPv6 addresses. */
  private readonly solicitedNodes = new Map<NetworkInterface, Set<IpAddress>>();
  /** Own addresses that may turn out to be another's (RFC 4429): whoever has them, too, speaks from them as we do. */
  readonly doubtful: Set<IpAddress> = new Set();
  /** Of IPv6 addresses that are not just as any other. */
  readonly attributes: Map<IpAddress, AddressAttributes> = new Map();

  /** Reads the interfaces' addresses anew; to be called after each change. */
  refresh(): void {
    this.own.clear();
    this.broadcasts.clear();
    this.solicitedNodes.clear();
    for (const networkInterface of this.interfaces) {
      for (const prefix of networkInterface.addresses) this.note(prefix, networkInterface);
      const ipv6 = networkInterface.addresses.map(({ address }) => address).filter(isIpv6);
      if (ipv6.length > 0) this.solicitedNodes.set(networkInterface, new Set(ipv6.map(solicitedNodeGroup)));
    }
  }

  private note(prefix: IpPrefix, networkInterface: NetworkInterface): void {
    if (!this.own.has(prefix.address)) this.own.set(prefix.address, networkInterface);
    const broadcast = broadcastOf(prefix);
    if (broadcast === undefined || networkInterface === this.loopback) return;
    // RFC 1122 §3.3.6: of the two forms of a broadcast to a network, {net, -1} and 4.2BSD's {net, 0}, both are recognized.
    for (const address of [broadcast, networkOf(prefix).address]) {
      if (!this.broadcasts.has(address)) this.broadcasts.set(address, networkInterface);
    }
  }

  isLocal(address: IpAddress): boolean {
    return this.own.has(address) || (this.loopback !== undefined && isLoopback(address));
  }

  isBroadcast(address: IpAddress): boolean {
    return address === IPV4_BROADCAST || this.broadcasts.has(address);
  }

  /** The interface that holds an own address; the loopback interface for the rest of 127/8. */
  holder(address: IpAddress): NetworkInterface | undefined {
    return this.own.get(address) ?? (isLoopback(address) ? this.loopback : undefined);
  }

  /** The interface into the network that a directed broadcast is for. */
  broadcastInterface(address: IpAddress): NetworkInterface | undefined {
    return this.broadcasts.get(address);
  }

  /**
   * How a datagram to `destination` that came in through `from` concerns this host: as a whole, or undefined when not at
   * all. Addresses count on every interface: the weak host model of RFC 1122 §3.3.4.2.
   */
  castOf(destination: IpAddress, from: NetworkInterface): LinkCast | undefined {
    if (this.isLocal(destination)) return "unicast";
    if (isMulticast(destination)) return this.isMember(destination, from) ? "multicast" : undefined;
    return this.isBroadcast(destination) || destination === IPV4_ANY ? "broadcast" : undefined;
  }

  /** An own address to speak from to `neighbour`: one of its network if there is one, else the interface's first (RFC 1122 §3.3.4.3). */
  sourceOn(networkInterface: NetworkInterface, neighbour: IpAddress): IpAddress | undefined {
    if (isIpv6(neighbour)) return this.ipv6SourceOn(networkInterface, neighbour);
    const candidates = networkInterface.addresses.filter(({ address }) => isIpv4(address) === isIpv4(neighbour));
    const chosen = candidates.find((prefix) => prefixContains(prefix, neighbour)) ?? candidates[0];
    return chosen?.address ?? this.anyAddress(neighbour);
  }

  /** For an interface without an address of its own: the first that the host has elsewhere (RFC 1812 §2.2.7, unnumbered lines). */
  private anyAddress(like: IpAddress): IpAddress | undefined {
    for (const address of this.own.keys()) if (isIpv4(address) === isIpv4(like) && !isLoopback(address)) return address;
    return undefined;
  }

  /** RFC 6724 §5 among the interface's addresses; where none of them reaches so far, among all of the host (§4: as a router may). */
  ipv6SourceOn(networkInterface: NetworkInterface, destination: Ipv6Address): Ipv6Address | undefined {
    const attributesOf = (address: IpAddress): AddressAttributes | undefined => this.attributes.get(address);
    const own = selectSource(ipv6AddressesOf(networkInterface), destination, attributesOf);
    if (own !== undefined && scopeOf(own.address) >= scopeOf(destination)) return own.address as Ipv6Address;
    if (isMulticast(destination) || isLinkLocal(destination)) return own?.address as Ipv6Address | undefined;
    const all = this.interfaces.filter((other) => other !== this.loopback).flatMap(ipv6AddressesOf);
    return (selectSource(all, destination, attributesOf) ?? own)?.address as Ipv6Address | undefined;
  }

  join(group: IpAddress, networkInterface: NetworkInterface): void {
    if (!isMulticast(group)) throw new RangeError("not a multicast address");
    const groups = this.groups.get(networkInterface) ?? new Set();
    this.groups.set(networkInterface, groups.add(group));
  }

  leave(group: IpAddress, networkInterface: NetworkInterface): void {
    this.groups.get(networkInterface)?.delete(group);
  }

  forgetGroups(networkInterface: NetworkInterface): void {
    this.groups.delete(networkInterface);
  }

  private isMember(group: IpAddress, networkInterface: NetworkInterface): boolean {
    if (group === ALL_HOSTS || group === ALL_NODES || group === ALL_NODES_ON_INTERFACE) return true;
    return this.solicitedNodes.get(networkInterface)?.has(group) === true || this.groups.get(networkInterface)?.has(group) === true;
  }
}

function ipv6AddressesOf(networkInterface: NetworkInterface): readonly IpPrefix[] {
  return networkInterface.addresses.filter(({ address }) => isIpv6(address));
}
