// A network of a world: a prefix, and who is on it with which address.
import { formatIp, type IpAddress, type IpPrefix, type Ipv4Address, isIpv4, networkOf, prefix, prefixContains } from "@netstrata/core";
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

  /** The next free address with the network's prefix length: `.1`, `.2` … */
  nextAddress(): string {
    const { address, length } = this.prefix;
    if (!isIpv4(address)) throw new RangeError("addresses are given out on IPv4 networks only; name them yourself");
    // The last one is the broadcast address, except where there is none (RFC 3021).
    const capacity = length >= 31 ? 2 ** (32 - length) : 2 ** (32 - length) - 2;
    const first = length >= 31 ? 0 : 1;
    for (; this.lastHost < capacity; this.lastHost += 1) {
      const candidate = (address + first + this.lastHost) as Ipv4Address;
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
