// What TCP tells the observer besides packets and drops.
import type { Milliseconds, StackEvent } from "@netstrata/core";
import type { Endpoint } from "../endpoint.ts";
import type { RecoveryState } from "./loss-recovery/loss-recovery.ts";
import type { TcpState } from "./state.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

interface TcpConnectionEvent extends StackEvent {
  readonly layer: "tcp";
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export interface TcpStateEvent extends TcpConnectionEvent {
  readonly kind: "state";
  readonly from: TcpState;
  readonly to: TcpState;
}

/** A segment went out again. `reason` says which mechanism decided so, `clause` where it is written. */
export interface TcpRetransmissionEvent extends TcpConnectionEvent {
  readonly kind: "retransmission";
  readonly sequenceNumber: number;
  readonly length: number;
  readonly reason:
    | "timeout"
    | "fast-retransmit"
    | "partial-acknowledgment"
    | "window-probe"
    | "path-mtu"
    | "peer-retransmission"
    | "rack"
    | "sack"
    | "loss-probe"
    | "fast-open";
  readonly clause: string;
}

/** The congestion window or the threshold changed other than by growth. */
export interface TcpCongestionEvent extends TcpConnectionEvent {
  readonly kind: "congestion";
  readonly reason: "established" | "enter-recovery" | "leave-recovery" | "timeout" | "idle" | "marked" | "reduced" | "undo";
  readonly window: number;
  readonly threshold: number;
}

/** The peer's window went to zero or opened again. */
export interface TcpWindowEvent extends TcpConnectionEvent {
  readonly kind: "window";
  readonly window: number;
}

export interface TcpRoundTripEvent extends TcpConnectionEvent {
  readonly kind: "round-trip";
  readonly measured: Milliseconds;
  readonly retransmissionTimeout: Milliseconds;
}

/**
 * Loss recovery has come into another state, or (when `from` and `to` are the same) has taken something back. `reason` says which
 * mechanism decided so, `clause` where it is written.
 */
export interface TcpRecoveryEvent extends TcpConnectionEvent {
  readonly kind: "recovery";
  readonly from: RecoveryState;
  readonly to: RecoveryState;
  readonly reason: keyof typeof RECOVERY_CLAUSE;
  readonly clause: string;
}

const RECOVERY_CLAUSE = {
  // Something is missing or was sent twice, which may still be reordering.
  "out-of-order": "RFC 5681 §3.2",
  rack: "RFC 8985 §6.2",
  sack: "RFC 6675 §5",
  "fast-retransmit": "RFC 5681 §3.2",
  timeout: "RFC 6298 §5",
  marked: "RFC 3168 §6.1.2",
  "probe-repaired-loss": "RFC 8985 §7.4",
  repaired: "RFC 6582 §3.2",
  // False alarms, and how they were found out.
  "spurious-timeout": "RFC 5682 §3.1",
  "original-arrived": "RFC 3522 §3.2",
  "all-duplicates": "RFC 3708 §3",
} as const;

/** The peer has said how long it would wait for an acknowledgment (RFC 5482). */
export interface TcpUserTimeoutEvent extends TcpConnectionEvent {
  readonly kind: "user-timeout";
  readonly received: Milliseconds;
  /** The one in force now. */
  readonly userTimeout: Milliseconds;
  readonly clause: string;
}

/** A buffer has grown (`buffers/`). */
export interface TcpBufferEvent extends TcpConnectionEvent {
  readonly kind: "buffer";
  readonly buffer: "receive" | "send";
  /** Octets it may hold now. */
  readonly size: number;
}

/** All connections together hold much, or no longer so (`buffers/memory-account.ts`). */
export interface TcpMemoryEvent extends StackEvent {
  readonly layer: "tcp";
  readonly kind: "memory";
  readonly underPressure: boolean;
  /** Octets held. */
  readonly used: number;
}

export type TcpEvent =
  | TcpBufferEvent
  | TcpMemoryEvent
  | TcpUserTimeoutEvent
  | TcpStateEvent
  | TcpRetransmissionEvent
  | TcpCongestionEvent
  | TcpWindowEvent
  | TcpRoundTripEvent
  | TcpRecoveryEvent;

export function reportBuffer(tcb: TransmissionControlBlock, buffer: TcpBufferEvent["buffer"], size: number): void {
  const { observer } = tcb.context.host;
  if (observer === undefined) return;
  const event: TcpBufferEvent = { layer: "tcp", kind: "buffer", local: tcb.local, remote: tcb.remote, buffer, size };
  observer.observe(event);
}

export function reportCongestion(tcb: TransmissionControlBlock, reason: TcpCongestionEvent["reason"]): void {
  const { observer } = tcb.context.host;
  if (observer === undefined) return;
  const { window, threshold } = tcb.congestion;
  const event: TcpCongestionEvent = { layer: "tcp", kind: "congestion", local: tcb.local, remote: tcb.remote, reason, window, threshold };
  observer.observe(event);
}

export function reportRecovery(
  tcb: TransmissionControlBlock,
  from: RecoveryState,
  to: RecoveryState,
  reason: TcpRecoveryEvent["reason"],
): void {
  const { observer } = tcb.context.host;
  if (observer === undefined) return;
  const clause = RECOVERY_CLAUSE[reason];
  const event: TcpRecoveryEvent = { layer: "tcp", kind: "recovery", local: tcb.local, remote: tcb.remote, from, to, reason, clause };
  observer.observe(event);
}
