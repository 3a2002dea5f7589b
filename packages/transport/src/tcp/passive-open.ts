// Passive open (RFC 9293 §3.10.7.2): what a listener's port makes of a SYN, and of an acknowledgment that answers a SYN cookie.
import { type SequenceNumber, sequenceAdd } from "@netstrata/core";
import type { ReturnRoute } from "@netstrata/internet";
import type { Endpoint } from "../endpoint.ts";
import { setSendWindow } from "./acknowledgment.ts";
import { startCongestionControl } from "./congestion-feedback.ts";
import type { ResolvedTcpOptions } from "./connection-options.ts";
import { createDelayedAcknowledgment } from "./delayed-acknowledgment.ts";
import { finishEvent } from "./event.ts";
import type { FastOpen } from "./fast-open/fast-open.ts";
import { decideFastOpen } from "./fast-open/passive-fast-open.ts";
import type { Listener } from "./listener.ts";
import { receiveText, selectWindow } from "./receiver.ts";
import type { Segment } from "./segment.ts";
import { applySynOptions, segmentArrives } from "./segment-arrives.ts";
import { updateSegmentSize } from "./segment-size.ts";
import { sendCookie, sendSyn } from "./sender.ts";
import { followRoute } from "./source-route.ts";
import { optionsOfCookie, packCookieOptions, type SynCookies } from "./syn-cookies.ts";
import type { TcpDropReason } from "./tcp-counters.ts";
import { FIN } from "./tcp-header.ts";
import { timestampClock } from "./timestamps.ts";
import type { TcpContext, TransmissionControlBlock } from "./transmission-control-block.ts";

/** What the LISTEN state needs of the TCP it belongs to. */
export interface ListeningTcp extends TcpContext {
  readonly synCookies: SynCookies;
  readonly fastOpen: FastOpen;
  /** As many connections exist as may. */
  readonly isFull: boolean;
  /** Where a connection between these ends starts. @param formerNxt SND.NXT of an earlier one, beyond which it has to */
  chooseInitialNumber(local: Endpoint, remote: Endpoint, formerNxt?: SequenceNumber): SequenceNumber;
  /** A control block that is in no table yet. */
  createBlock(
    local: Endpoint,
    remote: Endpoint,
    passive: boolean,
    options: ResolvedTcpOptions,
    iss: SequenceNumber,
  ): TransmissionControlBlock;
  add(tcb: TransmissionControlBlock): void;
}

/** A SYN and whom it is for. */
export interface ArrivingSyn {
  readonly segment: Segment;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly route: ReturnRoute | undefined;
  /** SND.NXT of a connection in TIME-WAIT that it reopens. */
  readonly formerNxt: SequenceNumber | undefined;
}

/** Third, check for a SYN. Returns why nothing came of it. */
export function synArrives(tcp: ListeningTcp, listener: Listener, syn: ArrivingSyn): TcpDropReason | undefined {
  const { counters, synCookies } = tcp;
  if (listener.isFull) {
    counters.ListenOverflows += 1;
    return "accept-queue-full";
  }
  const isReopening = syn.formerNxt !== undefined;
  if (!isReopening && (synCookies.mode === "always" || (synCookies.mode === "pressure" && listener.hasManyHalfOpen))) {
    if (listener.hasManyHalfOpen) counters.TCPReqQFullDoCookies += 1;
    answerWithCookie(tcp, listener, syn);
    return undefined;
  }
  if (tcp.isFull) return "connection-limit";
  const room = listener.makeRoom();
  if (room !== "room") {
    // In a flood the peers that do not answer make room for those that may; until one has shown itself, the newcomer waits.
    counters.ListenDrops += 1;
    if (room === "full") return "backlog-full";
    tcp.drops.count("backlog-full");
  }
  open(tcp, listener, syn);
  return undefined;
}

function open(tcp: ListeningTcp, listener: Listener, syn: ArrivingSyn): void {
  const { segment, local, remote, route } = syn;
  const { accepts, cookie } = decideFastOpen(tcp, listener, segment, local, remote);
  const tcb = tcp.createBlock(local, remote, true, listener.options, tcp.chooseInitialNumber(local, remote, syn.formerNxt));
  tcp.add(tcb);
  tcp.counters.PassiveOpens += 1;
  if (cookie !== undefined) {
    tcb.fastOpen = { option: { cookie, experimental: segment.options.fastOpen?.experimental === true }, length: 0 };
  }
  beginSynReceived(tcb, segment);
  tcb.ecnHandshake.synArrived(tcb, segment);
  if (route !== undefined) followRoute(tcb, route);
  updateSegmentSize(tcb);
  tcb.listener = listener;
  listener.opened(tcb);
  if (!accepts) {
    // Text that came with the SYN is left to be sent again: it must not be delivered before ESTABLISHED.
    sendSyn(tcb);
    return;
  }
  takeTextOfSyn(tcb, segment);
  listener.fastOpenQueue.enter();
  tcb.fastOpenQueue = listener.fastOpenQueue;
  sendSyn(tcb);
  // RFC 7413 §4.2.2: the user may read and write before the handshake is complete.
  startCongestionControl(tcb, 1, undefined);
  tcb.pending.opened = true;
  finishEvent(tcb);
}

