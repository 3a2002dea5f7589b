// The neighbour cache: address resolution and unreachability detection (RFC 4861 §7.2, §7.3), whoever asks: ARP or ND.
import {
  type Counters,
  createCounters,
  type DropReasons,
  Drops,
  type Host,
  type IpAddress,
  type MacAddress,
  type Milliseconds,
  type PacketBuffer,
  randomFraction,
  resolveLimits,
} from "@netstrata/core";
import {
  createNeighbourEntry,
  hasLinkAddress,
  isLessUseful,
  isOutOfDate,
  isUnused,
  type NeighbourEntry,
  type NeighbourState,
} from "./neighbour-entry.ts";
import { NEIGHBOUR_LIMITS, type NeighbourLimits } from "./neighbour-limits.ts";
import type { NeighbourEvent, NeighbourLink, NeighbourProtocol, NeighbourResolver } from "./neighbour-protocol.ts";
import { WaitingDatagrams } from "./waiting-datagrams.ts";

export type NeighbourDrop = "neighbour-queue-full" | "neighbour-table-full" | "neighbour-forgotten" | "neighbour-cache-closed";

const NEIGHBOUR_DROPS: DropReasons<NeighbourDrop> = {
  "neighbour-queue-full": "RFC 1122 §2.3.2.2",
  "neighbour-table-full": undefined,
  "neighbour-forgotten": undefined,
  "neighbour-cache-closed": undefined,
};

/**
 * How many entries are looked at to find one that makes room: a full table costs each stranger's message no more than that.
 * With a look at all 1,024 a forged request took 100 us, of which this leaves 10.
 */
const LOOKS = 32;

const NEIGHBOUR_COUNTERS = ["solicited", "resolved", "unresolved", "evicted"] as const;

export class NeighbourCache implements NeighbourResolver {
  readonly drops: Drops<NeighbourDrop>;
  /** Solicitations sent; datagrams that waited and were sent, or were given back; entries that made room for others. */
  readonly counters: Counters<(typeof NEIGHBOUR_COUNTERS)[number]> = createCounters(NEIGHBOUR_COUNTERS);
  private readonly host: Host;
  private readonly link: NeighbourLink;
  private readonly protocol: NeighbourProtocol;
  private readonly limits: NeighbourLimits;
  private readonly reachableTime: Milliseconds;
  private readonly entries: Map<IpAddress, NeighbourEntry> = new Map();
  /** Goes round the entries, some of them each time that one has to make room. */
  private hand: Iterator<NeighbourEntry> = this.entries.values();
  /** How many entries have no link address. */
  private unanswered = 0;
  private readonly queues: WaitingDatagrams;
  private closed = false;

  constructor(host: Host, link: NeighbourLink, protocol: NeighbourProtocol, limits: Partial<NeighbourLimits> = {}) {
    this.host = host;
    this.link = link;
    this.protocol = protocol;
    this.limits = resolveLimits(NEIGHBOUR_LIMITS, limits);
    this.queues = new WaitingDatagrams(this.limits);
    // RFC 4861 §6.3.2: the random factor keeps hosts from probing in step.
    this.reachableTime = this.limits.reachableTime * (0.5 + randomFraction(host.random));
    this.drops = new Drops(host, "link", NEIGHBOUR_DROPS);
  }

  /** How many neighbours are known or asked for. */
  get size(): number {
    return this.entries.size;
  }

  /** Datagrams that wait for a link address. */
  get waiting(): number {
    return this.queues.count;
  }

  /** A neighbour's state at this moment, and its link address when there is one; undefined when nothing is known of it. */
  get(address: IpAddress): { readonly state: NeighbourState; readonly linkAddress: MacAddress | undefined } | undefined {
    const entry = this.lookUp(address, this.host.clock.now());
    return entry && { state: entry.state, linkAddress: hasLinkAddress(entry) ? entry.linkAddress : undefined };
  }

  /** The addresses of all neighbours in the cache. */
  addresses(): IpAddress[] {
    return [...this.entries.keys()];
  }

