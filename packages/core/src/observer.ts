// Seeing inside: every layer tells one observer what it does. Traces, captures with comments and the lab are projections of this.
import type { PacketBuffer } from "./packet-buffer.ts";

export type Layer = "link" | "arp" | "ipv4" | "ipv6" | "icmp" | "icmpv6" | "udp" | "tcp";

/** What every event has. Each layer adds kinds of its own (transport's are in its `tcp/tcp-events.ts`). */
export interface StackEvent {
  readonly layer: Layer;
  readonly kind: string;
}

/** A packet passed an interface. `packet` is lent for the duration of the call. */
export interface PacketEvent extends StackEvent {
  readonly kind: "packet";
  readonly direction: "in" | "out";
  readonly interface: string;
  readonly packet: PacketBuffer;
}

/** A packet was thrown away. Every drop has a reason, and most have a clause that asks for it. */
export interface DropEvent extends StackEvent {
  readonly kind: "drop";
  /** A counter of the same name went up by one. */
  readonly reason: string;
  readonly clause?: string;
  /** What was dropped, where it is still at hand; lent for the duration of the call. */
  readonly packet?: PacketBuffer;
}

export interface Observer {
  /** Called in the middle of the event it tells of: it must not call back into the stack, and an exception of its own is a bug of its own. */
  observe(event: StackEvent): void;
}
