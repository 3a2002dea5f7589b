// The transmission control block (RFC 9293 §3.3.1): all that is known of one connection. tcb.snd.una is SND.UNA.
import {
  type Clock,
  type Counters,
  type Drops,
  type ErrorCode,
  type Host,
  type Milliseconds,
  type SequenceNumber,
  sequenceAdd,
  sequenceDistance,
  type Timer,
} from "@netstrata/core";
import type { IpSendOptions, IpService } from "@netstrata/internet";
import type { Endpoint } from "../endpoint.ts";
import type { MemoryAccount } from "./buffers/memory-account.ts";
import { ReceiveTuning } from "./buffers/receive-tuning.ts";
import { SendTuning } from "./buffers/send-tuning.ts";
import type { ChallengeBudget } from "./challenge-ack.ts";
import type { CongestionControl } from "./congestion/congestion-control.ts";
import { SampleRecord } from "./congestion/sample-record.ts";
import { WINDOW_VALIDATIONS, type WindowValidation } from "./congestion/window-validation.ts";
import type { ResolvedTcpOptions } from "./connection-options.ts";
import { ConnectionStatistics } from "./connection-statistics.ts";
import { createDelayedAcknowledgment, type DelayedAcknowledgment } from "./delayed-acknowledgment.ts";
import type { DeliveryRate } from "./delivery-rate.ts";
import type { EcnFeedback } from "./ecn/ecn-feedback.ts";
import { ECN_FIELD, ECT_0 } from "./ecn/ecn-field.ts";
import { EcnHandshake } from "./ecn/ecn-handshake.ts";
import type { FastOpenAttempt } from "./fast-open/active-fast-open.ts";
import type { FastOpen } from "./fast-open/fast-open.ts";
import type { FastOpenQueue } from "./fast-open/fast-open-queue.ts";
import type { LossRecovery } from "./loss-recovery/loss-recovery.ts";
import type { Pacer } from "./pacer.ts";
import type { Reassembler } from "./reassembler.ts";
import { ReceiveBuffer } from "./receive-buffer.ts";
import { RetransmissionTimeout } from "./retransmission-timeout.ts";
import { Scoreboard } from "./scoreboard.ts";
import { SendBuffer } from "./send-buffer.ts";
import type { TcpState } from "./state.ts";
import type { TcpCounterName, TcpDropReason } from "./tcp-counters.ts";
import type { TcpRetransmissionEvent, TcpStateEvent } from "./tcp-events.ts";
import type { SackBlock } from "./tcp-options.ts";
import type { TcpConnection, TcpUser } from "./tcp-service.ts";
import { createTimestampVariables, type TimestampVariables } from "./timestamps.ts";
import { UserTimeoutExchange } from "./user-timeout-option.ts";
import { WriteQueue } from "./write-queue.ts";

/** The timers of RFC 9293 §3.10.8 and RFC 1122 §4.2.3; "retransmission" also probes closed windows. */
export type TimerKind = "retransmission" | "pacing" | "reordering" | "persist" | "delayedAck" | "keepAlive" | "life";

/** What a connection needs of the TCP it belongs to. */
export interface TcpContext {
  readonly host: Host;
  readonly ip: IpService;
  readonly counters: Counters<TcpCounterName>;
  readonly drops: Drops<TcpDropReason>;
  /** What all connections hold together. */
  readonly memory: MemoryAccount;
  /** Connections that nobody holds, and the most there may be: `orphan.ts`. */
  orphans: number;
  readonly maxOrphans: number;
  readonly fastOpen: FastOpen;
  readonly challenges: ChallengeBudget;
  /** A timer that runs what `timeouts.ts` says for its kind, as an event of its own. */
  createTimer(tcb: TransmissionControlBlock, kind: TimerKind): Timer;
  /** A passively opened connection has left SYN-RECEIVED for ESTABLISHED; called when its user may be told. */
  established(tcb: TransmissionControlBlock): void;
  /** The connection is CLOSED: take it out of the table. */
  forget(tcb: TransmissionControlBlock): void;
}

/** Whoever waits for the end of the three-way handshake. */
export interface HandshakeListener {
  /** As many wait to be accepted as may. */
  readonly isFull: boolean;
  /** One more is reset, instead of being left to try again. */
  readonly abortOnOverflow: boolean;
  /** How often the SYN,ACK may time out while text is waited for; 0 waits for none. */
  readonly deferRetries: number;
  established(tcb: TransmissionControlBlock): void;
  /** There will be none. */
  forget(tcb: TransmissionControlBlock): void;
}

