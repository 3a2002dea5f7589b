// Unfinished datagrams of either family (RFC 791 §3.2, RFC 1122 §3.3.2, RFC 8200 §4.5): fragments wait until one is whole, its time is up, or room is short.
import { type Host, type Milliseconds, PacketBuffer, resolveLimits, type Timer } from "@netstrata/core";
import type { LinkCast } from "@netstrata/link";
import { FragmentList, type FragmentVerdict } from "./fragment-list.ts";

export interface ReassemblyLimits {
  /** Octets held in all unfinished datagrams, with what their records cost; the oldest go when it is passed. @default 4 MiB */
  readonly octets: number;
  /** Unfinished datagrams; the oldest goes when it is passed. @default 1024 */
  readonly datagrams: number;
  /** Fragments of one datagram; it is rejected when it is passed. 65,535 octets at MTU 576 are 119. @default 128 */
  readonly fragmentsPerDatagram: number;
  /** From the first fragment on, whichever that is. RFC 1122 §3.3.2 asks for 60 to 120 seconds, RFC 8200 §4.5 for 60. @default 60000 */
  readonly timeout: Milliseconds;
}

export const DEFAULT_REASSEMBLY_LIMITS: ReassemblyLimits = {
  octets: 4 * 1024 * 1024,
  datagrams: 1024,
  fragmentsPerDatagram: 128,
  timeout: 60_000,
};

/** What the record of a datagram, and of each fragment, is taken to cost beside the octets it holds. */
const RECORD_COST = 256;
const FRAGMENT_COST = 128;

const ECN = 0b11;
const NOT_ECN_CAPABLE = 0b00;
const CONGESTION_EXPERIENCED = 0b11;

/** Why fragments are dropped in both families. */
export type FragmentDropReason =
  | Exclude<FragmentVerdict, "pending" | "complete">
  | "fragment-of-rejected"
  | "oversize-datagram"
  | "mixed-ecn"
  | "reassembly-evicted"
  | "reassembly-timeout";

/** Told when time is up for a datagram whose first fragment is there: `fragment`, from its IP header on. */
export type OnReassemblyTimeout<Header> = (fragment: PacketBuffer, header: Header, cast: LinkCast) => void;

/** One fragment in terms of both families. */
export interface Fragment<Header> {
  readonly header: Header;
  /** Octets of everything in front of its payload. */
  readonly headerLength: number;
  /** Of its payload in the whole, in octets. */
  readonly offset: number;
  readonly isLast: boolean;
  readonly trafficClass: number;
}

/** The first fragment's headers. */
export interface FirstFragment<Header> {
  readonly bytes: Uint8Array;
  readonly header: Header;
}

interface UnfinishedDatagram<Header> {
  readonly key: string;
  readonly deadline: Milliseconds;
  readonly fragments: FragmentList;
  first: FirstFragment<Header> | undefined;
  cost: number;
  /** A bit for each ECN codepoint seen (RFC 3168 §5.3). */
  ecnSeen: number;
  /** The broadest by which a fragment came. */
  cast: LinkCast;
  /** What still comes of it is dropped (RFC 5722 §4: also "those not yet received"). */
  rejected: boolean;
}

interface ReassemblyCounters {
  ReasmTimeout: number;
  ReasmOKs: number;
}

interface FragmentDrops {
  count(reason: FragmentDropReason, packet?: PacketBuffer): void;
}

/** Both families' reassembly; what a header is, only the families know. */
export abstract class ReassemblyTable<Header> {
  private readonly host: Host;
  private readonly counters: ReassemblyCounters;
  private readonly drops: FragmentDrops;
  private readonly limits: ReassemblyLimits;
  private readonly onTimeout: OnReassemblyTimeout<Header>;
  private readonly timer: Timer;
  /** Oldest first; as all have the same time to live, the first is also the first to expire. */
  private readonly unfinished = new Map<string, UnfinishedDatagram<Header>>();
  private held = 0;

  constructor(
    host: Host,
    counters: ReassemblyCounters,
    drops: FragmentDrops,
    limits: Partial<ReassemblyLimits>,
    onTimeout: OnReassemblyTimeout<Header>,
  ) {
    this.host = host;
    this.counters = counters;
    this.drops = drops;
    this.limits = resolveLimits(DEFAULT_REASSEMBLY_LIMITS, limits);
    this.onTimeout = onTimeout;
    this.timer = host.clock.timer(() => this.expire());
  }

  /** Unfinished datagrams. */
  get size(): number {
    return this.unfinished.size;
  }

  /** Octets held, with what the records cost. */
  get octets(): number {
    return this.held;
  }

  /** Forgets everything and disarms the timer. */
  clear(): void {
    for (const datagram of this.unfinished.values()) this.forget(datagram);
  }

  /** The whole datagram: its headers, and room for `payloadLength` octets at its end; undefined when it would be too long. */
  protected abstract allocate(
    first: FirstFragment<Header>,
    payloadLength: number,
    congestionExperienced: boolean,
  ): PacketBuffer | undefined;

