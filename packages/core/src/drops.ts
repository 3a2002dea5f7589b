// Drops: whatever is thrown away is counted under a reason, and told to the observer with the clause that asks for it.
import { type Counters, createCounters } from "./counters.ts";
import type { Host } from "./host.ts";
import type { DropEvent, Layer } from "./observer.ts";
import type { PacketBuffer } from "./packet-buffer.ts";

/** The reasons for which one part of the stack drops packets, each with the clause behind it, or with undefined where no RFC speaks of it. */
export type DropReasons<Reason extends string> = Readonly<Record<Reason, string | undefined>>;

/** One table of reasons, one counter for each. */
export class Drops<Reason extends string> {
  readonly counters: Counters<Reason>;
  private readonly host: Pick<Host, "observer">;
  private readonly layer: Layer;
  private readonly reasons: DropReasons<Reason>;

  constructor(host: Pick<Host, "observer">, layer: Layer, reasons: DropReasons<Reason>) {
    this.host = host;
    this.layer = layer;
    this.reasons = reasons;
    this.counters = createCounters(Object.keys(reasons) as Reason[]);
  }

  /** Counts one drop. `packet` is only looked at, by the observer, before this returns. */
  count(reason: Reason, packet?: PacketBuffer): void {
    this.counters[reason] += 1;
    const observer = this.host.observer;
    if (observer === undefined) return;
    const event: DropEvent = { layer: this.layer, kind: "drop", reason, clause: this.reasons[reason], packet };
    observer.observe(event);
  }
}
