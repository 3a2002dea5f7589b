// The contract between TCP and what lies above it: the user calls of RFC 9293 §3.9.1, with notifications instead of waiting.
import type { ErrorCode, IpAddress } from "@netstrata/core";
import type { Endpoint } from "../endpoint.ts";
import type { Binding } from "../wildcard.ts";
import type { CongestionAccounting, CongestionControlFactory } from "./congestion/congestion-control.ts";
import type { CongestionControlName } from "./congestion/congestion-controls.ts";
import type { WindowValidationName } from "./congestion/window-validation.ts";
import type { AcknowledgmentPolicy } from "./delayed-acknowledgment.ts";
import type { EcnMode } from "./ecn/ecn-mode.ts";
import type { LinuxTcpInfo } from "./linux-tcp-info.ts";
import type { LossRecoveryName } from "./loss-recovery/loss-detection.ts";
import type { OptionLayout } from "./option-layout.ts";
import type { RetryCounting } from "./patience.ts";
import type { PawsPolicy } from "./paws.ts";
import type { RoundTripEstimatorName } from "./round-trip-estimator.ts";
import type { TcpState } from "./state.ts";
import type { TimeWaitReuse } from "./time-wait-reuse.ts";
import type { SendMarks } from "./write-queue.ts";

/** Notifications. Each is the last thing that happens in an event, so every user call is allowed inside. */
export interface TcpUser {
  /** The three-way handshake is complete. Not called for accepted connections, which are complete when they are handed out. */
  opened?(connection: TcpConnection): void;
  /** There is something new to read: octets, or the end of the stream. */
  readable?(connection: TcpConnection): void;
  /** A third of the send buffer is free again, after `send` took less than it was given. */
  writable?(connection: TcpConnection): void;
  /** After `close`, while the peer's stream goes on: everything that was sent, and the FIN, has been acknowledged. */
  finished?(connection: TcpConnection): void;
  /**
   * The connection is over for the user (MUST-12). Called once. Without `error` both streams were closed in order, and
   * what was sent has been acknowledged; octets that were received can still be read.
   */
  closed?(connection: TcpConnection, error: ErrorCode | undefined): void;
  /**
   * The event is over, and what could be sent has been sent. Called after every event while it is there at all; unlike the others
   * outside of the event, so that a user call in it is an event of its own.
   */
  progressed?(connection: TcpConnection): void;
  /** A soft error: the network complains, but the connection goes on trying (MUST-47, SHLD-25). */
  softError?(connection: TcpConnection, error: ErrorCode): void;
  /** Urgent data has appeared or its end has moved on (MUST-32). */
  urgent?(connection: TcpConnection): void;
}

