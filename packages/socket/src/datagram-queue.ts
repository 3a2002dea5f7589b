// Datagrams that wait to be received. Kernels bound them by the memory they take, and so does this.
import { Fifo } from "./fifo.ts";

/** Octets that wait, when nobody says otherwise. */
export const DEFAULT_RECEIVE_BUFFER = 262144;
/** What a datagram counts beside its payload, so that empty ones are bounded too. */
export const DATAGRAM_OVERHEAD = 256;

export interface Queued {
  readonly data: Uint8Array;
}

export class DatagramQueue<Item extends Queued> {
  /** Octets that may wait, each datagram with its overhead. */
  limit: number;
  /** Which datagram makes room: the one that comes, or the one that has waited longest. */
  private readonly overflow: "newest" | "oldest";
  private readonly onDrop: () => void;
  private readonly items: Fifo<Item> = new Fifo();
  private octets = 0;

  constructor(limit: number, overflow: "newest" | "oldest", onDrop: () => void) {
    this.limit = limit;
    this.overflow = overflow;
    this.onDrop = onDrop;
  }

  get length(): number {
    return this.items.length;
  }

  /** True when a datagram of this payload may be pushed; drops, and tells of, what has to go. */
  makeRoom(payload: Uint8Array): boolean {
    const needed = payload.length + DATAGRAM_OVERHEAD;
    while (this.octets + needed > this.limit) {
      this.onDrop();
      if (this.overflow === "newest" || this.shift() === undefined) return false;
    }
    return true;
  }

  push(item: Item): void {
    this.items.push(item);
    this.octets += item.data.length + DATAGRAM_OVERHEAD;
  }

  peek(): Item | undefined {
    return this.items.peek();
  }

  shift(): Item | undefined {
    const item = this.items.shift();
    if (item !== undefined) this.octets -= item.data.length + DATAGRAM_OVERHEAD;
    return item;
  }

  clear(): void {
    this.items.clear();
    this.octets = 0;
  }
}
