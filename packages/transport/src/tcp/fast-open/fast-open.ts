// TCP Fast Open (RFC 7413): text in the SYN, for those who have met before. What a stack shares of it.
import type { Host, Milliseconds } from "@netstrata/core";
import { FastOpenCache } from "./fast-open-cache.ts";
import { FastOpenCookies } from "./fast-open-cookies.ts";

/** What a stack does of Fast Open. Linux has these as bits of net.ipv4.tcp_fastopen. */
export interface FastOpenOptions {
  /** `open` may ask for cookies and send text with its SYN. @default true; it takes `fastOpen` at `open` besides */
  readonly client?: boolean;
  /** Listeners with a `fastOpenBacklog` give cookies and take text from SYNs. @default true */
  readonly server?: boolean;
  /** Send text with the SYN also without a cookie (§4.1.3: where the network is known). @default false */
  readonly clientWithoutCookie?: boolean;
  /** Take text also without a cookie: anyone can then make the server work for anybody else (§6.3.3). @default false */
  readonly serverWithoutCookie?: boolean;
  /** The `fastOpenBacklog` of listeners that are given none. @default 0 */
  readonly backlog?: number;
  /** How long a server's key serves before another takes its place (§4.1.2); cookies of the one before are good as long again. @default 86400000 ms */
  readonly keyLifetime?: Milliseconds;
}

const DAY: Milliseconds = 86_400_000;

export const DEFAULT_FAST_OPEN: Required<FastOpenOptions> = {
  client: true,
  server: true,
  clientWithoutCookie: false,
  serverWithoutCookie: false,
  backlog: 0,
  keyLifetime: DAY,
};

export class FastOpen {
  /** May be changed at any time. */
  options: Required<FastOpenOptions>;
  readonly cookies: FastOpenCookies;
  readonly cache: FastOpenCache;

  constructor(host: Host, options: FastOpenOptions = {}, keys?: Uint8Array) {
    this.options = { ...DEFAULT_FAST_OPEN, ...options };
    this.cookies = new FastOpenCookies(host, this.options.keyLifetime);
    this.cache = new FastOpenCache(host.clock);
    if (keys !== undefined) setFastOpenKeys(this.cookies, keys);
  }
}

/** `keys` as TCP_FASTOPEN_KEY has them: 16 octets, or 32 for this key and the one before. Any other length throws a RangeError. */
export function setFastOpenKeys(cookies: FastOpenCookies, keys: Uint8Array): void {
  if (keys.length === 32) cookies.setKeys(keys.subarray(0, 16), keys.subarray(16));
  else cookies.setKeys(keys);
}