  send(datagram: PacketBuffer, nextHop: IpAddress): void {
    const now = this.host.clock.now();
    const entry = this.lookUp(nextHop, now) ?? this.create(nextHop, now, true);
    if (entry === undefined) {
      this.drops.count(this.closed ? "neighbour-cache-closed" : "neighbour-table-full", datagram);
      return;
    }
    entry.usedAt = now;
    entry.touchedAt = now;
    // RFC 4861 §7.3.3: the first datagram to a stale neighbour gives the upper layers a while to confirm it.
    if (entry.state === "STALE") this.change(entry, "DELAY", this.limits.delayFirstProbeTime);
    if (hasLinkAddress(entry)) {
      this.link.transmitDatagram(datagram, entry.linkAddress);
      return;
    }
    const dropped = this.queues.add(entry, datagram);
    if (dropped !== undefined) this.drops.count("neighbour-queue-full", dropped);
    if (entry.state === "INCOMPLETE" && entry.solicitations === 0) this.solicit(entry);
    // A failure that is still fresh answers for this datagram too: through the clock, because the sender has not returned.
    if (entry.state === "FAILED" && !entry.timer.armed) entry.timer.arm(0);
  }

  /** RFC 4861 §7.3.1: upper-layer advice; it has no effect on a neighbour whose link address is not known (§7.3.3). */
  confirm(nextHop: IpAddress): void {
    const entry = this.entries.get(nextHop);
    if (entry === undefined || !hasLinkAddress(entry)) return;
    entry.confirmedAt = this.host.clock.now();
    if (entry.state !== "REACHABLE") this.change(entry, "REACHABLE");
  }

  /** True while a solicitation for `address` is unanswered, so that an answer can be told from a claim nobody asked for. */
  isSoliciting(address: IpAddress): boolean {
    const state = this.entries.get(address)?.state;
    return state === "INCOMPLETE" || state === "PROBE";
  }

  /** The neighbour answered a solicitation: it is reachable. An answer for an address not in the cache is ignored. */
  answered(address: IpAddress, linkAddress: MacAddress): void {
    const now = this.host.clock.now();
    const entry = this.lookUp(address, now);
    if (entry === undefined) return;
    entry.linkAddress = linkAddress;
    entry.confirmedAt = now;
    entry.touchedAt = now;
    this.change(entry, "REACHABLE");
    this.flush(entry);
  }

  /**
   * The neighbour was heard, in a message that does not prove that ours reach it (RFC 4861 §7.3.3). With `mayCreate` it is
   * remembered even when nobody asked for it.
   * @returns false when there is no entry to hold what was heard
   */
  heard(address: IpAddress, linkAddress: MacAddress, mayCreate: boolean): boolean {
    const now = this.host.clock.now();
    const entry = this.lookUp(address, now) ?? (mayCreate ? this.create(address, now, false) : undefined);
    if (entry === undefined) return false;
    entry.touchedAt = now;
    if (hasLinkAddress(entry) && entry.linkAddress === linkAddress) return true;
    entry.linkAddress = linkAddress;
    if (entry.queue.length > 0) this.change(entry, "DELAY", this.limits.delayFirstProbeTime);
    else this.change(entry, "STALE");
    this.flush(entry);
    return true;
  }

  /** Somebody claims another link address for it: what is known is used, but no longer held to be certain (RFC 4861 §7.2.5). */
  doubt(address: IpAddress): void {
    const entry = this.entries.get(address);
    if (entry?.state === "REACHABLE") this.change(entry, "STALE");
  }

  /** Forgets a neighbour; datagrams that wait for it are lost. */
  forget(address: IpAddress): void {
    const entry = this.entries.get(address);
    if (entry !== undefined) this.remove(entry, "neighbour-forgotten");
  }

  close(): void {
    this.closed = true;
    for (const entry of this.entries.values()) this.remove(entry, "neighbour-cache-closed");
  }

  /** What becomes of an entry by the mere passing of time needs no timer: it is seen when somebody looks (RFC 4861 §7.3.3, Note). */
  private lookUp(address: IpAddress, now: Milliseconds): NeighbourEntry | undefined {
    const entry = this.entries.get(address);
    if (entry === undefined) return undefined;
    if (isOutOfDate(entry, now, this.limits)) {
      this.remove(entry, "neighbour-forgotten");
      return undefined;
    }
    if (entry.state === "REACHABLE" && now - entry.confirmedAt > this.reachableTime) this.change(entry, "STALE");
    return entry;
  }

  /** @param forUse false for a neighbour that we have nothing to send to: it pushes out no entry that is used */
  private create(address: IpAddress, now: Milliseconds, forUse: boolean): NeighbourEntry | undefined {
    if (this.closed || (this.entries.size >= this.limits.maxEntries && !this.evict(now, forUse))) return undefined;
    const timer = this.host.clock.timer(() => this.expire(entry));
    const entry = createNeighbourEntry(address, timer, now);
    this.entries.set(address, entry);
    this.unanswered += 1;
    return entry;
  }