/** What can be chosen for a connection, at open or later with `set`. Absent means the stack's default. */
export interface TcpConnectionOptions {
  /** Octets that may wait to be read, at first; sets the window. @default 262144 */
  readonly receiveBuffer?: number;
  /** How far the receive buffer may grow by itself. @default 6 MiB, or `receiveBuffer` where that alone is chosen */
  readonly receiveBufferMaximum?: number;
  /** Octets that `send` takes before they are acknowledged, at first. @default 262144 */
  readonly sendBuffer?: number;
  /** How far the send buffer may grow by itself. @default 4 MiB, or `sendBuffer` where that alone is chosen */
  readonly sendBufferMaximum?: number;
  /**
   * Buffers grow by themselves up to their maximum: the receive buffer with what is read in a round trip, the send buffer with the
   * congestion window. Neither ever shrinks. @default true
   */
  readonly autoTuning?: boolean;
  /** How the window opens: "full" offers the whole buffer at once, "gradual" as Linux does, with what arrives. @default "full" */
  readonly windowGrowth?: "full" | "gradual";
  /** The least MSS a peer may ask for, in octets: below it headers would be most of what is sent (Linux: tcp_min_snd_mss, 48). @default 64 */
  readonly minimumSegmentSize?: number;
  /** Offer and use selective acknowledgments (RFC 2018). Fixed when the connection opens. @default true */
  readonly sack?: boolean;
  /** Report what arrives twice, and make use of such reports (RFC 2883). @default true */
  readonly dsack?: boolean;
  /**
   * How losses are found: by the time that has passed (RACK, RFC 8985), by counting reports (RFC 6675), or by counting duplicate
   * acknowledgments (NewReno, RFC 6582), which is all there is without SACK. Fixed when the connection opens. @default "rack"
   */
  readonly lossRecovery?: LossRecoveryName;
  /** Ask for the fate of the last segments when their acknowledgment stays out (RFC 8985 §7); needs SACK. @default true */
  readonly tailLossProbe?: boolean;
  /** Let new segments out for those that duplicates say have arrived, before it is known that one is lost (RFC 3042). @default true */
  readonly limitedTransmit?: boolean;
  /** Take fewer than three duplicates for a loss where no more can come (RFC 5827); RACK does that by itself. @default false */
  readonly earlyRetransmit?: boolean;
  /** Shrink the window in proportion to what is delivered (RFC 6937, RFC 9937), not at once. @default true */
  readonly proportionalRateReduction?: boolean;
  /** After a timeout find out whether anything was lost at all (F-RTO, RFC 5682). @default true */
  readonly frto?: boolean;
  /** Go back to the window of before when a loss was a false alarm, as timestamps or duplicates show (RFC 3522, RFC 4015, RFC 3708). @default true */
  readonly undo?: boolean;
  /**
   * Explicit congestion notification (RFC 3168, RFC 8311) and its accurate feedback (RFC 9768); see `EcnMode`. Fixed when the connection opens.
   * @default "passive"
   */
  readonly ecn?: EcnMode;
  /** A SYN that asked for ECN and was not answered is sent again without, and fields that something on the way spoils are not used (RFC 3168 §6.1.1.1, RFC 9768 §3.2.2.3). @default true */
  readonly ecnFallback?: boolean;
  /** Send the option of Accurate ECN, which counts octets, wherever the peer knows it (RFC 9768 §3.2.3). @default true */
  readonly accurateEcnOption?: boolean;
  /** Go on telling the peer of marks in TIME-WAIT (RFC 9768 §3.2.2); Linux does not. @default true */
  readonly timeWaitFeedback?: boolean;
  /** Offer and use timestamps: a round trip for every acknowledgment, and PAWS (RFC 7323 §3 to §5). Fixed when the connection opens. @default true */
  readonly timestamps?: boolean;
  /** Start the timestamp clock at a secret number for each connection, instead of the host's clock (RFC 7323 §5.4). @default true */
  readonly timestampOffset?: boolean;
  /** How strictly old and missing timestamps are judged (RFC 7323 §3.2, §5.3): as written, or as Linux or FreeBSD do. @default "rfc" */
  readonly paws?: PawsPolicy;
  /** Offer window scaling, and accept it where it is offered (RFC 7323 §2). Fixed when the connection opens. @default true */
  readonly windowScaling?: boolean;
  /** The shift count to offer, 0 to 14. @default the least with which the whole receive buffer can be announced */
  readonly windowScale?: number;
  /** Order, alignment and padding of the options that are sent. @default "linux", RFC 7323 appendix A */
  readonly optionLayout?: OptionLayout;
  /** Turns the Nagle algorithm off (MUST-17). @default false */
  readonly noDelay?: boolean;
  /**
   * What the Nagle algorithm waits for (SHLD-7): "rfc" for the acknowledgment of all that was sent, "minshall" only for that of
   * the last segment that was not full, as Linux does. @default "rfc"
   */
  readonly nagle?: "rfc" | "minshall";
  /**
   * Sends full segments only, until it is switched off or the stream is closed; what waits for 200 ms goes all the same
   * (TCP_CORK of Linux, TCP_NOPUSH of FreeBSD). Wins over `noDelay`. @default false
   */
  readonly cork?: boolean;
  /** Probe an idle peer (MUST-24, MUST-25). @default false */
  readonly keepAlive?: boolean;
  /** Idle time before the first keep-alive probe (MUST-28). @default 7200000 ms */
  readonly keepAliveIdle?: number;
  /** Time between unanswered keep-alive probes. @default 75000 ms */
  readonly keepAliveInterval?: number;
  /** Unanswered keep-alive probes before the connection is given up (MUST-29). @default 9 */
  readonly keepAliveProbes?: number;
  /** R2: how long sent data may stay unacknowledged before the connection is given up (MUST-21). @default 300000 ms */
  readonly userTimeout?: number;
  /** Tell the peer in the user timeout option that this end would wait so long, and listen to what it says (RFC 5482). In ms; 0: neither. @default 0 */
  readonly userTimeoutOption?: number;
  /** What the peer says may change `userTimeout`, within limits (RFC 5482 §3.1). @default true, but false where `userTimeout` is given for the connection */
  readonly userTimeoutChangeable?: boolean;
  /** How `retries` is meant, and when `userTimeout` begins. @default "count", from when the text was sent */
  readonly retryCounting?: RetryCounting;
  /** R2 as a count (MUST-20), besides `userTimeout`: retransmissions before the connection is given up. @default Infinity */
  readonly retries?: number;
  /** The same for a connection that the user has closed both ways, and for the probes of a peer that keeps its window closed (RFC 6429). @default 15 */
  readonly orphanRetries?: number;
  /** How long a SYN is tried (MUST-23: at least three minutes). @default 180000 ms */
  readonly synTimeout?: number;
  /** Retransmissions of a SYN, besides those of `synLinearTimeouts`, before the connection is given up. @default Infinity */
  readonly synRetries?: number;
  /** How many timeouts of a SYN do not double the next one. @default 0 (RFC 6298 §5.5) */
  readonly synLinearTimeouts?: number;
  /** Retransmissions of a SYN,ACK before the connection is given up. @default Infinity */
  readonly synAckRetries?: number;
  /** Answers to segments that may be forged, in `challengeInterval` (RFC 5961 §7). @default 10 */
  readonly challengeAcks?: number;
  /** @default 1000 ms */
  readonly challengeInterval?: number;
  /** Give up a handshake at any "unreachable" of ICMP, so that another address can be tried soon (RFC 5461 §2.2). @default false, at hard errors only (SHLD-26) */
  readonly unreachableEndsHandshake?: boolean;
  /**
   * How a closed window is probed (RFC 9293 §3.8.6.1): "octet" by the next octet of text, which the peer may take; "empty" by
   * none, with a number that must be answered, as Linux does. @default "octet"
   */
  readonly zeroWindowProbe?: "octet" | "empty";
  /** A connection that is given up because the peer does not answer text, probes of its window or a SYN sends a RST; after keep-alives it always does. @default true */
  readonly resetOnTimeout?: boolean;
  /** An abort sends <CTL=RST,ACK> instead of <CTL=RST> (RFC 9293 §3.10.5). @default false */
  readonly resetWithAck?: boolean;
  /**
   * SO_LINGER. 0: a connection that is closed both ways is aborted at once, and what is still to be sent is lost. More: how long
   * a close that waits does so, which is for those to whom waiting means something. @default Infinity ms
   */
  readonly linger?: number;
  /** How long an acknowledgment may wait for company (MUST-40: below 500 ms); 0 acknowledges at once. @default 40 ms */
  readonly delayedAck?: number;
  /** When text is acknowledged at once, and how long its acknowledgment waits otherwise (RFC 9293 §3.8.6.3). @default "rfc" */
  readonly acknowledgments?: AcknowledgmentPolicy;
  /** True: acknowledge at once for a while; false: expect to answer, so wait. Only the policy "linux" can be told (TCP_QUICKACK). */
  readonly quickAck?: boolean;
  /** Lower bound of the retransmission timeout (RFC 6298 §2.4 asks for 1 s; Linux uses 200 ms). @default 1000 ms */
  readonly rtoMinimum?: number;
  /** Upper bound of the retransmission timeout (RFC 6298 §2.5: at least 60 s). Fixed when the connection opens. @default 60000 ms */
  readonly rtoMaximum?: number;
  /** The retransmission timeout before a round trip has been measured (RFC 6298 §2.1). Fixed when the connection opens. @default 1000 ms */
  readonly rtoInitial?: number;
  /**
   * How the timeout follows from round trips: "rfc" as RFC 6298 §2.3 says; "linux" with a lower bound on the variation instead of the timeout, a
   * variation that falls slowly, and a back-off that only a measurement ends. Fixed when the connection opens. @default "rfc"
   */
  readonly rtoEstimator?: RoundTripEstimatorName;
  /** Which algorithm decides how much may be in flight (RFC 5681 §3), or what makes one. Changed later, the new one goes on from the old one's window. @default "cubic" (RFC 9438) */
  readonly congestionControl?: CongestionControlName | CongestionControlFactory;
  /** "segments" reckons as Linux does: whole segments, and windows are halved rather than what is in flight. @default "octets" */
  readonly congestionAccounting?: CongestionAccounting;
  /** Leave slow start when round trips grow longer, before something is lost (CUBIC with HyStart++, RFC 9406). @default true */
  readonly hystart?: boolean;
  /** L of RFC 3465 §2.3: the most segments that one acknowledgment adds in slow start; Infinity as in Linux. @default by algorithm: NewReno 1, CUBIC 8 with HyStart++ (RFC 9406 §4.3) */
  readonly slowStartLimit?: number;
  /** The initial window in segments (RFC 6928 §2), and with "fixed" the window for ever. @default min(10 SMSS, max(2 SMSS, 14600)) */
  readonly initialWindow?: number;
  /** Spread segments over the round trip instead of sending them in bursts (Aggarwal, Savage, Anderson 2000); BBR does always. @default false */
  readonly pacing?: boolean;
  /** Segments that go out at once at the beginning, before pacing begins (Linux: 10, tcp_update_skb_after_send()). @default 0 */
  readonly unpacedSegments?: number;
  /** Upper bound on the sending rate in octets a second, as Linux's SO_MAX_PACING_RATE; a finite one turns pacing on. @default Infinity */
  readonly maximumPacingRate?: number;
  /**
   * What lets the window grow: use as RFC 7661 defines it ("rfc7661"), as Linux does, which also lets an unused window decay ("linux"), or
   * every acknowledgment ("none", as RFC 5681 has it). Fixed when the connection opens. @default "rfc7661"
   */
  readonly windowValidation?: WindowValidationName;
  /** After a pause of a retransmission timeout the window starts anew from the initial one (RFC 5681 §4.1). @default true */
  readonly slowStartAfterIdle?: boolean;
  /**
   * Text leaves in bursts of at least so many full segments where there is so much (Linux: tcp_min_tso_segs), and the last segment of
   * each carries PSH, as a device leaves it that cuts large segments up; 0: PSH only where the queue ends (MUST-61). @default 0
   */
  readonly burstSegments?: number;
  /**
   * With bursts: a part of the window that is at least this fraction of it is used at once, while what is less may wait a moment for the
   * acknowledgment that makes more of it (Linux: tcp_tso_win_divisor); Infinity: nothing waits. @default 3
   */
  readonly burstDivisor?: number;
  /** Upper bound on the segments' payload, besides what path and peer allow. In octets. */
  readonly maximumSegmentSize?: number;
  /** TTL or hop limit of segments (MUST-49). */
  readonly timeToLive?: number;
  /** DS field and ECN bits of segments (MUST-48). */
  readonly trafficClass?: number;
  /** Length of the TIME-WAIT state, 2 MSL. @default 240000 ms (RFC 9293 §3.4.2) */
  readonly timeWait?: number;
  /** Which new connections may take the place of one in TIME-WAIT (RFC 6191). @default "passive" */
  readonly timeWaitReuse?: TimeWaitReuse;
  /** How long a connection that nobody holds any more (closed both ways by the user) waits in FIN-WAIT-2; negative: not at all, it is aborted. @default 60000 ms */
  readonly finWait2?: number;
}

