// Which endpoint a datagram belongs to (RFC 768, RFC 1122 §4.1.3.5): the most specific match of both ends.
import type { IpAddress } from "@netstrata/core";
import type { Endpoint } from "../endpoint.ts";
import { type Binding, bindingsOverlap, fitOf } from "../wildcard.ts";

/** What the table needs to know of an endpoint. */
export interface Bound {
  readonly local: Endpoint;
  /** Of `local`: what it takes. */
  readonly binding: Binding;
  readonly remote: Endpoint | undefined;
  readonly options: { readonly reuseAddress?: boolean };
}

export class PortTable<Entry extends Bound> {
  /** In the order of binding. Nearly every port has one endpoint, so a list is the fastest index. */
  private readonly byPort = new Map<number, Entry[]>();
  size = 0;

  has(port: number): boolean {
    return this.byPort.has(port);
  }

  /** True when a binding would take datagrams away from somebody who did not agree to share. */
  conflicts(port: number, binding: Binding, reuseAddress: boolean): boolean {
    for (const entry of this.byPort.get(port) ?? []) {
      if (!bindingsOverlap(entry.binding, binding)) continue;
      if (!reuseAddress || entry.options.reuseAddress !== true) return true;
    }
    return false;
  }

  add(entry: Entry): void {
    const entries = this.byPort.get(entry.local.port);
    if (entries === undefined) this.byPort.set(entry.local.port, [entry]);
    else entries.push(entry);
    this.size += 1;
  }

  remove(entry: Entry): void {
    const entries = this.byPort.get(entry.local.port);
    const index = entries?.indexOf(entry) ?? -1;
    if (entries === undefined || index < 0) return;
    if (entries.length === 1) this.byPort.delete(entry.local.port);
    else entries.splice(index, 1);
    this.size -= 1;
  }

  /** The endpoint for a unicast datagram: connected before bound to the address before bound to all; the newest among equals. */
  find(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): Entry | undefined {
    const entries = this.byPort.get(localPort);
    if (entries === undefined) return undefined;
    let best: Entry | undefined;
    let bestRank = 1;
    for (const entry of entries) {
      const entryRank = rank(entry, local, remote, remotePort);
      if (entryRank >= bestRank) {
        best = entry;
        bestRank = entryRank;
      }
    }
    return best;
  }

  /** All endpoints for a broadcast or multicast datagram; a list of its own, because they may close while they are told. */
  findAll(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): Entry[] {
    return (this.byPort.get(localPort) ?? []).filter((entry) => rank(entry, local, remote, remotePort) > 0);
  }

  *[Symbol.iterator](): IterableIterator<Entry> {
    for (const entries of this.byPort.values()) yield* entries;
  }
}

/** 0: not this one; otherwise the more the more specific. */
function rank(entry: Bound, local: IpAddress, remote: IpAddress, remotePort: number): number {
  const fit = fitOf(entry.binding, local);
  const peer = entry.remote;
  if (peer === undefined || fit === 0) return fit;
  return peer.address === remote && peer.port === remotePort ? fit + CONNECTED : 0;
}

/** A connected endpoint goes before all that are not. */
const CONNECTED = 3;