  private evict(now: Milliseconds, mayEvictUsed: boolean): boolean {
    const { maxEntries, retransmitTime } = this.limits;
    let least: NeighbourEntry | undefined;
    for (let looks = Math.min(LOOKS, this.entries.size); looks > 0; looks -= 1) {
      const entry = this.lookUp(this.nextInTurn(), now);
      // RFC 1122 §2.3.2.1: to forget an entry that was solicited a moment ago would mean to solicit it again too soon.
      if (entry === undefined || now - entry.solicitedAt < retransmitTime) continue;
      if (least === undefined || isLessUseful(entry, least)) least = entry;
    }
    if (this.entries.size < maxEntries) return true;
    if (least === undefined) return false;
    // Whoever makes us send to address after address of our own network, where nobody is, must not cost us the neighbours we
    // have: once half of the table is questions without an answer, more of them push out nobody who has answered.
    const mayEvictKnown = mayEvictUsed && !(hasLinkAddress(least) && 2 * this.unanswered >= maxEntries);
    if (!(mayEvictKnown || isUnused(least) || least.state === "FAILED")) return false;
    this.counters.evicted += 1;
    this.remove(least, "neighbour-table-full");
    return true;
  }

  /** Only called while there are entries. */
  private nextInTurn(): IpAddress {
    let turn = this.hand.next();
    if (turn.done === true) {
      this.hand = this.entries.values();
      turn = this.hand.next();
    }
    return turn.value.address;
  }

  private expire(entry: NeighbourEntry): void {
    const { maxMulticastSolicit, maxUnicastSolicit } = this.limits;
    if (entry.state === "DELAY") {
      // RFC 4861 §7.3.3: nobody confirmed the neighbour, so it is asked.
      entry.solicitations = 0;
      this.change(entry, "PROBE");
      this.solicit(entry);
    } else if (entry.state === "PROBE") {
      // RFC 4861 §7.3.3: the entry is deleted, so that the next datagram resolves the address again.
      if (entry.solicitations >= maxUnicastSolicit) this.remove(entry, "neighbour-forgotten");
      else this.solicit(entry);
    } else if (entry.state === "INCOMPLETE" && entry.solicitations < maxMulticastSolicit) {
      this.solicit(entry);
    } else {
      // RFC 4861 §7.2.2: resolution failed; RFC 1122 §2.4 lets nobody say so before this.
      if (entry.state === "INCOMPLETE") {
        entry.failedAt = this.host.clock.now();
        this.change(entry, "FAILED");
      }
      this.giveBack(entry);
    }
  }

  private solicit(entry: NeighbourEntry): void {
    entry.solicitations += 1;
    entry.solicitedAt = this.host.clock.now();
    entry.timer.arm(this.limits.retransmitTime);
    this.counters.solicited += 1;
    this.protocol.solicit(entry.address, hasLinkAddress(entry) ? entry.linkAddress : undefined);
  }

  private flush(entry: NeighbourEntry): void {
    for (const datagram of this.queues.take(entry)) {
      this.counters.resolved += 1;
      this.link.transmitDatagram(datagram, entry.linkAddress);
    }
  }

  private giveBack(entry: NeighbourEntry): void {
    for (const datagram of this.queues.take(entry)) {
      this.counters.unresolved += 1;
      this.link.unresolved(datagram, entry.address);
    }
  }

  private remove(entry: NeighbourEntry, reason: NeighbourDrop): void {
    entry.timer.disarm();
    this.entries.delete(entry.address);
    if (!hasLinkAddress(entry)) this.unanswered -= 1;
    for (const datagram of this.queues.take(entry)) this.drops.count(reason, datagram);
    this.tell(entry, "FORGOTTEN");
  }

  /** Every change of state ends what the timer was armed for. */
  private change(entry: NeighbourEntry, state: NeighbourState, timeout?: Milliseconds): void {
    if (!hasLinkAddress(entry)) this.unanswered -= 1;
    entry.state = state;
    if (!hasLinkAddress(entry)) this.unanswered += 1;
    if (timeout === undefined) entry.timer.disarm();
    else entry.timer.arm(timeout);
    this.tell(entry, state);
  }

  private tell(entry: NeighbourEntry, state: NeighbourEvent["state"]): void {
    const observer = this.host.observer;
    if (observer === undefined) return;
    const linkAddress = hasLinkAddress(entry) ? entry.linkAddress : undefined;
    const event: NeighbourEvent = { layer: "link", kind: "neighbour", address: entry.address, state, linkAddress };
    observer.observe(event);
  }
}
