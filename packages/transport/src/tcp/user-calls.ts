// The user calls of an open connection (RFC 9293 §3.10.2 to §3.10.6).

import { type ErrorCode, isAfter, sequenceAdd, sequenceDistance } from "@netstrata/core";
import type { Endpoint } from "../endpoint.ts";
import { sendRoom, settleMemory } from "./buffers/connection-memory.ts";
import { abort, becomeClosed } from "./closing.ts";
import { replaceCongestionControl } from "./congestion-feedback.ts";
import { type ResolvedTcpOptions, resolveTcpOptions } from "./connection-options.ts";
import { createDelayedAcknowledgment } from "./delayed-acknowledgment.ts";
import { finishEvent } from "./event.ts";
import { type LinuxTcpInfo, linuxTcpInfo } from "./linux-tcp-info.ts";
import { becomeOrphan } from "./orphan.ts";
import { queueText } from "./queue-text.ts";
import { updateSegmentSize } from "./segment-size.ts";
import { canReceive, canSend, isSynchronized, type TcpState } from "./state.ts";
import type { TcpConnection, TcpConnectionOptions, TcpInfo, TcpUser } from "./tcp-service.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";
import type { SendMarks } from "./write-queue.ts";

/** What the user holds of a connection. It survives the connection: reading what was received goes on after the end. */
export class UserCalls implements TcpConnection {
  private readonly tcb: TransmissionControlBlock;

  constructor(tcb: TransmissionControlBlock) {
    this.tcb = tcb;
  }

  get local(): Endpoint {
    return this.tcb.local;
  }

  get remote(): Endpoint {
    return this.tcb.remote;
  }

  get state(): TcpState {
    return this.tcb.state;
  }

  get user(): TcpUser {
    return this.tcb.user;
  }

  set user(user: TcpUser) {
    this.tcb.user = user;
  }

  get options(): ResolvedTcpOptions {
    return this.tcb.options;
  }

  get error(): ErrorCode | undefined {
    return this.tcb.error;
  }

  get isClosed(): boolean {
    return this.tcb.closedNotified;
  }

  get writableLength(): number {
    return sendRoom(this.tcb);
  }

  get readableLength(): number {
    return this.tcb.receiveBuffer.length;
  }

  get endOfStream(): boolean {
    const { tcb } = this;
    if (tcb.receiveBuffer.length > 0) return false;
    return this.peerClosed || tcb.readClosed;
  }

  get peerClosed(): boolean {
    const { rcv } = this.tcb;
    return rcv.fin !== undefined && isAfter(rcv.nxt, rcv.fin);
  }

  get unacknowledgedLength(): number {
    const { tcb } = this;
    return tcb.state === "CLOSED" ? 0 : sequenceDistance(tcb.bufferStart, tcb.sendEnd);
  }

  get unsentLength(): number {
    const { tcb } = this;
    return tcb.state === "CLOSED" ? 0 : Math.max(0, sequenceDistance(tcb.snd.nxt, tcb.sendEnd));
  }

  get urgentLength(): number {
    const { rcv, receiveBuffer } = this.tcb;
    return rcv.up === undefined ? 0 : Math.max(0, sequenceDistance(sequenceAdd(rcv.nxt, -receiveBuffer.length), rcv.up));
  }

  send(bytes: Uint8Array, marks?: SendMarks): number | ErrorCode {
    const { tcb } = this;
    if (tcb.error !== undefined) return tcb.error;
    if (tcb.finQueued || !canSend(tcb.state)) return "EPIPE";
    const count = Math.min(bytes.length, this.writableLength);
    if (count < bytes.length) tcb.sendBlocked = true;
    if (count > 0) {
      // What was not taken in full is not held back for more: there is no room for more.
      if (count === bytes.length) queueText(tcb, bytes, marks);
      else queueText(tcb, bytes.subarray(0, count), undefined);
      this.finish();
    }
    return count;
  }

  wantRoom(): void {
    this.tcb.sendBlocked = true;
  }

  sendUrgent(bytes: Uint8Array): number | ErrorCode {
    const { tcb } = this;
    const count = Math.min(bytes.length, this.writableLength);
    // The mark is set before anything goes out, so that the segment which carries the octets announces them.
    if (count > 0 && canSend(tcb.state)) tcb.snd.up = sequenceAdd(tcb.bufferStart, tcb.sendBuffer.length + count);
    return this.send(bytes);
  }

  receive(limit: number = Number.POSITIVE_INFINITY): Uint8Array | undefined {
    const bytes = this.tcb.receiveBuffer.read(limit);
    if (bytes !== undefined) this.afterReading();
    return bytes;
  }

  receiveInto(target: Uint8Array): number {
    const count = this.tcb.receiveBuffer.readInto(target);
    if (count > 0) this.afterReading();
    return count;
  }

  peekInto(target: Uint8Array, skip = 0): number {
    return this.tcb.receiveBuffer.peekInto(target, skip);
  }

  close(): void {
    const { tcb } = this;
    if (tcb.finQueued || tcb.state === "CLOSED") return;
    if (tcb.state === "SYN-SENT") {
      // §3.10.4: nothing has been agreed on, so there is nothing to end.
      becomeClosed(tcb, undefined);
    } else if (tcb.unreadDiscarded) {
      this.abortOnUnreadData();
    } else {
      tcb.finQueued = true;
      // In SYN-RECEIVED the call is kept until ESTABLISHED (§3.10.4).
      if (tcb.state === "CLOSE-WAIT") tcb.setState("LAST-ACK");
      else if (tcb.state === "ESTABLISHED") tcb.setState("FIN-WAIT-1");
      if (tcb.readClosed) becomeOrphan(tcb);
    }
    this.finish();
  }

