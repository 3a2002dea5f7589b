// All connections by their two ends (RFC 9293 §3.3.1: a connection is a pair of sockets).
import type { IpAddress } from "@netstrata/core";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** The two ports in one small integer, the fastest key there is; connections with the same two ports form a chain. */
function bucketOf(localPort: number, remotePort: number): number {
  return (localPort << 16) | remotePort;
}

export class ConnectionTable {
  size = 0;
  private readonly buckets: Map<number, TransmissionControlBlock> = new Map();

  find(localAddress: IpAddress, localPort: number, remoteAddress: IpAddress, remotePort: number): TransmissionControlBlock | undefined {
    let tcb = this.buckets.get(bucketOf(localPort, remotePort));
    while (tcb !== undefined && (tcb.remote.address !== remoteAddress || tcb.local.address !== localAddress)) tcb = tcb.sibling;
    return tcb;
  }

  add(tcb: TransmissionControlBlock): void {
    const bucket = bucketOf(tcb.local.port, tcb.remote.port);
    tcb.sibling = this.buckets.get(bucket);
    this.buckets.set(bucket, tcb);
    this.size += 1;
  }

  remove(tcb: TransmissionControlBlock): void {
    const bucket = bucketOf(tcb.local.port, tcb.remote.port);
    let before = this.buckets.get(bucket);
    if (before === tcb) {
      if (tcb.sibling === undefined) this.buckets.delete(bucket);
      else this.buckets.set(bucket, tcb.sibling);
      this.size -= 1;
      return;
    }
    while (before !== undefined && before.sibling !== tcb) before = before.sibling;
    if (before === undefined) return;
    before.sibling = tcb.sibling;
    this.size -= 1;
  }

  *[Symbol.iterator](): Iterator<TransmissionControlBlock> {
    // A copy, because whoever iterates may close what it finds.
    for (const first of [...this.buckets.values()]) {
      for (let tcb: TransmissionControlBlock | undefined = first; tcb !== undefined; tcb = tcb.sibling) yield tcb;
    }
  }
}
