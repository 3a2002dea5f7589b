// Reassembly (RFC 791 §3.2, RFC 1122 §3.3.2): collects fragments until a datagram is whole, its time is up, or room is short.
import { foldChecksum, type Host, type Milliseconds, PacketBuffer, resolveLimits, sumBytes, type Timer } from "@netstrata/core";
import type { LinkCast } from "@netstrata/link";
import { FragmentList, type FragmentVerdict } from "./fragment-list.ts";
import { PROTOCOL_TCP } from "./ip-protocol.ts";
import type { Ipv4Counters, Ipv4DropReason, Ipv4Drops } from "./ipv4-counters.ts";
import { IPV4_HEADER_LENGTH, IPV4_MAX_LENGTH, type Ipv4Header } from "./ipv4-header.ts";

export interface ReassemblyLimits {
  /** Octets held in all unfinished datagrams, with what their records cost; the oldest go when it is passed. @default 4 MiB */
  readonly octets: number;
  /** Unfinished datagrams; the oldest goes when it is passed. @default 1024 */
  readonly datagrams: number;
  /** Fragments of one datagram; it is rejected when it is passed. 65,535 octets at MTU 576 are 119. @default 128 */
  readonly fragmentsPerDatagram: number;
  /** From the first fragment on, whichever that is. RFC 1122 §3.3.2 asks for 60 to 120 seconds. @default 60000 */
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

/** Told when time is up for a datagram whose first fragment is there: `fragment`, from its IP header on. */
export type OnReassemblyTimeout = (fragment: PacketBuffer, header: Ipv4Header, cast: LinkCast) => void;

interface UnfinishedDatagram {
  readonly key: string;
  readonly deadline: Milliseconds;
  readonly fragments: FragmentList;
  /** The first fragment's header with its options. */
  first: { readonly bytes: Uint8Array; readonly header: Ipv4Header } | undefined;
  cost: number;
  /** A bit for each ECN codepoint seen (RFC 3168 §5.3). */
  ecnSeen: number;
  /** The broadest by which a fragment came. */
  cast: LinkCast;
  /** What still comes of it is dropped (RFC 5722 §4: also "those not yet received"). */
  rejected: boolean;
}

export class Reassembler {
  private readonly host: Host;
  private readonly counters: Ipv4Counters;
  private readonly drops: Ipv4Drops;
  private readonly limits: ReassemblyLimits;
  private readonly onTimeout: OnReassemblyTimeout;
  private readonly timer: Timer;
  /** Oldest first; as all have the same time to live, the first is also the first to expire. */
  private readonly unfinished = new Map<string, UnfinishedDatagram>();
  private held = 0;

