// Telling routers and switches which groups are listened to (RFC 3810 §5.2, §6.1): changes only, and answers to queries.
import { type Host, type Ipv6Address, ip, type Milliseconds, PacketBuffer, randomFraction, type Timer, writeIp } from "@netstrata/core";

/** RFC 3810 §5.2.14. */
export const ALL_LISTENER_ROUTERS: Ipv6Address = ip("ff02::16") as Ipv6Address;
/** Router alert for MLD (RFC 2711 §2.1), and two octets of padding: the hop-by-hop options of every MLD message (RFC 3810 §5). */
export const LISTENER_OPTIONS: Uint8Array = Uint8Array.of(5, 2, 0, 0, 1, 0);

const RECORD_LENGTH = 20;
const MODE_IS_EXCLUDE = 2;
const CHANGE_TO_INCLUDE = 3;
const CHANGE_TO_EXCLUDE = 4;
/** RFC 3810 §9.1, §9.11. */
const ROBUSTNESS = 2;
const UNSOLICITED_INTERVAL: Milliseconds = 1000;

/** Sends a report: its body behind the 8 octets of the ICMPv6 header, and how many records it has. */
export type SendReport = (body: PacketBuffer, records: number) => void;

export class ListenerReport {
  private readonly host: Host;
  private readonly send: SendReport;
  private readonly headroom: () => number;
  private readonly groups = new Set<Ipv6Address>();
  /** Changes that have to be told, and how many times yet. */
  private readonly pending = new Map<Ipv6Address, { readonly type: number; left: number }>();
  private readonly changes: Timer;
  private readonly answer: Timer;
  private closed = false;

  constructor(host: Host, headroom: () => number, send: SendReport) {
    this.host = host;
    this.headroom = headroom;
    this.send = send;
    this.changes = host.clock.timer(() => this.tellChanges());
    this.answer = host.clock.timer(() => this.tellAll());
  }

  /** RFC 3810 §6: all nodes, and what never leaves a host, are reported to nobody. */
  join(group: Ipv6Address): void {
    const scope = group.charCodeAt(0) & 0xf;
    if (scope < 2 || group === "\uff02\0\0\0\0\0\0\u0001" || this.groups.has(group)) return;
    this.groups.add(group);
    this.change(group, CHANGE_TO_EXCLUDE);
  }

  leave(group: Ipv6Address): void {
    if (this.groups.delete(group)) this.change(group, CHANGE_TO_INCLUDE);
  }

  /** A query, about everything or about one group of ours, is answered within `maximumDelay` (RFC 3810 §6.2). */
  queried(group: Ipv6Address | undefined, maximumDelay: Milliseconds): void {
    if (this.groups.size === 0 || (group !== undefined && !this.groups.has(group)) || this.answer.armed) return;
    this.answer.arm(randomFraction(this.host.random) * maximumDelay);
  }

  close(): void {
    this.closed = true;
    this.changes.disarm();
    this.answer.disarm();
  }

  private change(group: Ipv6Address, type: number): void {
    this.pending.set(group, { type, left: ROBUSTNESS });
    if (!this.closed) this.changes.arm(0);
  }

  private tellChanges(): void {
    const records: [number, Ipv6Address][] = [];
    for (const [group, change] of this.pending) {
      records.push([change.type, group]);
      change.left -= 1;
      if (change.left === 0) this.pending.delete(group);
    }
    this.report(records);
    if (this.pending.size > 0) this.changes.arm(randomFraction(this.host.random) * UNSOLICITED_INTERVAL);
  }

  private tellAll(): void {
    this.report([...this.groups].map((group) => [MODE_IS_EXCLUDE, group]));
  }

  /** As many records as fit on any link. */
  private report(records: readonly (readonly [type: number, group: Ipv6Address])[]): void {
    const most = 60;
    for (let at = 0; at < records.length; at += most) {
      const some = records.slice(at, at + most);
      const body = PacketBuffer.allocate(this.headroom() + 8, some.length * RECORD_LENGTH);
      for (const [index, [type, group]] of some.entries()) {
        body.setU8(index * RECORD_LENGTH, type);
        writeIp(body, index * RECORD_LENGTH + 4, group);
      }
      this.send(body, some.length);
    }
  }
}