  /**
   * Takes a fragment that is in order by itself.
   * @param key says which datagram it belongs to
   * @param packet its window is the fragment's payload, behind all headers; it is only read
   * @returns the whole datagram from its IP header on, when this fragment completes it
   */
  protected collect(key: string, fragment: Fragment<Header>, packet: PacketBuffer, cast: LinkCast): PacketBuffer | undefined {
    const datagram = this.recordFor(key);
    if (datagram.rejected) return this.drop("fragment-of-rejected", packet);
    const verdict = this.addPiece(datagram, fragment, packet, cast);
    if (verdict === "complete") return this.finish(datagram, packet);
    if (verdict === "duplicate-fragment") return this.drop(verdict, packet);
    if (verdict !== "pending") {
      this.reject(datagram);
      return this.drop(verdict, packet);
    }
    while (this.held > this.limits.octets || this.unfinished.size > this.limits.datagrams) this.evictOldest();
    return undefined;
  }

  private recordFor(key: string): UnfinishedDatagram<Header> {
    const known = this.unfinished.get(key);
    if (known !== undefined) return known;
    const datagram: UnfinishedDatagram<Header> = {
      key,
      deadline: this.host.clock.now() + this.limits.timeout,
      fragments: new FragmentList(),
      first: undefined,
      cost: RECORD_COST,
      ecnSeen: 0,
      cast: "unicast",
      rejected: false,
    };
    this.unfinished.set(key, datagram);
    this.held += datagram.cost;
    if (!this.timer.armed) this.timer.arm(this.limits.timeout);
    return datagram;
  }

  private addPiece(
    datagram: UnfinishedDatagram<Header>,
    { header, headerLength, offset, isLast, trafficClass }: Fragment<Header>,
    packet: PacketBuffer,
    cast: LinkCast,
  ): FragmentVerdict {
    const verdict = datagram.fragments.add(offset, packet.view(), isLast, this.limits.fragmentsPerDatagram);
    if (verdict !== "pending" && verdict !== "complete") return verdict;
    const cost = packet.length + FRAGMENT_COST;
    datagram.cost += cost;
    this.held += cost;
    datagram.ecnSeen |= 1 << (trafficClass & ECN);
    if (cast !== "unicast") datagram.cast = cast;
    if (offset === 0) {
      datagram.first = { bytes: new Uint8Array(packet.bytes.subarray(packet.start - headerLength, packet.start)), header };
    }
    return verdict;
  }

  private finish(datagram: UnfinishedDatagram<Header>, packet: PacketBuffer): PacketBuffer | undefined {
    const { first, fragments, ecnSeen } = datagram;
    const marked = (ecnSeen & (1 << CONGESTION_EXPERIENCED)) !== 0;
    const whole = first && this.allocate(first, fragments.totalLength, marked);
    this.forget(datagram);
    if (whole === undefined) return this.drop("oversize-datagram", packet);
    // RFC 3168 §5.3: a mark must not get lost, and must not appear where nobody would look for it.
    if (marked && (ecnSeen & (1 << NOT_ECN_CAPABLE)) !== 0) return this.drop("mixed-ecn", packet);
    this.counters.ReasmOKs += 1;
    fragments.copyTo(whole.bytes, whole.end - fragments.totalLength);
    return whole;
  }

  /** Frees the fragments but keeps the record, so that those still on their way are known to belong to a rejected datagram. */
  private reject(datagram: UnfinishedDatagram<Header>): void {
    this.forget(datagram);
    const tombstone = { ...datagram, fragments: new FragmentList(), first: undefined, cost: RECORD_COST, rejected: true };
    // In the order of deadlines it stays last among its equals: its time starts anew.
    this.unfinished.set(datagram.key, { ...tombstone, deadline: this.host.clock.now() + this.limits.timeout });
    this.held += RECORD_COST;
    if (!this.timer.armed) this.timer.arm(this.limits.timeout);
  }

  private evictOldest(): void {
    for (const oldest of this.unfinished.values()) {
      this.forget(oldest);
      this.drops.count("reassembly-evicted");
      return;
    }
  }

  private expire(): void {
    const now = this.host.clock.now();
    for (const datagram of this.unfinished.values()) {
      if (datagram.deadline > now) {
        this.timer.arm(datagram.deadline - now);
        return;
      }
      this.forget(datagram);
      if (!datagram.rejected) this.timeUp(datagram);
    }
  }

  private timeUp(datagram: UnfinishedDatagram<Header>): void {
    this.counters.ReasmTimeout += 1;
    const payload = datagram.fragments.first();
    if (datagram.first === undefined || payload === undefined) {
      this.drops.count("reassembly-timeout");
      return;
    }
    const { bytes, header } = datagram.first;
    const fragment = PacketBuffer.allocate(0, bytes.length + payload.length);
    fragment.set(bytes);
    fragment.set(payload, bytes.length);
    this.drops.count("reassembly-timeout", fragment);
    // RFC 1122 §3.3.2, RFC 8200 §4.5: only then the error can say which message it was.
    this.onTimeout(fragment, header, datagram.cast);
  }

  private forget(datagram: UnfinishedDatagram<Header>): void {
    if (!this.unfinished.delete(datagram.key)) return;
    this.held -= datagram.cost;
    if (this.unfinished.size === 0) this.timer.disarm();
  }

  private drop(reason: FragmentDropReason, packet: PacketBuffer): undefined {
    this.drops.count(reason, packet);
    return undefined;
  }
}
