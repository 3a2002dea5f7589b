// Datagrams that wait for a link address (RFC 4861 §7.2.2, RFC 1122 §2.3.2.2), limited for each neighbour and for all together.
import type { PacketBuffer } from "@netstrata/core";
import type { NeighbourEntry } from "./neighbour-entry.ts";
import type { NeighbourLimits } from "./neighbour-limits.ts";

export class WaitingDatagrams {
  /** How many wait. */
  count = 0;
  private readonly limits: Pick<NeighbourLimits, "queueLimit" | "totalQueueLimit">;
  /** The entries for which more than one waits. */
  private readonly crowded: Set<NeighbourEntry> = new Set();

  constructor(limits: Pick<NeighbourLimits, "queueLimit" | "totalQueueLimit">) {
    this.limits = limits;
  }

  /** @returns the datagram that made room, if one had to */
  add(entry: NeighbourEntry, datagram: PacketBuffer): PacketBuffer | undefined {
    entry.queue.push(datagram);
    this.count += 1;
    if (entry.queue.length === 2) this.crowded.add(entry);
    if (entry.queue.length > this.limits.queueLimit) return this.removeOldest(entry);
    return this.count > this.limits.totalQueueLimit ? this.removeOldest(this.someCrowded(entry)) : undefined;
  }

  /** Takes out all that wait for one neighbour, oldest first. */
  take(entry: NeighbourEntry): readonly PacketBuffer[] {
    const queue = entry.queue;
    entry.queue = [];
    this.count -= queue.length;
    this.crowded.delete(entry);
    return queue;
  }

  /** RFC 1122 §2.3.2.2: the latest datagram is the one to keep. */
  private removeOldest(entry: NeighbourEntry): PacketBuffer | undefined {
    const oldest = entry.queue.shift();
    this.count -= 1;
    if (entry.queue.length < 2) this.crowded.delete(entry);
    return oldest;
  }

  /** Who has more than one waiting makes room, so that each neighbour keeps its latest, however much waits for others. */
  private someCrowded(newest: NeighbourEntry): NeighbourEntry {
    if (newest.queue.length > 1) return newest;
    for (const entry of this.crowded) return entry;
    return newest;
  }
}