/** Those that mean something else than any value when they are absent. */
export type TcpOptionsWithoutDefault =
  | "maximumSegmentSize"
  | "timeToLive"
  | "trafficClass"
  | "quickAck"
  | "slowStartLimit"
  | "initialWindow"
  | "windowScale";

export interface TcpOpenOptions extends TcpConnectionOptions {
  /** The local end; what is absent or 0 is chosen (MUST-43, MUST-44). */
  readonly local?: Partial<Endpoint>;
  /** Routers to pass on the way, in this order: a loose source route (MUST-51). IPv4 only, at most nine. */
  readonly sourceRoute?: readonly IpAddress[];
  /**
   * Fast Open (RFC 7413): the first text to send, with the SYN as far as the server's cookie is known and it fits, else after
   * the handshake; with none, or without a cookie, the SYN asks for one. Whatever of it the send buffer takes counts as sent by `send`.
   */
  readonly fastOpen?: Uint8Array;
  /** Of `fastOpen` only what goes with the SYN is taken; the rest is for `send`, as with MSG_FASTOPEN of Linux. @default false */
  readonly fastOpenSynOnly?: boolean;
  /** The text goes with the SYN without a cookie, and without asking for one (§4.1.3: where the network is known). @default false, or what the stack's `fastOpen.clientWithoutCookie` says */
  readonly fastOpenWithoutCookie?: boolean;
}