  closeRead(): void {
    const { tcb } = this;
    if (tcb.readClosed) return;
    tcb.readClosed = true;
    // In TIME-WAIT the peer has gone: it cannot be told, and the wait must go on (MUST-13).
    if (tcb.receiveBuffer.length > 0 && tcb.finQueued && isSynchronized(tcb.state) && tcb.state !== "TIME-WAIT") this.abortOnUnreadData();
    else if (tcb.finQueued) becomeOrphan(tcb);
    if (!tcb.finQueued || tcb.state === "TIME-WAIT") {
      tcb.unreadDiscarded = tcb.receiveBuffer.length > 0;
      tcb.receiveBuffer.clear();
      this.afterReading();
    }
    this.finish();
  }

  refuseText(): void {
    this.tcb.refusesText = true;
  }

  abort(): void {
    const { tcb } = this;
    abort(tcb, undefined);
    tcb.receiveBuffer.clear();
    this.finish();
  }

  set(options: TcpConnectionOptions): void {
    const { tcb } = this;
    if (options.userTimeoutOption !== undefined && options.userTimeoutOption !== tcb.options.userTimeoutOption) tcb.userTimeout.due = true;
    tcb.options = resolveTcpOptions(tcb.options, options);
    tcb.ipOptions = { ...tcb.ipOptions, timeToLive: tcb.options.timeToLive, trafficClass: tcb.options.trafficClass };
    if (options.accurateEcnOption !== undefined && tcb.ecn?.kind === "accurate") {
      tcb.ecn.usesOption = options.accurateEcnOption;
      updateSegmentSize(tcb);
      tcb.congestion.segmentSizeChanged(tcb.segmentSize);
    }
    if (options.congestionControl !== undefined) replaceCongestionControl(tcb);
    if (options.maximumSegmentSize !== undefined) updateSegmentSize(tcb);
    // As the kernels do: what waits goes out, corked or not.
    if (options.noDelay === true) tcb.pushOnce = true;
    if (options.noDelay === true || options.cork === false) tcb.withheld = false;
    if (options.receiveBuffer !== undefined) tcb.receiving.configure(tcb.options);
    if (options.sendBuffer !== undefined) tcb.sending.configure(tcb.options);
    if (options.acknowledgments !== undefined) tcb.acknowledging = createDelayedAcknowledgment(options.acknowledgments);
    if (options.quickAck !== undefined) {
      tcb.acknowledging.quick = options.quickAck;
      if (options.quickAck && tcb.unacknowledgedReceived > 0) tcb.ackNow = true;
    }
    if (!tcb.options.keepAlive) tcb.disarm("keepAlive");
    else if (isSynchronized(tcb.state) && tcb.state !== "TIME-WAIT") tcb.timer("keepAlive").arm(tcb.options.keepAliveIdle);
    this.finish();
  }

  info(): TcpInfo {
    const { tcb } = this;
    return {
      state: tcb.state,
      local: tcb.local,
      remote: tcb.remote,
      sendMaximumSegmentSize: tcb.segmentSize,
      congestionWindow: tcb.congestion.window,
      slowStartThreshold: tcb.congestion.threshold,
      sendWindow: tcb.snd.wnd,
      receiveWindow: tcb.rcv.wnd,
      smoothedRoundTripTime: tcb.retransmissionTimeout.smoothed,
      roundTripTimeVariation: tcb.retransmissionTimeout.variation,
      retransmissionTimeout: tcb.retransmissionTimeout.value,
      bytesSent: tcb.bytesSent,
      bytesAcknowledged: tcb.bytesAcknowledged,
      bytesReceived: tcb.bytesReceived,
      segmentsIn: tcb.segmentsIn,
      segmentsOut: tcb.segmentsOut,
      segmentsRetransmitted: tcb.segmentsRetransmitted,
      unacknowledged: tcb.flightSize,
      unsent: Math.max(0, sequenceDistance(tcb.snd.nxt, sequenceAdd(tcb.bufferStart, tcb.sendBuffer.length))),
      unread: tcb.receiveBuffer.length,
    };
  }

  tcpInfo(): LinuxTcpInfo {
    return linuxTcpInfo(this.tcb);
  }

  /** Ends a user call, unless it was made from a notification, whose event ends later. */
  private finish(): void {
    if (!this.tcb.inEvent) finishEvent(this.tcb);
  }

  private afterReading(): void {
    const { tcb } = this;
    tcb.receiving.afterReading(tcb);
    settleMemory(tcb);
    const { rcv } = tcb;
    if (rcv.up !== undefined && this.urgentLength === 0) rcv.up = undefined;
    if (canReceive(tcb.state) && tcb.acknowledging.read(tcb)) {
      tcb.ackNow = true;
      this.finish();
    }
  }

  /** SHLD-3: what the user will never read was acknowledged, so the peer must learn that it was lost. */
  private abortOnUnreadData(): void {
    this.tcb.context.counters.TCPAbortOnClose += 1;
    abort(this.tcb, undefined);
    this.tcb.receiveBuffer.clear();
  }
}
