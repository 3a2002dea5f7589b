// Fast Open as a client (RFC 7413 §4.2.1): the SYN that asks for a cookie or brings one and text, and what its answer means.
import { sequenceAdd } from "@netstrata/core";
import type { Segment } from "../segment.ts";
import { TCP_HEADER_LENGTH } from "../tcp-header.ts";
import type { FastOpenOption } from "../tcp-options.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";

/** §4.1.3.1: without a cached MSS, what every host takes: 536 octets over IPv4, 1220 over IPv6. */
const UNKNOWN_MSS = { 4: 536, 6: 1220 } as const;
/** Room in the SYN for every option there may be; middleboxes add some of their own. */
const OPTION_SPACE = 40;

/** What a connection has tried. */
export interface FastOpenAttempt {
  /** The option of our SYN or SYN,ACK; undefined where text goes without one. */
  readonly option: FastOpenOption | undefined;
  /** Octets of text that went with the SYN. */
  readonly length: number;
}

/** Makes the connection's SYN a fast one where it can be, with as much of `text` as fits; the rest follows the handshake. */
export function prepareFastOpen(tcb: TransmissionControlBlock, text: Uint8Array, withoutCookie: boolean): void {
  const { fastOpen } = tcb.context;
  if (!fastOpen.options.client) return;
  const server = fastOpen.cache.lookUp(tcb.remote.address);
  if (server === undefined) return;
  const { cookie, experimental } = server;
  const isKnown = cookie !== undefined && !withoutCookie;
  const mayCarryText = isKnown || withoutCookie || fastOpen.options.clientWithoutCookie;
  const option = isKnown || !mayCarryText ? { cookie: cookie ?? new Uint8Array(0), experimental } : undefined;
  tcb.fastOpen = { option, length: mayCarryText ? Math.min(text.length, roomInSyn(tcb, server.maximumSegmentSize)) : 0 };
}

function roomInSyn(tcb: TransmissionControlBlock, maximumSegmentSize: number | undefined): number {
  const { ip } = tcb.context;
  const path = ip.maxSendSize(tcb.remote.address) - TCP_HEADER_LENGTH;
  const mss = maximumSegmentSize ?? UNKNOWN_MSS[typeof tcb.remote.address === "number" ? 4 : 6];
  return Math.max(0, Math.min(Math.max(tcb.options.minimumSegmentSize, mss), path) - OPTION_SPACE);
}

/** The SYN,ACK has come. To be called before it is acknowledged, while the scoreboard still shows how often the SYN was sent. */
export function noteFastOpenAnswer(tcb: TransmissionControlBlock, segment: Segment): void {
  const tried = tcb.fastOpen;
  const { fastOpen } = tcb.context;
  if (tried === undefined) return;
  const { address } = tcb.remote;
  const { fastOpen: option, maximumSegmentSize } = segment.options;
  const takesText = tried.length > 0 && segment.ack !== sequenceAdd(tcb.iss, 1);
  if (tried.length > 0) tcb.context.counters[takesText ? "TCPFastOpenActive" : "TCPFastOpenActiveFail"] += 1;
  tcb.synTextAcknowledged = takesText;
  const isRepeated = (tcb.scoreboard.first()?.transmissions ?? 1) > 1;
  // §4.1.3: the SYN that was answered is the second, bare one; the first seems to have been thrown away on the way.
  if (isRepeated && option === undefined && !takesText) {
    fastOpen.cache.lost(address);
    return;
  }
  fastOpen.cache.answered(address, option, maximumSegmentSize);
  if (tried.option?.cookie.length === 0 && option === undefined) fastOpen.cache.tryOtherForm(address);
}

/** Nothing at all has come back, however often it was tried: something on the way may not like text in a SYN (§7.1). */
export function noteFastOpenSilence(tcb: TransmissionControlBlock): void {
  if (tcb.fastOpen === undefined || tcb.state !== "SYN-SENT") return;
  tcb.context.fastOpen.cache.lost(tcb.remote.address);
  tcb.context.counters.TCPFastOpenBlackhole += 1;
}
