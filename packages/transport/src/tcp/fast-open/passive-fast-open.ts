// Fast Open as a server (RFC 7413 §4.2.2): who gets a cookie, and whose text is taken before the handshake is complete.
import type { Endpoint } from "../../endpoint.ts";
import type { Segment } from "../segment.ts";
import type { TcpContext } from "../transmission-control-block.ts";
import type { FastOpenCookies } from "./fast-open-cookies.ts";
import type { FastOpenQueue } from "./fast-open-queue.ts";

export interface FastOpenListener {
  readonly fastOpenQueue: FastOpenQueue;
  /** Cookies of keys of its own. */
  readonly fastOpenCookies: FastOpenCookies | undefined;
}

export interface FastOpenDecision {
  /** The connection may work before its handshake is complete, and text from the SYN is taken. */
  readonly accepts: boolean;
  /** What the SYN,ACK gives the client. */
  readonly cookie: Uint8Array | undefined;
}

const REFUSED: FastOpenDecision = { accepts: false, cookie: undefined };

/** What to do about a SYN that may be a fast one. */
export function decideFastOpen(
  context: TcpContext,
  listener: FastOpenListener,
  segment: Segment,
  local: Endpoint,
  remote: Endpoint,
): FastOpenDecision {
  const { counters } = context;
  const { options } = context.fastOpen;
  const cookies = listener.fastOpenCookies ?? context.fastOpen.cookies;
  const queue = listener.fastOpenQueue;
  const cookie = segment.options.fastOpen?.cookie;
  if (cookie?.length === 0) counters.TCPFastOpenCookieReqd += 1;
  if (!options.server || queue.limit === 0 || (cookie === undefined && segment.payload.length === 0)) return REFUSED;
  if (queue.isFull) {
    // §4.2.2: as if it were off, until some have shown themselves.
    counters.TCPFastOpenListenOverflow += 1;
    return REFUSED;
  }
  if (options.serverWithoutCookie) {
    counters.TCPFastOpenPassive += 1;
    return { accepts: true, cookie: undefined };
  }
  if (cookie === undefined) return REFUSED;
  const verdict = cookie.length === 0 ? "invalid" : cookies.judge(cookie, local, remote);
  if (verdict !== "invalid") {
    counters.TCPFastOpenPassive += 1;
    if (verdict === "old") counters.TCPFastOpenPassiveAltKey += 1;
    return { accepts: true, cookie: verdict === "old" ? cookies.cookieFor(local, remote) : undefined };
  }
  // A wrong cookie is answered by the right one, so that the next time is fast.
  if (cookie.length > 0) counters.TCPFastOpenPassiveFail += 1;
  return { accepts: false, cookie: cookies.cookieFor(local, remote) };
}