function beginSynReceived(tcb: TransmissionControlBlock, segment: Segment): void {
  tcb.irs = segment.seq;
  tcb.rcv.nxt = sequenceAdd(segment.seq, 1);
  applySynOptions(tcb, segment.options);
  tcb.setState("SYN-RECEIVED");
}

function takeTextOfSyn(tcb: TransmissionControlBlock, segment: Segment): void {
  // RFC 7323 §2.2: the window in a segment with SYN is not scaled.
  setSendWindow(tcb, segment, segment.window);
  segment.seq = tcb.rcv.nxt;
  // A FIN that came along comes again.
  segment.flags &= ~FIN;
  segment.payload.truncate(Math.min(segment.payload.length, tcb.receiveRoom));
  if (segment.payload.length === 0) return;
  receiveText(tcb, segment);
  // The SYN,ACK acknowledges it. When that is to be done is reckoned from what follows.
  tcb.acknowledging = createDelayedAcknowledgment(tcb.options.acknowledgments);
  tcb.synTextAcknowledged = true;
}

/** The control block lives for one segment: it makes the SYN,ACK that any other would be answered by, and is forgotten. */
function answerWithCookie(tcp: ListeningTcp, listener: Listener, { segment, local, remote, route }: ArrivingSyn): void {
  const maximumSegmentSize = segment.options.maximumSegmentSize ?? 536;
  const cookie = tcp.synCookies.make(local, remote, segment.seq, maximumSegmentSize);
  const tcb = tcp.createBlock(local, remote, true, listener.options, cookie);
  beginSynReceived(tcb, segment);
  if (route !== undefined) followRoute(tcb, route);
  rememberInTimestamp(tcb);
  sendCookie(tcb);
  tcp.counters.SyncookiesSent += 1;
}

/** Without timestamps there is no room for other options than the MSS, so they are not agreed on. ECN (RFC 3168) never is. */
function rememberInTimestamp(tcb: TransmissionControlBlock): void {
  const { timestamps } = tcb;
  if (!timestamps.enabled) {
    tcb.sackPermitted = false;
    tcb.peerScales = false;
    return;
  }
  const clock = timestampClock(tcb);
  const windowScale = tcb.peerScales ? tcb.snd.shift : undefined;
  const packed = packCookieOptions(clock, { windowScale, sackPermitted: tcb.sackPermitted, ecn: false });
  timestamps.offset += packed - clock;
}

/** An ACK for a listener's port that belongs to no connection. Returns why it did not complete a handshake. */
export function answerToCookieArrives(
  tcp: ListeningTcp,
  listener: Listener,
  { segment, local, remote, route }: ArrivingSyn,
): TcpDropReason | "delivered" | "answer-with-reset" {
  const { synCookies, counters } = tcp;
  if (synCookies.mode === "never" || !synCookies.expectsAnswers) return "no-connection";
  const irs = sequenceAdd(segment.seq, -1);
  const iss = sequenceAdd(segment.ack, -1);
  const maximumSegmentSize = synCookies.check(local, remote, irs, iss);
  if (maximumSegmentSize === undefined) {
    counters.SyncookiesFailed += 1;
    return "no-connection";
  }
  counters.SyncookiesRecv += 1;
  if (listener.isFull) {
    counters.ListenOverflows += 1;
    counters.ListenDrops += 1;
    return "accept-queue-full";
  }
  if (tcp.isFull) return "connection-limit";
  const tcb = tcp.createBlock(local, remote, true, listener.options, iss);
  tcp.add(tcb);
  counters.PassiveOpens += 1;
  tcb.irs = irs;
  tcb.rcv.nxt = segment.seq;
  applySynOptions(tcb, optionsOfCookie(maximumSegmentSize, segment.options));
  tcb.setState("SYN-RECEIVED");
  if (route !== undefined) followRoute(tcb, route);
  updateSegmentSize(tcb);
  tcb.snd.nxt = segment.ack;
  // What our SYN,ACK offered.
  selectWindow(tcb, true);
  tcb.listener = listener;
  tcb.inEvent = true;
  const outcome = segmentArrives(tcb, segment);
  finishEvent(tcb);
  return outcome === "answer-with-reset" ? outcome : "delivered";
}