/** Send sequence variables, Figure 3. */
export interface SendVariables {
  una: SequenceNumber;
  nxt: SequenceNumber;
  /** In octets, scaled. */
  wnd: number;
  wl1: SequenceNumber;
  wl2: SequenceNumber;
  /** One past the last urgent octet, while it is not acknowledged. */
  up: SequenceNumber | undefined;
  /** MAX.SND.WND (RFC 5961 §5.2): the largest window the peer has offered. */
  maxWnd: number;
  /** Snd.Wind.Shift (RFC 7323 §2.2). To be applied by `<<`: a power, `2 ** shift`, costs a tenth of a 1-octet round trip. */
  shift: number;
  /** One past the last segment that was not full-sized; an old number when it was long ago, which cannot hold anything back. */
  smallEnd: SequenceNumber;
  /** SendMSS: the largest payload the peer takes (RFC 9293 §3.7.1). */
  mss: number;
}

/** Receive sequence variables, Figure 4. */
export interface ReceiveVariables {
  nxt: SequenceNumber;
  /** What the peer was last told it may send from `nxt` on. */
  wnd: number;
  /** One past the last urgent octet, while the user has not read so far. */
  up: SequenceNumber | undefined;
  /** Rcv.Wind.Shift */
  shift: number;
  /** The sequence number of the peer's FIN, once it is known; it may lie ahead of `nxt`. */
  fin: SequenceNumber | undefined;
}

/** What the user is to be told at the end of the event. */
export interface PendingNotifications {
  opened: boolean;
  readable: boolean;
  writable: boolean;
  finished: boolean;
  urgent: boolean;
  closed: boolean;
  softError: ErrorCode | undefined;
}

export class TransmissionControlBlock {
  readonly context: TcpContext;
  /** The next block of the same bucket in the connection table. */
  sibling: TransmissionControlBlock | undefined;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** What the user holds. Set by the maker of the block. */
  connection!: TcpConnection;
  user: TcpUser = {};
  options: ResolvedTcpOptions;
  ipOptions: IpSendOptions;

  state: TcpState = "CLOSED";
  /** MUST-11: SYN-RECEIVED remembers where it came from. */
  readonly passive: boolean;
  /** Which listener a connection in SYN-RECEIVED came from. */
  listener: HandshakeListener | undefined;
  readonly iss: SequenceNumber;
  irs: SequenceNumber = 0;
  readonly snd: SendVariables;
  readonly rcv: ReceiveVariables;
  readonly userTimeout: UserTimeoutExchange = new UserTimeoutExchange();
  readonly timestamps: TimestampVariables = createTimestampVariables();
  /** Both SYNs allowed selective acknowledgments (RFC 2018 §2). */
  sackPermitted = false;
  /** What arrived a second time, to be reported with the next acknowledgment (RFC 2883). */
  duplicateSack: SackBlock | undefined;
  readonly ecnHandshake: EcnHandshake = new EcnHandshake();
  /** How marks are fed back, once both SYNs have agreed on it (RFC 3168 §6.1.1, RFC 9768 §3.1). */
  ecn: EcnFeedback | undefined;
  /** The peer's SYN offered window scaling. */
  peerScales = false;
  /** The most octets of text a segment may carry now (Eff.snd.MSS, §3.7.1). */
  segmentSize = 536;
  /** A router has said that the path takes less than the link. */
  pathIsNarrow = false;

