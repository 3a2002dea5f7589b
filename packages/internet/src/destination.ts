// What is known about sending to one address: the way there (RFC 1122 §3.3.1.2), its path MTU (RFC 1191 §3), its identifications.
import { type Clock, type IpAddress, isIpv4, type Milliseconds, type Random } from "@netstrata/core";
import type { NetworkInterface } from "@netstrata/link";
import { IPV4_MINIMUM_MTU } from "./ipv4-header.ts";
import { IPV6_MINIMUM_MTU } from "./ipv6-header.ts";

/** How long a learnt path MTU is believed before a larger one is tried again (RFC 1191 §6.3 recommends 10 minutes). */
export const PATH_MTU_LIFETIME: Milliseconds = 600_000;

/** A way to a destination. */
export interface Path {
  readonly interface: NetworkInterface;
  /** To whom the interface hands the datagram: a router, the destination itself, or a broadcast or multicast address. */
  readonly nextHop: IpAddress;
  /** True when `nextHop` is a router. */
  readonly viaRouter: boolean;
  /** The address to speak from; undefined when this host has none yet. */
  readonly source: IpAddress | undefined;
}

/** Everything that is known about sending to one address. */
export class Destination implements Path {
  readonly address: IpAddress;
  readonly interface: NetworkInterface;
  readonly nextHop: IpAddress;
  readonly viaRouter: boolean;
  readonly source: IpAddress | undefined;
  /** Of the cache, when this was resolved. */
  readonly generation: number;
  /** A source address that is known to be good, so that a connection's is checked once. */
  checkedSource: IpAddress | undefined;
  /** What the flow labels of everything that goes there are made with (RFC 6437 §3); 0 for IPv4. */
  flowSecret: number;
  private identification: number;
  private pathMtu = Number.POSITIVE_INFINITY;
  private pathMtuExpiry: Milliseconds = 0;

  constructor(address: IpAddress, path: Path, generation: number, random: Random) {
    this.address = address;
    this.interface = path.interface;
    this.nextHop = path.nextHop;
    this.viaRouter = path.viaRouter;
    this.source = path.source;
    this.generation = generation;
    const chance = random.uint32();
    this.identification = isIpv4(address) ? chance & 0xffff : chance;
    this.flowSecret = isIpv4(address) ? 0 : random.uint32();
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

  /**
   * The identification of the next datagram that may be fragmented (RFC 6864 §4.3, RFC 7739 §5.1): a counter of its own for each
   * destination, from a random start, tells nobody how much is sent to others.
   */
  nextIdentification(): number {
    this.identification = (this.identification + 1) & 0xffff;
    return this.identification;
  }

  /** The same with the 32 bits that it has in IPv6's fragment header. */
  nextFragmentIdentification(): number {
    this.identification = (this.identification + 1) >>> 0;
    return this.identification;
  }

  /** Takes over what an outdated entry had learnt, if the way is still the same. */
  inherit(former: Destination): void {
    this.identification = former.identification;
    this.flowSecret = former.flowSecret;
    if (former.interface !== this.interface || former.nextHop !== this.nextHop) return;
    this.pathMtu = former.pathMtu;
    this.pathMtuExpiry = former.pathMtuExpiry;
  }
}
