// Fast Open cookies of a server (RFC 7413 §4.1.2): proof that a client can be reached at its address, kept by nobody but the client.
import { type Host, ipToBytes, type Milliseconds, type SipKey, sipHash } from "@netstrata/core";
import type { Endpoint } from "../../endpoint.ts";

/** Octets of a cookie (§4.1.1: 4 to 16). */
const COOKIE_LENGTH = 8;
/** Octets of a key, as users give it. */
export const FAST_OPEN_KEY_LENGTH = 16;

/** What a cookie is worth: "old" ones were made with the key before this one, and deserve a new one. */
export type CookieVerdict = "valid" | "old" | "invalid";

/**
 * A cookie is SipHash-2-4 of both addresses: nothing has to be remembered, and nobody else can make one. Linux reckons alike, so
 * with its key the cookies are the same.
 */
export class FastOpenCookies {
  private readonly host: Host;
  private key: SipKey;
  private formerKey: SipKey | undefined;
  /** How long a key serves; Infinity for those that a user has given. */
  private lifetime: Milliseconds;
  private since: Milliseconds;

  /** @param lifetime how long a key serves before a random one takes its place (§4.1.2) */
  constructor(host: Host, lifetime: Milliseconds) {
    this.host = host;
    this.key = this.draw();
    this.lifetime = lifetime;
    this.since = host.clock.now();
  }

  /** The user's own keys, of 16 octets each, so that several servers behind one address share them: for making, and for a transition. */
  setKeys(key: Uint8Array, formerKey?: Uint8Array): void {
    this.key = toSipKey(key);
    this.formerKey = formerKey === undefined ? undefined : toSipKey(formerKey);
    this.lifetime = Number.POSITIVE_INFINITY;
  }

  cookieFor(local: Endpoint, remote: Endpoint): Uint8Array {
    this.rotate();
    return makeCookie(this.key, local, remote);
  }

  judge(cookie: Uint8Array, local: Endpoint, remote: Endpoint): CookieVerdict {
    this.rotate();
    if (equals(cookie, makeCookie(this.key, local, remote))) return "valid";
    if (this.formerKey !== undefined && equals(cookie, makeCookie(this.formerKey, local, remote))) return "old";
    return "invalid";
  }

  private rotate(): void {
    const now = this.host.clock.now();
    const age = now - this.since;
    if (age < this.lifetime) return;
    this.formerKey = age < 2 * this.lifetime ? this.key : undefined;
    this.key = this.draw();
    this.since = now;
  }

  private draw(): SipKey {
    const { random } = this.host;
    return [random.uint32(), random.uint32(), random.uint32(), random.uint32()];
  }
}

function makeCookie(key: SipKey, local: Endpoint, remote: Endpoint): Uint8Array {
  const from = ipToBytes(remote.address);
  const to = ipToBytes(local.address);
  const addresses = new Uint8Array(from.length + to.length);
  addresses.set(from, 0);
  addresses.set(to, from.length);
  const [low, high] = sipHash(key, addresses);
  const cookie = new DataView(new ArrayBuffer(COOKIE_LENGTH));
  cookie.setUint32(0, low, true);
  cookie.setUint32(4, high, true);
  return new Uint8Array(cookie.buffer);
}

function toSipKey(bytes: Uint8Array): SipKey {
  if (bytes.length !== FAST_OPEN_KEY_LENGTH)
    throw new RangeError(`a Fast Open key has ${FAST_OPEN_KEY_LENGTH} octets, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true), view.getUint32(12, true)];
}

/** All octets are looked at, so that the time it takes tells nothing. */
function equals(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < b.length; index += 1) difference |= (a[index] ?? 0) ^ b[index];
  return difference === 0;
}
