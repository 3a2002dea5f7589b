// What TCP tells the observer besides packets and drops.
import type { Milliseconds, StackEvent } from "@netstrata/core";
import type { Endpoint } from "../endpoint.ts";
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
    | "loss-probe";
  readonly clause: string;
}

/** The congestion window or the threshold changed other than by growth. */
export interface TcpCongestionEvent extends TcpConnectionEvent {
  readonly kind: "congestion";
  readonly reason: "established" | "enter-recovery" | "leave-recovery" | "timeout" | "idle" | "marked" | "reduced";
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

export type TcpEvent = TcpStateEvent | TcpRetransmissionEvent | TcpCongestionEvent | TcpWindowEvent | TcpRoundTripEvent;

export function reportCongestion(tcb: TransmissionControlBlock, reason: TcpCongestionEvent["reason"]): void {
  const { observer } = tcb.context.host;
  if (observer === undefined) return;
  const { window, threshold } = tcb.congestion;
  const event: TcpCongestionEvent = { layer: "tcp", kind: "congestion", local: tcb.local, remote: tcb.remote, reason, window, threshold };
  observer.observe(event);
}
