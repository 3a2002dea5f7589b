// Connection tracking: which conversation a packet belongs to (RFC 2663 §2.3 "session"), for filters and for network address translation.
import { foldChecksum, type Host, type Milliseconds, type PacketBuffer, resolveLimits, sumBytes, type Timer } from "@netstrata/core";
import { type IpHeader, sumPseudoHeader } from "../ip-header.ts";
import { PROTOCOL_TCP } from "../ip-protocol.ts";
import { readUncheckedIpv4Header } from "../ipv4-header.ts";
import { readUncheckedIpv6Header } from "../ipv6-header.ts";
import { type Flow, kindOf, type MessageKind, readFlow, reversed } from "./flow.ts";
import { type FlowEnd, FlowTable } from "./flow-table.ts";
import { DEFAULT_PHASE_TIMEOUTS, isOpeningSegment, type Phase, type PhaseTimeouts, TrackedConnection } from "./tracked-connection.ts";

export interface TrackingLimits extends PhaseTimeouts {
  /** Conversations at once. At the limit one that is not established goes; where all are, no further one is let in. @default 65536 */
  readonly connections: number;
}

export const DEFAULT_TRACKING_LIMITS: TrackingLimits = { ...DEFAULT_PHASE_TIMEOUTS, connections: 65536 };

/** In this order they make room for others; who is "established" or "answered" stays (RFC 5382 REQ-5, RFC 4787 REQ-5). */
const EXPENDABLE: readonly Phase[] = ["opening", "unanswered", "query", "closing", "other"];

/**
 * How a packet stands to what came before it: "new" until the other side has answered, "related" for an ICMP error about a conversation,
 * "invalid" for what can neither begin one nor belongs to any, "untracked" for what neighbours say to each other.
 */
export type FlowState = "new" | "established" | "related" | "invalid" | "untracked";

/** What tracking has to know of an IP header. */
export type TrackedHeader = Pick<IpHeader, "version" | "source" | "destination" | "protocol" | "headerLength">;

export interface Tracked {
  readonly state: FlowState;
  /** The packet's own flow, as it came in. */
  readonly flow: Flow;
  /** The direction in which it moves: of an ICMP error, that of the answers to what it quotes. */
  readonly end: FlowEnd | undefined;
  /** Its transport header is this many octets behind the window's start. */
  readonly at: number;
  readonly kind: MessageKind;
}

export class ConnectionTracking {
  /** How many conversations were forgotten to make room, and for how many there was none. */
  evictions = 0;
  refusals = 0;
  readonly limits: TrackingLimits;
  /** Told of each that has ended. */
  ended: (connection: TrackedConnection) => void = () => {};
  private readonly host: Host;
  private readonly table: FlowTable;
  private readonly queues: ReadonlyMap<Phase, ConnectionQueue>;
  private readonly timer: Timer;
  private count = 0;
  /** When the timer will go off. */
  private wakeAt: Milliseconds = 0;

  constructor(host: Host, limits: Partial<TrackingLimits> = {}) {
    this.host = host;
    this.limits = resolveLimits(DEFAULT_TRACKING_LIMITS, limits);
    this.table = new FlowTable(host.random);
    const phases = Object.keys(DEFAULT_PHASE_TIMEOUTS) as Phase[];
    this.queues = new Map(phases.map((phase) => [phase, new ConnectionQueue()]));
    this.timer = host.clock.timer(() => this.expire());
  }

  /** Conversations that are remembered. */
  get size(): number {
    return this.count;
  }

  get longestChain(): number {
    return this.table.longestChain;
  }

  /** The conversation of which `flow` is one direction, if it is remembered. */
  find(flow: Flow): FlowEnd | undefined {
    return this.table.find(flow);
  }

  /**
   * True when answers of this flow would be another conversation's. One that has begun with just this flow and that nobody has
   * answered gives way: else a stranger could keep an inner host from a port by knocking at it first (RFC 5128 §3.3).
   */
  isTaken(reply: Flow): boolean {
    const end = this.table.find(reply);
    if (end === undefined) return false;
    if (end.isReply || end.connection.isAnswered) return true;
    this.forget(end.connection);
    return false;
  }

  /**
   * Looks at a whole datagram. A "new" conversation is not remembered before `confirm`.
   * @param packet its window starts at the IP header
   * @param isOurs this host itself sends it
   */
  track(packet: PacketBuffer, header: TrackedHeader, isOurs = false): Tracked {
    const at = header.headerLength;
    const kind = kindOf(packet, at, header.protocol);
    if (kind === "truncated") return { state: "invalid", flow: flowWithoutPorts(header), end: undefined, at, kind };
    const flow = readFlow(packet, at, kind, header);
    if (kind === "error") return this.trackError(packet, at, header, flow, isOurs);
    if (kind === "other") return { state: "untracked", flow, end: undefined, at, kind };
    const end = this.table.find(flow);
    if (end !== undefined) {
      const { connection, isReply } = end;
      return { state: isReply || connection.isAnswered ? "established" : "new", flow, end, at, kind };
    }
    const begins = flow.protocol === PROTOCOL_TCP ? isOpeningSegment(packet, at) : kind !== "echo-reply";
    if (!begins) return { state: "invalid", flow, end: undefined, at, kind };
    return { state: "new", flow, end: new TrackedConnection(flow).original, at, kind };
  }