export interface TcpListenOptions extends TcpConnectionOptions {
  /** Connections that may wait to be accepted, and as many again whose handshake is not complete. @default 128 */
  readonly backlog?: number;
  /**
   * Take connections to any address, also to those that are not this host's, when they come by here; `connection.local` says where they
   * wanted to go. On the unspecified address only; port 0 then is any port. Every other listener goes before. @default false
   */
  readonly transparent?: boolean;
  /** A listener on "::" takes IPv6 connections only, and leaves the port's IPv4 to others (RFC 3493 §5.3). @default false */
  readonly ipv6Only?: boolean;
  /** Connections that may be open by Fast Open alone at a time (RFC 7413 §5.1); 0 gives and takes no cookies. @default 0, or what the stack's `fastOpen.backlog` says */
  readonly fastOpenBacklog?: number;
  /** A connection is handed out when its first text has come, or when this time has passed since its SYN (TCP_DEFER_ACCEPT). @default 0 ms */
  readonly deferAccept?: number;
  /** Reset who completes a handshake when as many wait as may, instead of leaving them to try again. @default false */
  readonly abortOnOverflow?: boolean;
}

/** A snapshot for people and tests. Times in ms, sizes in octets. */
export interface TcpInfo {
  readonly state: TcpState;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly sendMaximumSegmentSize: number;
  readonly congestionWindow: number;
  readonly slowStartThreshold: number;
  readonly sendWindow: number;
  readonly receiveWindow: number;
  /** Undefined before the first measurement. */
  readonly smoothedRoundTripTime: number | undefined;
  readonly roundTripTimeVariation: number | undefined;
  readonly retransmissionTimeout: number;
  readonly bytesSent: number;
  readonly bytesAcknowledged: number;
  readonly bytesReceived: number;
  readonly segmentsIn: number;
  readonly segmentsOut: number;
  readonly segmentsRetransmitted: number;
  /** Octets in flight. */
  readonly unacknowledged: number;
  /** Octets given to `send` that have not been sent. */
  readonly unsent: number;
  readonly unread: number;
}

