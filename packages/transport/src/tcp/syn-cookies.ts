// SYN cookies (RFC 4987 §3.6): under a flood, what a half-open connection would remember travels in our own sequence number.
import {
  type Host,
  type IpAddress,
  type Milliseconds,
  randomSipKey,
  type SequenceNumber,
  type SipKey,
  sequenceAdd,
  sipHash,
} from "@netstrata/core";
import type { Endpoint } from "../endpoint.ts";
import { connectionBytes } from "./initial-sequence-number.ts";
import type { TcpOptions } from "./tcp-options.ts";

/** "pressure": only while as many connections are half open as may be, and for the answers to those that were sent. */
export type SynCookieMode = "never" | "pressure" | "always";

/** A cookie counts the time in these; it is good in the one in which it was made and in the next. */
const PERIOD: Milliseconds = 64_000;
/** Bits of a cookie, from the top: the period, modulo 32; the place in the table of MSS; a hash of all that must not be forged. */
const MSS_BITS = 3;
const HASH_BITS = 24;
const HASH_MASK = 2 ** HASH_BITS - 1;

/** The largest that does not exceed what the peer said stands for it. The common ones lose nothing. */
const MSS_TABLE = {
  4: [64, 216, 536, 1024, 1220, 1300, 1440, 1460],
  6: [64, 536, 1024, 1220, 1280, 1420, 1440, 8940],
} as const;

export class SynCookies {
  mode: SynCookieMode;
  private readonly host: Host;
  private readonly key: SipKey;
  /** When the last one was sent; cookies that nobody has sent are not asked for. */
  private lastSentAt: Milliseconds = Number.NEGATIVE_INFINITY;

  constructor(host: Host, mode: SynCookieMode) {
    this.host = host;
    this.mode = mode;
    this.key = randomSipKey(host.random);
  }

  /** Our initial sequence number for the SYN with number `irs`. */
  make(local: Endpoint, remote: Endpoint, irs: SequenceNumber, maximumSegmentSize: number): SequenceNumber {
    this.lastSentAt = this.host.clock.now();
    const table = tableFor(remote.address);
    let place = table.length - 1;
    while (place > 0 && table[place] > maximumSegmentSize) place -= 1;
    return this.cookie(local, remote, irs, this.period, place);
  }

  /** A cookie may be about to come back. */
  get expectsAnswers(): boolean {
    return this.mode === "always" || this.host.clock.now() - this.lastSentAt < 2 * PERIOD;
  }

  /** The peer's MSS, if the segment <SEQ=irs+1><ACK=cookie+1> answers a cookie of ours. */
  check(local: Endpoint, remote: Endpoint, irs: SequenceNumber, cookie: SequenceNumber): number | undefined {
    const table = tableFor(remote.address);
    const place = (cookie >>> HASH_BITS) & (2 ** MSS_BITS - 1);
    for (const period of [this.period, this.period - 1]) {
      if (this.cookie(local, remote, irs, period, place) === cookie) return table[place];
    }
    return undefined;
  }

  private get period(): number {
    return Math.floor(this.host.clock.now() / PERIOD);
  }

  private cookie(local: Endpoint, remote: Endpoint, irs: SequenceNumber, period: number, place: number): SequenceNumber {
    const ends = connectionBytes(local, remote);
    const bytes = new Uint8Array(ends.length + 9);
    bytes.set(ends, 0);
    const view = new DataView(bytes.buffer, ends.length);
    view.setUint32(0, irs);
    view.setUint32(4, period);
    view.setUint8(8, place);
    const [hash] = sipHash(this.key, bytes);
    return (((period & 31) << (HASH_BITS + MSS_BITS)) | (place << HASH_BITS) | (hash & HASH_MASK)) >>> 0;
  }
}

function tableFor(address: IpAddress): readonly number[] {
  return MSS_TABLE[typeof address === "number" ? 4 : 6];
}

/** What does not fit into the number goes into the low bits of the timestamp, as Linux does it; the clock loses 64 ms of precision once. */
const OPTION_BITS = 6;
const OPTION_MASK = 2 ** OPTION_BITS - 1;
const NO_SCALE = 15;
const SACK_BIT = 16;
const ECN_BIT = 32;

export interface CookieOptions {
  readonly windowScale: number | undefined;
  readonly sackPermitted: boolean;
  readonly ecn: boolean;
}

/** The latest timestamp not after `clock` that says so. */
export function packCookieOptions(clock: number, options: CookieOptions): number {
  const { windowScale = NO_SCALE, sackPermitted, ecn } = options;
  const bits = Math.min(windowScale, NO_SCALE) | (sackPermitted ? SACK_BIT : 0) | (ecn ? ECN_BIT : 0);
  const packed = sequenceAdd(clock, -(clock & OPTION_MASK) + bits);
  return bits > (clock & OPTION_MASK) ? sequenceAdd(packed, -(2 ** OPTION_BITS)) : packed;
}

export function unpackCookieOptions(timestamp: number): CookieOptions {
  const scale = timestamp & 15;
  return {
    windowScale: scale === NO_SCALE ? undefined : scale,
    sackPermitted: (timestamp & SACK_BIT) !== 0,
    ecn: (timestamp & ECN_BIT) !== 0,
  };
}

/** The options of the peer's SYN, as far as the cookie and the echo of our timestamp remember them. */
export function optionsOfCookie(maximumSegmentSize: number, { timestamps }: TcpOptions): TcpOptions {
  // Without timestamps there was no room for them, so they were not agreed on.
  if (timestamps === undefined) return { maximumSegmentSize };
  return { maximumSegmentSize, ...unpackCookieOptions(timestamps.echoReply), timestamps };
}
