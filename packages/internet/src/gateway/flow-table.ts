// All tracked connections by either of their two flows: a hash table with a secret key, so that no stranger can fill one of its chains.
import { type HalfSipKey, halfSipHash, type Random, randomHalfSipKey } from "@netstrata/core";
import { type Flow, isSameFlow, writeFlow } from "./flow.ts";
import type { TrackedConnection } from "./tracked-connection.ts";

const SMALLEST_TABLE = 64;

/** One direction of a connection, in the table. */
export class FlowEnd {
  readonly flow: Flow;
  readonly connection: TrackedConnection;
  /** It is the direction of the answers. */
  readonly isReply: boolean;
  hash = 0;
  sibling: FlowEnd | undefined;

  constructor(flow: Flow, connection: TrackedConnection, isReply: boolean) {
    this.flow = flow;
    this.connection = connection;
    this.isReply = isReply;
  }

  /** The other direction. */
  get opposite(): FlowEnd {
    return this.isReply ? this.connection.original : this.connection.reply;
  }
}

/** An array of chains and no `Map`, for the reason that stands in TCP's connection-table.ts. */
export class FlowTable {
  size = 0;
  private readonly key: HalfSipKey;
  private readonly words = new Int32Array(10);
  private buckets: (FlowEnd | undefined)[] = new Array(SMALLEST_TABLE).fill(undefined);

  constructor(random: Random) {
    this.key = randomHalfSipKey(random);
  }

  find(flow: Flow): FlowEnd | undefined {
    const hash = this.hashOf(flow);
    let end = this.buckets[hash & (this.buckets.length - 1)];
    while (end !== undefined && (end.hash !== hash || !isSameFlow(end.flow, flow))) end = end.sibling;
    return end;
  }

  add(end: FlowEnd): void {
    if (this.size >= this.buckets.length) this.resize(2 * this.buckets.length);
    end.hash = this.hashOf(end.flow);
    this.link(end);
    this.size += 1;
  }

  /** Removing what is not there is harmless. */
  remove(end: FlowEnd): void {
    const bucket = end.hash & (this.buckets.length - 1);
    let before = this.buckets[bucket];
    if (before === end) {
      this.buckets[bucket] = end.sibling;
    } else {
      while (before !== undefined && before.sibling !== end) before = before.sibling;
      if (before === undefined) return;
      before.sibling = end.sibling;
    }
    end.sibling = undefined;
    this.size -= 1;
    if (this.buckets.length > SMALLEST_TABLE && this.size < this.buckets.length / 8) this.resize(this.buckets.length / 2);
  }

  /** The length of the longest chain; looks at all. */
  get longestChain(): number {
    let longest = 0;
    for (let end of this.buckets) {
      let length = 0;
      for (; end !== undefined; end = end.sibling) length += 1;
      longest = Math.max(longest, length);
    }
    return longest;
  }

  private hashOf(flow: Flow): number {
    return halfSipHash(this.key, this.words, writeFlow(this.words, flow));
  }

  private link(end: FlowEnd): void {
    const bucket = end.hash & (this.buckets.length - 1);
    end.sibling = this.buckets[bucket];
    this.buckets[bucket] = end;
  }

  private resize(length: number): void {
    const former = this.buckets;
    this.buckets = new Array(length).fill(undefined);
    for (const first of former) {
      for (let end = first; end !== undefined; ) {
        const { sibling } = end;
        this.link(end);
        end = sibling;
      }
    }
  }
}