  readonly sendBuffer: SendBuffer = new SendBuffer();
  /** What of it was never sent. */
  readonly writeQueue: WriteQueue;
  /** How many segments of a lost burst were sent again, while more of it follow. */
  repeatedInBurst = 0;
  /** The end of what is queued was not pushed: it waits for more. */
  withheld = false;
  /** How large both buffers may be now. */
  readonly sending: SendTuning;
  readonly receiving: ReceiveTuning;
  /** Octets that the stack's memory account knows of. */
  accounted = 0;
  /** The user has called CLOSE: a FIN follows the send buffer. */
  finQueued = false;
  finSent = false;
  /** `send` took less than it was given, so the user waits for room. */
  sendBlocked = false;
  readonly scoreboard: Scoreboard = new Scoreboard();
  readonly retransmissionTimeout: RetransmissionTimeout;
  congestion: CongestionControl;
  /** Whether its window is used. Of the options at the beginning. */
  readonly validation: WindowValidation;
  /** For congestion controls that want to know how fast the network delivers. */
  deliveryRate: DeliveryRate | undefined;
  /** What the congestion control was told of scoreboard.lostTotal. */
  lostTold = 0;
  /** While segments are paced. */
  pacer: Pacer | undefined;
  /** What acknowledgments tell it. */
  readonly sample: SampleRecord = new SampleRecord();
  /** Chosen when the handshake has shown whether the peer reports by SACK. */
  recovery: LossRecovery;
  /** New octets went out since the timers were last set. */
  sentFresh = false;
  /** The retransmission timer is set for a tail loss probe. */
  probeDue = false;
  /** The congestion window, not the user or the peer, held the sender back. */
  congestionLimited = false;
  /** How the loss of what the scoreboard calls lost was found. */
  lossReason: TcpRetransmissionEvent["reason"] = "timeout";
  /** Timeouts in a row without an acknowledgment of anything new. */
  timeouts = 0;
  /** When the first of them happened. */
  timeoutsSince: Milliseconds = 0;
  /** Empty probes of a closed window that were not answered. */
  windowProbes = 0;
  /** When the first was sent since the window closed. */
  windowProbesSince: Milliseconds | undefined;
  /** What our SYN, or SYN,ACK, says of Fast Open (RFC 7413). */
  fastOpen: FastOpenAttempt | undefined;
  /** The listener's queue in which it stands as long as it works without a complete handshake. */
  fastOpenQueue: FastOpenQueue | undefined;
  /** Text of a SYN, ours or the peer's, was taken. */
  synTextAcknowledged = false;
  /** The handshake is complete but for text, for which the listener waits (TCP_DEFER_ACCEPT). */
  handshakeDeferred = false;
  /** What the Nagle algorithm and `cork` hold back goes out at the end of this event. */
  pushOnce = false;
  /** The user has closed both ways: `orphan.ts`. */
  orphaned = false;
  /** Probes of a closed window since then. */
  orphanProbes = 0;
  lastSentAt: Milliseconds = 0;
  /** When the peer last opened its window again. */
  windowOpenedAt: Milliseconds = Number.NEGATIVE_INFINITY;

  readonly receiveBuffer: ReceiveBuffer = new ReceiveBuffer();
  /** Made when the first segment arrives out of order. */
  reassembler: Reassembler | undefined;
  /** The user reads no more (`closeRead`). */
  readClosed = false;
  /** Text that arrives after our FIN resets the connection, though the user still reads (`refuseText`). */
  refusesText = false;
  /** Octets were acknowledged that the user will never see. */
  unreadDiscarded = false;
  lastReceivedAt: Milliseconds;
  /** An acknowledgment is due at the end of this event. */
  ackNow = false;
  /** When text is acknowledged. */
  acknowledging: DelayedAcknowledgment;
  /** Octets received since the last acknowledgment. */
  unacknowledgedReceived = 0;
  /** The largest segment seen: what "full-sized" means for SHLD-19. */
  largestReceived = 0;
  keepAliveProbesSent = 0;
  challengeAcks = 0;
  challengeAcksSince: Milliseconds = Number.NEGATIVE_INFINITY;

  error: ErrorCode | undefined;
  softError: ErrorCode | undefined;
  /** The user has had its last notification. */
  closedNotified = false;
  readonly pending: PendingNotifications = {
    opened: false,
    readable: false,
    writable: false,
    finished: false,
    urgent: false,
    closed: false,
    softError: undefined,
  };
  /** An event of this connection is on the stack: sending waits for its end. */
  inEvent = false;

  readonly statistics: ConnectionStatistics = new ConnectionStatistics();
  bytesSent = 0;
  bytesAcknowledged = 0;
  bytesReceived = 0;
  segmentsIn = 0;
  segmentsOut = 0;
  segmentsRetransmitted = 0;

  private markableFrom: IpSendOptions | undefined;
  private markableOptions!: IpSendOptions;
  private readonly timers: Partial<Record<TimerKind, Timer>> = {};