  /** RFC 5508 §4.2: an error belongs to the conversation that it quotes; what it quotes went the other way. */
  private trackError(packet: PacketBuffer, at: number, header: TrackedHeader, flow: Flow, isOurs: boolean): Tracked {
    // RFC 5508 REQ-3 (a): of a damaged error nothing is believed.
    const quoted = isIntact(packet, at, header) ? quotedFlow(packet, at, header) : undefined;
    // What we say ourselves of a datagram that we do not pass on quotes it as it came in.
    const end = quoted && (this.table.find(reversed(quoted)) ?? (isOurs ? this.table.find(quoted)?.opposite : undefined));
    return { state: end === undefined && !isOurs ? "invalid" : "related", flow, end, at, kind: "error" };
  }

  /**
   * A packet has passed: its conversation is remembered, or goes on.
   * @returns false when it is a new one for which there is no room, or whose answers could not be told from another's
   */
  confirm({ end, at, kind }: Tracked, packet: PacketBuffer): boolean {
    if (end === undefined || kind === "error") return true;
    const { connection } = end;
    if (!connection.isConfirmed && !this.remember(connection)) return false;
    this.enter(connection, connection.phaseAfter(packet, at, end.isReply));
    return true;
  }

  /** Forgets everything and disarms the timer. */
  clear(): void {
    for (const queue of this.queues.values()) while (queue.oldest !== undefined) this.forget(queue.oldest);
    this.timer.disarm();
  }

  private remember(connection: TrackedConnection): boolean {
    if (this.table.find(connection.reply.flow) !== undefined || !this.makeRoom()) {
      this.refusals += 1;
      return false;
    }
    this.table.add(connection.original);
    this.table.add(connection.reply);
    connection.isConfirmed = true;
    this.count += 1;
    this.queueOf(connection).append(connection);
    return true;
  }

  private makeRoom(): boolean {
    if (this.count < this.limits.connections) return true;
    for (const phase of EXPENDABLE) {
      const oldest = this.queues.get(phase)?.oldest;
      if (oldest === undefined) continue;
      this.evictions += 1;
      this.forget(oldest);
      return true;
    }
    return false;
  }

  /** All of one phase have the same time, so that in its queue the one that spoke last is the last to go. */
  private enter(connection: TrackedConnection, phase: Phase): void {
    this.queueOf(connection).remove(connection);
    connection.phase = phase;
    const deadline = this.host.clock.now() + this.limits[phase];
    connection.deadline = deadline;
    this.queueOf(connection).append(connection);
    if (!this.timer.armed || deadline < this.wakeAt) this.wake(this.limits[phase], deadline);
  }

  private wake(delay: Milliseconds, at: Milliseconds): void {
    this.wakeAt = at;
    this.timer.arm(delay);
  }

  private forget(connection: TrackedConnection): void {
    this.queueOf(connection).remove(connection);
    this.table.remove(connection.original);
    this.table.remove(connection.reply);
    this.count -= 1;
    this.ended(connection);
    if (this.count === 0) this.timer.disarm();
  }

  private expire(): void {
    const now = this.host.clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const queue of this.queues.values()) {
      while (queue.oldest !== undefined && queue.oldest.deadline <= now) this.forget(queue.oldest);
      if (queue.oldest !== undefined) next = Math.min(next, queue.oldest.deadline);
    }
    // Not less than a whole millisecond: a shorter time might not change what the clock says.
    if (next < Number.POSITIVE_INFINITY) this.wake(Math.max(1, next - now), next);
  }

  private queueOf({ phase }: TrackedConnection): ConnectionQueue {
    return this.queues.get(phase) as ConnectionQueue;
  }
}

/** The connections of one phase, the one that has been silent for longest first. */
class ConnectionQueue {
  oldest: TrackedConnection | undefined;
  private latest: TrackedConnection | undefined;

  append(connection: TrackedConnection): void {
    connection.before = this.latest;
    connection.after = undefined;
    if (this.latest === undefined) this.oldest = connection;
    else this.latest.after = connection;
    this.latest = connection;
  }

  remove(connection: TrackedConnection): void {
    const { before, after } = connection;
    if (before === undefined) this.oldest = after;
    else before.after = after;
    if (after === undefined) this.latest = before;
    else after.before = before;
    connection.before = undefined;
    connection.after = undefined;
  }
}

function flowWithoutPorts({ protocol, source, destination }: TrackedHeader): Flow {
  return { protocol, source, sourcePort: 0, destination, destinationPort: 0 };
}

const ICMP_HEADER = 8;

function isIntact(packet: PacketBuffer, at: number, { version, source, destination, protocol }: TrackedHeader): boolean {
  if (packet.checksum !== "complete") return true;
  const pseudoHeader = version === 4 ? 0 : sumPseudoHeader(source, destination, protocol, packet.length - at);
  return foldChecksum(sumBytes(packet.bytes, packet.start + at, packet.end, pseudoHeader)) === 0;
}

/** The flow of what an ICMP error quotes; undefined when it quotes too little, or the middle of something. */
function quotedFlow(packet: PacketBuffer, at: number, { version }: TrackedHeader): Flow | undefined {
  const { start } = packet;
  packet.start = start + at + ICMP_HEADER;
  const quoted = version === 4 ? readUncheckedIpv4Header(packet) : readUncheckedIpv6Header(packet);
  let flow: Flow | undefined;
  if (typeof quoted === "object") {
    const offset = quoted.version === 4 ? quoted.fragmentOffset : (quoted.fragment?.offset ?? 0);
    const kind = kindOf(packet, quoted.headerLength, quoted.protocol, true);
    // An error about an error must not be, and quotes nothing of use.
    if (offset === 0 && (kind === "message" || kind === "echo-request" || kind === "echo-reply")) {
      flow = readFlow(packet, quoted.headerLength, kind, quoted);
    }
  }
  packet.start = start;
  return flow;
}
