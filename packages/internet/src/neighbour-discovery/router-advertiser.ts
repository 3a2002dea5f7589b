// Being a router: advertising oneself and the prefixes of a link (RFC 4861 §6.2).
import {
  type Host,
  type IpPrefix,
  isIpv6,
  isLinkLocal,
  type MacAddress,
  type Milliseconds,
  networkOf,
  PacketBuffer,
  randomFraction,
  type Timer,
} from "@netstrata/core";
import { OPTION_SOURCE_LINK_ADDRESS, type RouterPreference, writeLinkAddress, writeMtu, writePrefix } from "./discovery-options.ts";

/** RFC 4861 §6.2.1; times in seconds, as on the wire. */
export interface RouterAdvertisementOptions {
  /** Between two advertisements that nobody asked for: at most, and at least a third of it. @default 600 */
  readonly interval?: number;
  /** How long this router may be a default router; 0: it is none. @default 1800 */
  readonly lifetime?: number;
  /** RFC 4191 §2.1. @default 0 */
  readonly preference?: RouterPreference;
  /** The hop limit that hosts are to use. @default 64 */
  readonly hopLimit?: number;
  /** @default 2592000 */
  readonly validLifetime?: number;
  /** @default 604800 */
  readonly preferredLifetime?: number;
}

/** RFC 4861 §10, in ms. */
const MAX_INITIAL_INTERVAL: Milliseconds = 16_000;
const MAX_INITIAL_ADVERTISEMENTS = 3;
const MIN_DELAY_BETWEEN: Milliseconds = 3000;
const MAX_SOLICITED_DELAY: Milliseconds = 500;
/** In one advertisement; each takes 32 octets. */
const MAX_PREFIXES = 32;

/** What the advertiser needs of its interface. */
export interface AdvertisingLink {
  readonly macAddress: MacAddress;
  readonly mtu: number;
  readonly addresses: readonly IpPrefix[];
  readonly headroom: number;
  /** Sends an advertisement to all nodes; `rest` is its second word. */
  advertise(rest: number, body: PacketBuffer): void;
}

export class RouterAdvertiser {
  private readonly host: Host;
  private readonly link: AdvertisingLink;
  private readonly options: Required<RouterAdvertisementOptions>;
  private readonly timer: Timer;
  private sent = 0;
  private sentAt: Milliseconds = Number.NEGATIVE_INFINITY;

  constructor(host: Host, link: AdvertisingLink, options: RouterAdvertisementOptions = {}) {
    this.host = host;
    this.link = link;
    const defaults = {
      interval: 600,
      lifetime: 1800,
      preference: 0,
      hopLimit: 64,
      validLifetime: 2_592_000,
      preferredLifetime: 604_800,
    } as const;
    this.options = { ...defaults, ...options };
    if (!(this.options.interval >= 4 && this.options.interval <= 1800))
      throw new RangeError(`interval ${options.interval}: not 4 to 1800 s`);
    this.timer = host.clock.timer(() => this.advertise(this.options.lifetime));
  }

  start(): void {
    this.timer.arm(0);
  }

  /** RFC 4861 §6.2.6: soon, but multicasts keep their distance. */
  solicited(): void {
    const delay = randomFraction(this.host.random) * MAX_SOLICITED_DELAY;
    const wait = Math.max(delay, this.sentAt + MIN_DELAY_BETWEEN - this.host.clock.now());
    if (!this.timer.armed || this.timer.deadline > this.host.clock.now() + wait) this.timer.arm(wait);
  }

  /** RFC 4861 §6.2.5: a router that ceases says so. */
  stop(): void {
    this.timer.disarm();
    if (this.sent > 0) this.transmit(0);
  }

  private advertise(lifetime: number): void {
    this.transmit(lifetime);
    this.sent += 1;
    this.sentAt = this.host.clock.now();
    const longest = 1000 * this.options.interval;
    const interval = longest * (1 / 3 + (2 / 3) * randomFraction(this.host.random));
    this.timer.arm(this.sent < MAX_INITIAL_ADVERTISEMENTS ? Math.min(interval, MAX_INITIAL_INTERVAL) : interval);
  }

  private transmit(lifetime: number): void {
    const { preference, hopLimit, validLifetime, preferredLifetime } = this.options;
    const prefixes = this.link.addresses.filter(({ address }) => isIpv6(address) && !isLinkLocal(address)).slice(0, MAX_PREFIXES);
    // Reachable Time and Retrans Timer stay 0: no opinion.
    const fixed = 8;
    const body = PacketBuffer.allocate(this.link.headroom, fixed + 8 + 8 + 32 * prefixes.length);
    writeLinkAddress(body, fixed, OPTION_SOURCE_LINK_ADDRESS, this.link.macAddress);
    writeMtu(body, fixed + 8, this.link.mtu);
    for (const [index, each] of prefixes.entries()) {
      writePrefix(body, fixed + 16 + 32 * index, {
        prefix: networkOf(each),
        onLink: true,
        autonomous: each.length === 64,
        validLifetime,
        preferredLifetime,
      });
    }
    this.link.advertise(((hopLimit << 24) | ((preference & 3) << 19) | lifetime) >>> 0, body);
  }
}
