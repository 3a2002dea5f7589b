// A network of a world: a prefix, and who is on it with which address.
import {
  formatIp,
  type IpAddress,
  type IpPrefix,
  type Ipv4Address,
  type Ipv6Address,
  isIpv4,
  networkOf,
  prefix,
  prefixContains,
} from "@netstrata/core";
import type { NetworkInterface } from "@netstrata/link";
import type { Stack } from "@netstrata/socket";

export interface Member {
  readonly stack: Stack;
  readonly interface: NetworkInterface;
  /** Its address on this network. */
  readonly address: IpAddress;
}

export class Network {
  readonly prefix: IpPrefix;
  readonly members: Member[] = [];
  private lastHost = 0;

  /** @param text `"10.0.1.0/24"` */
  constructor(text: string) {
    this.prefix = networkOf(prefix(text));
  }

  overlaps(other: IpPrefix): boolean {
    return prefixContains(this.prefix, other.address) || prefixContains(other, this.prefix.address);
  }

  /** The next free address with the network's prefix length: `.1`, `.2` …, or `::1`, `::2` … */
  nextAddress(): string {
    const { address, length } = this.prefix;
    const { first, capacity } = hostsOf(this.prefix);
    for (; this.lastHost < capacity; this.lastHost += 1) {
      const candidate = addressAt(address, first + this.lastHost);
      if (this.members.some((member) => member.address === candidate)) continue;
      this.lastHost += 1;
      return `${formatIp(candidate)}/${length}`;
    }
    throw new RangeError(`network ${formatIp(address)}/${length} is full: it has ${this.members.length} members`);
  }

  /** Takes in whoever has an address of this network on `networkInterface`. */
  join(stack: Stack, networkInterface: NetworkInterface): void {
    for (const { address } of networkInterface.addresses) {
      if (prefixContains(this.prefix, address)) this.members.push({ stack, interface: networkInterface, address });
    }
  }
}

/** The number of the first host of a network, and how many numbers there are. */
function hostsOf({ address, length }: IpPrefix): { readonly first: number; readonly capacity: number } {
  if (isIpv4(address)) {
    // The last one is the broadcast address, except where there is none (RFC 3021).
    return length >= 31 ? { first: 0, capacity: 2 ** (32 - length) } : { first: 1, capacity: 2 ** (32 - length) - 2 };
  }
  // Number 0 is every router of the network (RFC 4291 §2.6.1), except between two (RFC 6164).
  const bits = Math.min(16, 128 - length);
  return bits <= 1 ? { first: 0, capacity: 2 ** bits } : { first: 1, capacity: 2 ** bits - 1 };
}

function addressAt(network: IpAddress, number: number): IpAddress {
  if (isIpv4(network)) return (network + number) as Ipv4Address;
  return (network.slice(0, 7) + String.fromCharCode(network.charCodeAt(7) + number)) as Ipv6Address;
}