  constructor(
    context: TcpContext,
    local: Endpoint,
    remote: Endpoint,
    passive: boolean,
    iss: SequenceNumber,
    options: ResolvedTcpOptions,
    ipOptions: IpSendOptions,
    congestion: CongestionControl,
    recovery: LossRecovery,
  ) {
    this.context = context;
    this.local = local;
    this.remote = remote;
    this.passive = passive;
    this.iss = iss;
    this.options = options;
    this.sending = new SendTuning(options);
    this.receiving = new ReceiveTuning(options);
    this.ipOptions = ipOptions;
    this.congestion = congestion;
    this.validation = WINDOW_VALIDATIONS[options.windowValidation]();
    this.recovery = recovery;
    this.retransmissionTimeout = new RetransmissionTimeout(options.rtoInitial, options.rtoMaximum, options.rtoEstimator);
    this.acknowledging = createDelayedAcknowledgment(options.acknowledgments);
    this.snd = { una: iss, nxt: iss, wnd: 0, wl1: 0, wl2: 0, up: undefined, maxWnd: 0, shift: 0, smallEnd: iss, mss: 536 };
    this.writeQueue = new WriteQueue(sequenceAdd(iss, 1));
    this.rcv = { nxt: 0, wnd: 0, up: undefined, shift: 0, fin: undefined };
    this.lastReceivedAt = context.host.clock.now();
  }

  get clock(): Clock {
    return this.context.host.clock;
  }

  /** The sequence number of the first octet in the send buffer. */
  get bufferStart(): SequenceNumber {
    // Until our SYN is acknowledged it stands in front of the data.
    const synIsOut = this.state === "SYN-SENT" || this.state === "SYN-RECEIVED";
    return synIsOut ? sequenceAdd(this.iss, 1) : this.snd.una;
  }

  /** One past all that there is to send: the data and, when queued, the FIN. */
  get sendEnd(): SequenceNumber {
    return sequenceAdd(this.bufferStart, this.sendBuffer.length + (this.finQueued && !this.finAcknowledged ? 1 : 0));
  }

  /** "pipe" (RFC 6675 §4): SND.NXT - SND.UNA less what is believed lost or known to have arrived, and what is on its way a second time. */
  get inFlight(): number {
    const { scoreboard, segmentSize, options, recovery } = this;
    const { duplicates } = recovery;
    if (options.congestionAccounting === "segments") {
      // As in Linux, a SYN,ACK behind which text went out (RFC 7413 §3) is not one of them.
      const syn = this.state === "SYN-RECEIVED" && !scoreboard.isEmpty ? 1 : 0;
      return (scoreboard.count - syn - scoreboard.lostCount - scoreboard.sackedCount + scoreboard.resentCount - duplicates) * segmentSize;
    }
    const inFlight = this.flightSize - scoreboard.lostLength - scoreboard.sackedLength + scoreboard.resentLength;
    return Math.max(0, inFlight - duplicates * segmentSize);
  }

  /** How much more the peer's window lets out; negative when it was shrunk. */
  get usableWindow(): number {
    return sequenceDistance(this.snd.nxt, sequenceAdd(this.snd.una, this.snd.wnd));
  }

  /** FlightSize (RFC 5681 §2). */
  get flightSize(): number {
    return (this.snd.nxt - this.snd.una) >>> 0;
  }

  /** Our FIN was sent and acknowledged. */
  get finAcknowledged(): boolean {
    return this.finSent && this.snd.una === this.snd.nxt;
  }

  /** Octets that still fit into the receive buffer. */
  get freeReceiveBuffer(): number {
    return Math.max(0, this.receiving.limit - this.receiveBuffer.length);
  }

  /** Most octets that may be received beyond what waits to be read, as far as the Window field can say it. */
  get receiveRoom(): number {
    return Math.min(65535 << this.rcv.shift, this.receiving.openable(this, this.freeReceiveBuffer));
  }

  /** The same options with the field that says ECN-capable: ECT(0), which RFC 3168 §6.1.2 recommends. */
  markable(options: IpSendOptions): IpSendOptions {
    if (this.markableFrom !== options) {
      this.markableFrom = options;
      this.markableOptions = { ...options, trafficClass: ((options.trafficClass ?? 0) & ~ECN_FIELD) | ECT_0 };
    }
    return this.markableOptions;
  }

  timer(kind: TimerKind): Timer {
    this.timers[kind] ??= this.context.createTimer(this, kind);
    return this.timers[kind];
  }

  isArmed(kind: TimerKind): boolean {
    return this.timers[kind]?.armed ?? false;
  }

  disarm(kind: TimerKind): void {
    this.timers[kind]?.disarm();
  }

  disarmAll(): void {
    for (const timer of Object.values(this.timers)) timer.disarm();
  }

  setState(to: TcpState): void {
    const from = this.state;
    if (from === to) return;
    this.state = to;
    const { host } = this.context;
    if (host.observer !== undefined) {
      const event: TcpStateEvent = { layer: "tcp", kind: "state", local: this.local, remote: this.remote, from, to };
      host.observer.observe(event);
    }
  }
}