export interface TcpConnection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly state: TcpState;
  /** Who is notified; may be set at any time. */
  user: TcpUser;
  /** Room for `send`, in octets. */
  readonly writableLength: number;
  /** Octets that can be read now. */
  readonly readableLength: number;
  /** The peer's FIN has arrived, and everything before it, whether it was read or not. */
  readonly peerClosed: boolean;
  /** Octets given to `send`, and the FIN after `close`, that were not acknowledged (SIOCOUTQ). */
  readonly unacknowledgedLength: number;
  /** Of these, how many were never sent (SIOCOUTQNSD). */
  readonly unsentLength: number;
  /** The peer has closed its stream, and everything before its end has been read. */
  readonly endOfStream: boolean;
  /** Why the connection ended, when it ended in an error. */
  readonly error: ErrorCode | undefined;
  /** True after the last notification: nothing more will happen. */
  readonly isClosed: boolean;
  /** Octets of urgent data that are still unread (MUST-33); 0 when there are none. */
  readonly urgentLength: number;

  /**
   * SEND (§3.9.1.2). The octets are given away: they are kept by reference until acknowledged, so the caller must not change them.
   * They are pushed, unless `marks` say otherwise, which count where all of them are taken.
   * @returns how many were taken, from the front; or an error: ENOTCONN, EPIPE after `close`, or the error that ended the connection
   */
  send(bytes: Uint8Array, marks?: SendMarks): number | ErrorCode;
  /** `send` with the urgent mark behind the last octet that is taken (§3.8.5). The octets stay in the stream (RFC 6093 §3.2); new programs should not use it (SHLD-13). */
  sendUrgent(bytes: Uint8Array): number | ErrorCode;
  /** Asks to be told by `writable` when there is room, without giving anything to `send`. */
  wantRoom(): void;
  /**
   * RECEIVE (§3.9.1.3): the next octets, at most `limit`, which are the caller's to keep; undefined when there are none.
   * Reading opens the window.
   */
  receive(limit?: number): Uint8Array | undefined;
  /** RECEIVE into the caller's memory; returns how many octets it copied. */
  receiveInto(target: Uint8Array): number;
  /** Copies octets without reading them, from the one that stands `skip` behind the next; returns how many. */
  peekInto(target: Uint8Array, skip?: number): number;
  /** CLOSE (§3.9.1.4): nothing more to send. What was given to `send` still goes out; reading goes on. */
  close(): void;
  /**
   * The user reads no more. Data that is unread or still arrives resets the connection (SHLD-3); when the connection is
   * closed both ways in this sense, FIN-WAIT-2 is bounded in time.
   */
  closeRead(): void;
  /** The user still reads what is there, but after `close` text that arrives resets the connection: shutdown(SHUT_RD) of Linux. */
  refuseText(): void;
  /** ABORT (§3.9.1.5): sends a RST where the peer should know, and forgets everything. */
  abort(): void;
  /** STATUS (§3.9.1.6). */
  info(): TcpInfo;
  /** The same as Linux tells it: TCP_INFO. */
  tcpInfo(): LinuxTcpInfo;
  /** Changes options of a living connection. Buffers do not shrink below what they hold. */
  set(options: TcpConnectionOptions): void;
  /** The options in force. */
  readonly options: Required<Omit<TcpConnectionOptions, TcpOptionsWithoutDefault>> & TcpConnectionOptions;
}

