// What a client remembers of servers that speak Fast Open (RFC 7413 §4.1.3): their cookies, and where it did harm.
import type { Clock, IpAddress, Milliseconds } from "@netstrata/core";
import type { FastOpenOption } from "../tcp-options.ts";

/** Servers remembered; the one that was not asked for longest makes room. */
export const MAX_FAST_OPEN_SERVERS = 1024;
/** After so many lost SYNs with text in a row the next go without, for a time that doubles with each. */
const LOSSES_BEFORE_PAUSE = 2;
const FIRST_PAUSE: Milliseconds = 60_000;
const MOST_DOUBLINGS = 8;

export interface FastOpenServer {
  /** Undefined as long as none was given. */
  readonly cookie: Uint8Array | undefined;
  /** The option stands at the place for experiments, as some old servers want it (§4.1.1). */
  readonly experimental: boolean;
  /** §4.1.3.1: the MSS of the last SYN,ACK. */
  readonly maximumSegmentSize: number | undefined;
  readonly losses: number;
  readonly lostAt: Milliseconds;
}

const UNKNOWN: FastOpenServer = { cookie: undefined, experimental: false, maximumSegmentSize: undefined, losses: 0, lostAt: 0 };

export class FastOpenCache {
  private readonly clock: Clock;
  private readonly servers: Map<IpAddress, FastOpenServer> = new Map();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get size(): number {
    return this.servers.size;
  }

  /** What is known of `address`; undefined when Fast Open has done harm there of late (§4.1.3.1: negative responses are remembered). */
  lookUp(address: IpAddress): FastOpenServer | undefined {
    const server = this.servers.get(address) ?? UNKNOWN;
    if (server.losses < LOSSES_BEFORE_PAUSE) return server;
    const pause = FIRST_PAUSE * 2 ** Math.min(MOST_DOUBLINGS, server.losses);
    return this.clock.now() - server.lostAt < pause ? undefined : server;
  }

  /** A SYN,ACK has come, with this option or without. */
  answered(address: IpAddress, option: FastOpenOption | undefined, maximumSegmentSize: number | undefined): void {
    const known = this.servers.get(address);
    const gives = option !== undefined && option.cookie.length > 0;
    if (known === undefined && !gives) return;
    this.remember(address, {
      ...(known ?? UNKNOWN),
      ...(gives ? { cookie: option.cookie, experimental: option.experimental } : {}),
      maximumSegmentSize,
      losses: 0,
    });
  }

  /** The cookie was asked for in one form of the option and did not come: the other is tried next. */
  tryOtherForm(address: IpAddress): void {
    const known = this.servers.get(address) ?? UNKNOWN;
    this.remember(address, { ...known, experimental: !known.experimental });
  }

  /** §4.1.3, §7.1: the SYN with text or option got no answer, and the one without did. */
  lost(address: IpAddress): void {
    const known = this.servers.get(address) ?? UNKNOWN;
    this.remember(address, { ...known, losses: known.losses + 1, lostAt: this.clock.now() });
  }

  clear(): void {
    this.servers.clear();
  }

  private remember(address: IpAddress, server: FastOpenServer): void {
    this.servers.delete(address);
    if (this.servers.size >= MAX_FAST_OPEN_SERVERS) {
      const [oldest] = this.servers.keys();
      this.servers.delete(oldest);
    }
    this.servers.set(address, server);
  }
}
