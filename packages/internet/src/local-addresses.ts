// What is this host's own: its addresses, the broadcast addresses of its networks, its groups (RFC 1122 §3.2.1.3).
import {
  broadcastOf,
  IPV4_ANY,
  IPV4_BROADCAST,
  type IpAddress,
  type IpPrefix,
  isIpv4,
  isLoopback,
  isMulticast,
  networkOf,
  prefixContains,
} from "@netstrata/core";
import type { LinkCast, NetworkInterface } from "@netstrata/link";

/** 224.0.0.1, of which every host is a member (RFC 1112 §4). */
const ALL_HOSTS = 0xe0000001;

export class LocalAddresses {
  /** In the order in which they were added. */
  interfaces: readonly NetworkInterface[] = [];
  /** The interface that leads back into this host; it makes all of 127/8 local. */
  loopback: NetworkInterface | undefined;
  private readonly own = new Map<IpAddress, NetworkInterface>();
  private readonly broadcasts = new Map<IpAddress, NetworkInterface>();
  private readonly groups = new Map<NetworkInterface, Set<IpAddress>>();

  /** Reads the interfaces' addresses anew; to be called after each change. */
  refresh(): void {
    this.own.clear();
    this.broadcasts.clear();
    for (const networkInterface of this.interfaces) {
      for (const prefix of networkInterface.addresses) this.note(prefix, networkInterface);
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
    const candidates = networkInterface.addresses.filter(({ address }) => isIpv4(address) === isIpv4(neighbour));
    const chosen = candidates.find((prefix) => prefixContains(prefix, neighbour)) ?? candidates[0];
    return chosen?.address ?? this.anyAddress(neighbour);
  }

  /** For an interface without an address of its own: the first that the host has elsewhere (RFC 1812 §2.2.7, unnumbered lines). */
  private anyAddress(like: IpAddress): IpAddress | undefined {
    for (const address of this.own.keys()) if (isIpv4(address) === isIpv4(like) && !isLoopback(address)) return address;
    return undefined;
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
    return group === ALL_HOSTS || this.groups.get(networkInterface)?.has(group) === true;
  }
}