export interface TcpListenerUser {
  /** A connection waits for `accept`. */
  acceptable(listener: TcpListener): void;
}

export interface TcpListener {
  readonly local: Endpoint;
  /** What it takes: "::" both families, or one. */
  readonly binding: Binding;
  user: TcpListenerUser;
  /** Connections that may wait to be accepted; may be changed at any time. */
  backlog: number;
  /** As in the options; may be changed at any time. */
  fastOpenBacklog: number;
  deferAccept: number;
  /** Changes what connections of this listener begin with, from the next SYN on. */
  set(options: TcpConnectionOptions): void;
  /** Makes and takes cookies by keys of this listener's own: 16 octets, or 32 with the key before. Throws a RangeError at any other length. */
  setFastOpenKeys(keys: Uint8Array): void;
  /** The connection that has waited longest; undefined when none waits. It may have been closed by its peer meanwhile. */
  accept(): TcpConnection | undefined;
  /** Stops listening; connections that were not accepted are reset. */
  close(): void;
}

/** Implemented by `Tcp`. A string is the error of a call that could not be carried out. */
export interface TcpService {
  /**
   * Active OPEN (§3.9.1.1). EADDRINUSE: the pair of ends is taken; EADDRNOTAVAIL: the local address is not ours, or no port
   * is free; EINVAL: no such source route; ENETUNREACH: no route; EACCES: a broadcast or multicast address (MUST-46); EAFNOSUPPORT: mixed families.
   */
  open(remote: Endpoint, user: TcpUser, options?: TcpOpenOptions): TcpConnection | ErrorCode;
  /** Passive OPEN. An unspecified address listens on all. EADDRINUSE, EADDRNOTAVAIL. */
  listen(local: Endpoint, user: TcpListenerUser, options?: TcpListenOptions): TcpListener | ErrorCode;
}