  constructor(host: Host, counters: Ipv4Counters, drops: Ipv4Drops, limits: Partial<ReassemblyLimits>, onTimeout: OnReassemblyTimeout) {
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

  /**
   * Takes a fragment.
   * @param packet its window is the fragment's payload, behind its header; it is only read
   * @returns the whole datagram from its IP header on, when this fragment completes it
   */
  add(packet: PacketBuffer, header: Ipv4Header, cast: LinkCast): PacketBuffer | undefined {
    this.counters.ReasmReqds += 1;
    const fault = faultOf(packet.length, header);
    if (fault !== undefined) return this.drop(fault, packet);
    const datagram = this.recordFor(header);
    if (datagram.rejected) return this.drop("fragment-of-rejected", packet);
    const verdict = this.collect(datagram, packet, header, cast);
    if (verdict === "complete") return this.finish(datagram, packet);
    if (verdict === "duplicate-fragment") return this.drop(verdict, packet);
    if (verdict !== "pending") {
      this.reject(datagram);
      return this.drop(verdict, packet);
    }
    while (this.held > this.limits.octets || this.unfinished.size > this.limits.datagrams) this.evictOldest();
    return undefined;
  }

  /** Forgets everything and disarms the timer. */
  clear(): void {
    for (const datagram of this.unfinished.values()) this.forget(datagram);
  }

  private recordFor(header: Ipv4Header): UnfinishedDatagram {
    // RFC 791 §3.2: these four say which datagram a fragment belongs to.
    const key = `${header.source},${header.destination},${header.protocol},${header.identification}`;
    const known = this.unfinished.get(key);
    if (known !== undefined) return known;
    const datagram: UnfinishedDatagram = {
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

  private collect(datagram: UnfinishedDatagram, packet: PacketBuffer, header: Ipv4Header, cast: LinkCast): FragmentVerdict {
    const verdict = datagram.fragments.add(header.fragmentOffset, packet.view(), !header.moreFragments, this.limits.fragmentsPerDatagram);
    if (verdict !== "pending" && verdict !== "complete") return verdict;
    const cost = packet.length + FRAGMENT_COST;
    datagram.cost += cost;
    this.held += cost;
    datagram.ecnSeen |= 1 << (header.trafficClass & ECN);
    if (cast !== "unicast") datagram.cast = cast;
    if (header.fragmentOffset === 0) {
      const start = packet.start - header.headerLength;
      datagram.first = { bytes: new Uint8Array(packet.bytes.subarray(start, packet.start)), header };
    }
    return verdict;
  }

  private finish(datagram: UnfinishedDatagram, packet: PacketBuffer): PacketBuffer | undefined {
    const { first, fragments, ecnSeen } = datagram;
    if (first === undefined || first.bytes.length + fragments.totalLength > IPV4_MAX_LENGTH)
      return this.fail(datagram, "oversize-datagram", packet);
    const marked = (ecnSeen & (1 << CONGESTION_EXPERIENCED)) !== 0;
    // RFC 3168 §5.3: a mark must not get lost, and must not appear where nobody would look for it.
    if (marked && (ecnSeen & (1 << NOT_ECN_CAPABLE)) !== 0) return this.fail(datagram, "mixed-ecn", packet);
    this.forget(datagram);
    this.counters.ReasmOKs += 1;
    const whole = PacketBuffer.allocate(0, first.bytes.length + fragments.totalLength);
    whole.set(first.bytes);
    fragments.copyTo(whole.bytes, whole.start + first.bytes.length);
    if (marked) whole.setU8(1, whole.u8(1) | CONGESTION_EXPERIENCED);
    whole.setU16(2, whole.length);
    whole.setU16(6, 0);
    whole.setU16(10, 0);
    whole.setU16(10, foldChecksum(sumBytes(whole.bytes, whole.start, whole.start + first.bytes.length)));
    return whole;
  }

  private fail(datagram: UnfinishedDatagram, reason: Ipv4DropReason, packet: PacketBuffer): undefined {
    this.forget(datagram);
    return this.drop(reason, packet);
  }

  /** Frees the fragments but keeps the record, so that those still on their way are known to belong to a rejected datagram. */
  private reject(datagram: UnfinishedDatagram): void {
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

  private timeUp(datagram: UnfinishedDatagram): void {
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
    // RFC 1122 §3.3.2: only then the error can say which message it was.
    this.onTimeout(fragment, header, datagram.cast);
  }

  private forget(datagram: UnfinishedDatagram): void {
    if (!this.unfinished.delete(datagram.key)) return;
    this.held -= datagram.cost;
    if (this.unfinished.size === 0) this.timer.disarm();
  }

  private drop(reason: Ipv4DropReason, packet: PacketBuffer): undefined {
    this.drops.count(reason, packet);
    return undefined;
  }
}

/** What is wrong with a fragment by itself; undefined when nothing is. */
function faultOf(length: number, header: Ipv4Header): Ipv4DropReason | undefined {
  if (length === 0) return "empty-fragment";
  // RFC 791 §3.2: offsets count in units of 8 octets, so only the last fragment can end elsewhere.
  if (header.moreFragments && length % 8 !== 0) return "unaligned-fragment";
  // RFC 1858 §3.2.2: no honest sender puts TCP's flags into a second fragment; filters look for them in the first.
  if (header.protocol === PROTOCOL_TCP && header.fragmentOffset === 8) return "tiny-fragment";
  if (header.fragmentOffset + length > IPV4_MAX_LENGTH - IPV4_HEADER_LENGTH) return "oversize-datagram";
  return undefined;
}
