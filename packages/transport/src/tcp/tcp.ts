// TCP: takes segments from IP to their connections and listeners, and opens both (RFC 9293 §3.9.2, §3.10.1, §3.10.7).
import {
  type Counters,
  Drops,
  type ErrorCode,
  type Host,
  type IpAddress,
  ipVersion,
  isAfter,
  isMulticast,
  isUnspecified,
  type PacketBuffer,
  type SequenceNumber,
  sequenceAdd,
  sequenceDistance,
  type Timer,
} from "@netstrata/core";
import {
  type Arrival,
  type Delivery,
  type IcmpError,
  type IpHeader,
  type IpProtocolHandler,
  type IpService,
  PROTOCOL_TCP,
  type ReturnRoute,
} from "@netstrata/internet";
import type { Endpoint } from "../endpoint.ts";
import { chooseEphemeralPort, DEFAULT_PORT_RANGE, type PortRange } from "../ephemeral-ports.ts";
import { ICMP_ERROR_CODE } from "../icmp-error-code.ts";
import { bindingsOverlap, fitOf } from "../wildcard.ts";
import { MemoryAccount, type MemoryLimit } from "./buffers/memory-account.ts";
import { ChallengeBudget, DEFAULT_CHALLENGE_ACKS } from "./challenge-ack.ts";
import { abort, becomeClosed } from "./closing.ts";
import { createCongestionControl } from "./congestion/congestion-controls.ts";
import { randomHashKey } from "./connection-hash.ts";
import { DEFAULT_TCP_OPTIONS, type ResolvedTcpOptions, resolveTcpOptions } from "./connection-options.ts";
import { ConnectionTable } from "./connection-table.ts";
import { finishEvent } from "./event.ts";
import { prepareFastOpen } from "./fast-open/active-fast-open.ts";
import { FastOpen, type FastOpenOptions } from "./fast-open/fast-open.ts";
import { followedByConnection, followedByListener } from "./followed-defaults.ts";
import { createInitialSequenceNumbers, type InitialSequenceNumberSource } from "./initial-sequence-number.ts";
import { Listener } from "./listener.ts";
import { createLossRecovery } from "./loss-recovery/loss-recovery.ts";
import { DEFAULT_MAX_ORPHANS } from "./orphan.ts";
import { answerToCookieArrives, synArrives } from "./passive-open.ts";
import { type PersonalityName, withPersonality } from "./personality.ts";
import { queueText } from "./queue-text.ts";
import { isAcceptable } from "./receiver.ts";
import { sendResetFor } from "./reset.ts";
import { Segment } from "./segment.ts";
import { segmentArrives } from "./segment-arrives.ts";
import { adaptToPath, updateSegmentSize } from "./segment-size.ts";
import { sendSyn } from "./sender.ts";
import { chosenRoute, followRoute, reversedRoute } from "./source-route.ts";
import { type SynCookieMode, SynCookies } from "./syn-cookies.ts";
import { createTcpCounters, TCP_DROPS, type TcpCounterName, type TcpDropReason } from "./tcp-counters.ts";
import type { TcpMemoryEvent } from "./tcp-events.ts";
import { readTcp, TCP_HEADER_LENGTH, type TcpHeader } from "./tcp-header.ts";
import type {
  TcpConnection,
  TcpConnectionOptions,
  TcpListener,
  TcpListenerUser,
  TcpListenOptions,
  TcpOpenOptions,
  TcpService,
  TcpUser,
} from "./tcp-service.ts";
import { mayOpenAgain, maySynReopen } from "./time-wait-reuse.ts";
import { ON_TIMEOUT } from "./timeouts.ts";
import { createTimestampOffsets, type TimestampOffsetSource } from "./timestamp-offset.ts";
import { type TcpContext, type TimerKind, TransmissionControlBlock } from "./transmission-control-block.ts";
import { UserCalls } from "./user-calls.ts";

/** Options of the whole stack: defaults of its connections, and what they share. */
export interface TcpStackOptions extends TcpConnectionOptions {
  /** Whose choices are the defaults of everything else (`personality.ts`). @default "rfc" */
  readonly personality?: PersonalityName;
  /** Connections in all states; what exceeds them is refused with EMFILE or dropped. @default 262144 */
  readonly maxConnections?: number;
  /** Connections that the user has closed both ways and that have not ended yet (RFC 6429 §4); one more is reset. @default 65536 */
  readonly maxOrphans?: number;
  /** What all connections together may hold (Linux: tcp_mem). @default 192, 256 and 384 MiB */
  readonly memoryLimit?: MemoryLimit;
  readonly portRange?: PortRange;
  /** Challenges of all connections together in a second, give or take a random half of it (RFC 5961 §7). @default 1000 */
  readonly challengeAcksPerSecond?: number;
  /** When a SYN is answered without anything being remembered of it (RFC 4987 §3.6). @default "pressure" */
  readonly synCookies?: SynCookieMode;
  /** Text in the SYN, for those who have met before (RFC 7413). Listeners have to ask for it with `fastOpenBacklog`, `open` with `fastOpen`. */
  readonly fastOpen?: FastOpenOptions;
  /** The key of all listeners' cookies, 16 octets, or 32 with the one before; any other length throws a RangeError. @default a random one that changes */
  readonly fastOpenKey?: Uint8Array;
  /** For tests: where sequence numbers start. @default RFC 6528 */
  readonly initialSequenceNumber?: InitialSequenceNumberSource;
  /**
   * Answer a passive connection along the reverse of the source route it came by, as MUST-53 asks. Whoever can name the way can
   * also pretend to be anyone, so this has to be wanted, as in Linux. @default false: the answer takes the ordinary way
   */
  readonly acceptSourceRoutes?: boolean;
}

const DEFAULT_MAX_CONNECTIONS = 262144;
/** How far behind the former connection's last number a reopened one starts: beyond any window that segments of the former may lie in. */
const REOPENING_DISTANCE = 2 ** 20;

export class Tcp implements TcpService, IpProtocolHandler, TcpContext {
  readonly protocol: number = PROTOCOL_TCP;
  readonly host: Host;
  readonly ip: IpService;
  readonly counters: Counters<TcpCounterName> = createTcpCounters();
  readonly drops: Drops<TcpDropReason>;
  readonly personality: PersonalityName;
  readonly synCookies: SynCookies;
  readonly challenges: ChallengeBudget;
  readonly fastOpen: FastOpen;
  /** What connections start with that are given nothing else. */
  defaults: ResolvedTcpOptions;
  orphans = 0;
  readonly maxOrphans: number;
  readonly memory: MemoryAccount;
  private readonly maxConnections: number;
  private readonly acceptSourceRoutes: boolean;
  private readonly portRange: PortRange;
  private readonly initialSequenceNumber: InitialSequenceNumberSource;
  private readonly timestampOffset: TimestampOffsetSource;
  private readonly connections: ConnectionTable;
  /** Listeners by port; those of one port differ in their address. */
  private readonly listeners: Map<number, Listener[]> = new Map();
  /** Listeners for any address by port; 0 is any port. */
  private readonly transparentListeners: Map<number, Listener> = new Map();
  /** There has been one: from then on connections may have a local end that is not ours. */
  private speaksForOthers = false;

  constructor(host: Host, ip: IpService, options: TcpStackOptions = {}) {
    this.host = host;
    this.ip = ip;
    this.drops = new Drops(host, "tcp", TCP_DROPS);
    this.connections = new ConnectionTable(randomHashKey(host.random));
    const {
      personality,
      maxConnections,
      maxOrphans,
      memoryLimit,
      synCookies,
      challengeAcksPerSecond,
      fastOpen,
      fastOpenKey,
      acceptSourceRoutes,
      portRange,
      initialSequenceNumber,
      ...defaults
    } = withPersonality(options);
    this.personality = personality ?? "rfc";
    this.challenges = new ChallengeBudget(host, challengeAcksPerSecond ?? DEFAULT_CHALLENGE_ACKS);
    this.synCookies = new SynCookies(host, synCookies ?? "pressure");
    this.defaults = resolveTcpOptions(DEFAULT_TCP_OPTIONS, { userTimeoutChangeable: true, ...defaults });
    this.memory = new MemoryAccount(memoryLimit ?? {}, (underPressure) => this.memoryPressureChanged(underPressure));
    this.fastOpen = new FastOpen(host, fastOpen, fastOpenKey);
    this.maxOrphans = maxOrphans ?? DEFAULT_MAX_ORPHANS;
    this.maxConnections = maxConnections ?? DEFAULT_MAX_CONNECTIONS;
    this.acceptSourceRoutes = acceptSourceRoutes ?? false;
    this.portRange = portRange ?? DEFAULT_PORT_RANGE;
    this.initialSequenceNumber = initialSequenceNumber ?? createInitialSequenceNumbers(host);
    this.timestampOffset = createTimestampOffsets(host);
    ip.register(this);
  }

  /** Other defaults from now on. What exists follows where a kernel's would (`followed-defaults.ts`), and has not chosen for itself. */
  changeDefaults(changes: TcpConnectionOptions): void {
    const before = this.defaults;
    const after = resolveTcpOptions(before, { userTimeoutChangeable: before.userTimeoutChangeable, ...changes });
    this.defaults = after;
    for (const listener of [...this.listeners.values()].flat()) listener.options = followedByListener(listener.options, before, after);
    for (const tcb of [...this.connections]) {
      const followed = followedByConnection(tcb.options, before, after);
      if (followed !== undefined) tcb.connection.set(followed);
    }
  }

  /** Connections in any state but CLOSED, TIME-WAIT included. */
  get connectionCount(): number {
    return this.connections.size;
  }

  /** Connections in any state but CLOSED, TIME-WAIT included, whose local end has this port. Looks at all there are. */
  connectionsOfPort(port: number): TcpConnection[] {
    const found: TcpConnection[] = [];
    for (const tcb of this.connections) if (tcb.local.port === port) found.push(tcb.connection);
    return found;
  }

  listenersOfPort(port: number): readonly TcpListener[] {
    return this.listeners.get(port) ?? [];
  }

  /** The next SYN to `address` could bring text along: its cookie is known, or none is needed (RFC 7413 §4.1.3). */
  canFastOpen(address: IpAddress): boolean {
    if (!this.fastOpen.options.client) return false;
    const server = this.fastOpen.cache.lookUp(address);
    return server !== undefined && (server.cookie !== undefined || this.fastOpen.options.clientWithoutCookie);
  }

  get listenerCount(): number {
    let count = this.transparentListeners.size;
    for (const listeners of this.listeners.values()) count += listeners.length;
    return count;
  }

  open(remote: Endpoint, user: TcpUser, options: TcpOpenOptions = {}): TcpConnection | ErrorCode {
    const { local: wanted, sourceRoute, fastOpen, fastOpenSynOnly = false, fastOpenWithoutCookie = false, ...changes } = options;
    // MUST-46
    if (isMulticast(remote.address) || this.ip.isBroadcast(remote.address)) return "EACCES";
    if (isUnspecified(remote.address) || remote.port === 0) return "EADDRNOTAVAIL";
    const chosen = wanted?.address !== undefined && !isUnspecified(wanted.address) ? wanted.address : undefined;
    if (chosen !== undefined && ipVersion(chosen) !== ipVersion(remote.address)) return "EAFNOSUPPORT";
    if (chosen !== undefined && !this.ip.isLocal(chosen)) return "EADDRNOTAVAIL";
    const route = sourceRoute === undefined ? undefined : chosenRoute(sourceRoute, remote.address);
    if (sourceRoute !== undefined && route === undefined) return "EINVAL";
    // MUST-44, MUST-45: IP chooses once, for the whole connection.
    const address = chosen ?? this.ip.sourceFor(remote.address);
    if (address === undefined) return "ENETUNREACH";
    if (this.connections.size >= this.maxConnections) return "EMFILE";
    const resolved = resolveTcpOptions(this.defaults, changes);
    const holder = (port: number): TransmissionControlBlock | undefined =>
      this.connections.find(address, port, remote.address, remote.port);
    const isFree = (port: number): boolean => {
      const former = holder(port);
      return former === undefined || mayOpenAgain(former, resolved);
    };
    let port = wanted?.port ?? 0;
    if (port === 0) {
      const free = chooseEphemeralPort(
        this.host.random,
        this.portRange,
        (candidate) => isFree(candidate) && !this.listeners.has(candidate),
      );
      if (free === undefined) return "EADDRNOTAVAIL";
      port = free;
    } else if (!isFree(port)) return "EADDRINUSE";
    const former = holder(port);
    if (former !== undefined) becomeClosed(former, undefined);
    const local: Endpoint = { address, port };
    const tcb = this.createBlock(local, remote, false, resolved, this.chooseInitialNumber(local, remote, former?.snd.nxt));
    this.connections.add(tcb);
    tcb.user = user;
    if (route !== undefined) followRoute(tcb, route);
    this.counters.ActiveOpens += 1;
    updateSegmentSize(tcb);
    tcb.setState("SYN-SENT");
    if (fastOpen !== undefined) {
      const text = fastOpen.subarray(0, resolved.sendBuffer);
      prepareFastOpen(tcb, text, fastOpenWithoutCookie);
      const taken = fastOpenSynOnly ? text.subarray(0, tcb.fastOpen?.length ?? 0) : text;
      if (taken.length > 0) queueText(tcb, taken, undefined);
    }
    sendSyn(tcb);
    return tcb.connection;
  }

  listen(local: Endpoint, user: TcpListenerUser, options: TcpListenOptions = {}): TcpListener | ErrorCode {
    const { backlog, ipv6Only = false, transparent = false, deferAccept, abortOnOverflow, ...others } = options;
    const { fastOpenBacklog = this.fastOpen.options.backlog, ...changes } = others;
    const settings = { backlog, ipv6Only, fastOpenBacklog, deferAccept, abortOnOverflow };
    if (!isUnspecified(local.address) && (transparent || !this.ip.isLocal(local.address))) return "EADDRNOTAVAIL";
    const resolved = resolveTcpOptions(this.defaults, changes);
    if (transparent) return this.listenTransparently(local, user, resolved, settings);
    let { port } = local;
    if (port === 0) {
      const free = chooseEphemeralPort(this.host.random, this.portRange, (candidate) => !this.listeners.has(candidate));
      if (free === undefined) return "EADDRINUSE";
      port = free;
    }
    const samePort = this.listeners.get(port) ?? [];
    if (samePort.some((other) => bindingsOverlap(other.binding, { address: local.address, ipv6Only }))) return "EADDRINUSE";
    const remove = (listener: Listener): void => this.removeListener(listener);
    const listener = new Listener(this, { address: local.address, port }, user, resolved, settings, remove);
    this.listeners.set(port, [...samePort, listener]);
    return listener;
  }

  private listenTransparently(
    local: Endpoint,
    user: TcpListenerUser,
    options: ResolvedTcpOptions,
    settings: Pick<TcpListenOptions, "backlog">,
  ): TcpListener | ErrorCode {
    const { port } = local;
    if (this.transparentListeners.has(port)) return "EADDRINUSE";
    const listener = new Listener(this, local, user, options, settings, () => this.transparentListeners.delete(port));
    this.transparentListeners.set(port, listener);
    this.speaksForOthers = true;
    return listener;
  }

  /** What is for no address of this host is wanted when it belongs to a connection, or may begin one. */
  claims(packet: PacketBuffer, header: IpHeader): boolean {
    if (!this.speaksForOthers || packet.length < TCP_HEADER_LENGTH) return false;
    const port = packet.u16(2);
    if (this.transparentListenerFor(port) !== undefined) return true;
    return this.connections.find(header.destination, port, header.source, packet.u16(0)) !== undefined;
  }

  private transparentListenerFor(port: number): Listener | undefined {
    return this.transparentListeners.get(port) ?? this.transparentListeners.get(0);
  }

  /** Aborts every connection and closes every listener: after it nothing is left, no timer and no memory. */
  close(): void {
    for (const listeners of [...this.listeners.values()]) for (const listener of listeners) listener.close();
    for (const listener of [...this.transparentListeners.values()]) listener.close();
    for (const tcb of this.connections) {
      abort(tcb, "ECONNABORTED");
      finishEvent(tcb);
    }
  }

  receive(packet: PacketBuffer, header: IpHeader, arrival: Arrival): Delivery {
    this.counters.InSegs += 1;
    // MUST-57, MUST-63: neither to nor from an address that stands for many.
    if (arrival.cast !== "unicast" || isMulticast(header.source) || isUnspecified(header.source) || this.ip.isBroadcast(header.source)) {
      return this.dropped("bad-address", packet);
    }
    const parsed = readTcp(packet, header.source, header.destination);
    if (typeof parsed === "string") {
      this.counters.InErrs += 1;
      if (parsed === "bad-checksum") this.counters.InCsumErrors += 1;
      return this.dropped(parsed, packet);
    }
    const route = this.acceptSourceRoutes ? reversedRoute(packet, header) : undefined;
    const segment = new Segment(parsed, packet, header.trafficClass);
    const tcb = this.connections.find(header.destination, parsed.destinationPort, header.source, parsed.sourcePort);
    if (tcb === undefined) return this.receiveWithoutConnection(segment, parsed, header, packet, route);
    if (this.mayReopen(tcb, segment)) {
      becomeClosed(tcb, undefined);
      return this.receiveWithoutConnection(segment, parsed, header, packet, route, tcb.snd.nxt);
    }
    tcb.inEvent = true;
    // SHLD-24: the latest route counts, of segments that are in the window. MUST-52: but not instead of one that the user has chosen.
    if (route !== undefined && tcb.passive && isAcceptable(tcb, segment)) followRoute(tcb, route);
    const outcome = segmentArrives(tcb, segment);
    finishEvent(tcb);
    if (outcome === "answer-with-reset") this.answerWithReset(header, parsed, segment);
    return "delivered";
  }

  receiveError(error: IcmpError, quoted: PacketBuffer, header: IpHeader): void {
    // RFC 5927 §4.1: the quotation must name a connection, and a sequence number that is in flight on it.
    const tcb = this.connections.find(header.source, quoted.u16(0), header.destination, quoted.u16(2));
    if (tcb === undefined) return;
    const offset = sequenceDistance(tcb.snd.una, quoted.u32(4));
    if (offset < 0 || offset >= Math.max(1, tcb.flightSize)) {
      this.counters.OutOfWindowIcmps += 1;
      return;
    }
    tcb.inEvent = true;
    this.applyError(tcb, error);
    finishEvent(tcb);
  }

  createTimer(tcb: TransmissionControlBlock, kind: TimerKind): Timer {
    const onTimeout = ON_TIMEOUT[kind];
    return this.host.clock.timer(() => {
      tcb.inEvent = true;
      onTimeout(tcb);
      finishEvent(tcb);
    });
  }

  established(tcb: TransmissionControlBlock): void {
    const { listener } = tcb;
    tcb.listener = undefined;
    listener?.established(tcb);
  }

  forget(tcb: TransmissionControlBlock): void {
    this.connections.remove(tcb);
    tcb.listener?.forget(tcb);
    tcb.listener = undefined;
  }

  private memoryPressureChanged(underPressure: boolean): void {
    if (underPressure) this.counters.TCPMemoryPressures += 1;
    const { observer } = this.host;
    if (observer === undefined) return;
    const event: TcpMemoryEvent = { layer: "tcp", kind: "memory", underPressure, used: this.memory.used };
    observer.observe(event);
  }

  private dropped(reason: TcpDropReason, packet: PacketBuffer): Delivery {
    this.drops.count(reason, packet);
    return "dropped";
  }

  /** §3.10.7.1 and §3.10.7.2: CLOSED and LISTEN. */
  private receiveWithoutConnection(
    segment: Segment,
    ports: TcpHeader,
    header: IpHeader,
    packet: PacketBuffer,
    route: ReturnRoute | undefined,
    formerNxt?: SequenceNumber,
  ): Delivery {
    const listener = this.listenerFor(header.destination, ports.destinationPort);
    if (segment.hasRst) return this.dropped("no-connection", packet);
    const local: Endpoint = { address: header.destination, port: ports.destinationPort };
    const remote: Endpoint = { address: header.source, port: ports.sourcePort };
    if (listener === undefined || segment.hasAck) {
      const answers = listener !== undefined && !segment.hasSyn;
      const outcome = answers ? answerToCookieArrives(this, listener, { segment, local, remote, route, formerNxt }) : "no-connection";
      if (outcome === "delivered") return "delivered";
      if (outcome !== "answer-with-reset") this.drops.count(outcome, packet);
      if (outcome === "answer-with-reset" || outcome === "no-connection") this.answerWithReset(header, ports, segment);
      return "dropped";
    }
    if (!segment.hasSyn) return this.dropped("no-connection", packet);
    const reason = synArrives(this, listener, { segment, local, remote, route, formerNxt });
    return reason === undefined ? "delivered" : this.dropped(reason, packet);
  }

  private answerWithReset(header: IpHeader, ports: TcpHeader, segment: Segment): void {
    this.counters.OutRsts += 1;
    this.counters.OutSegs += 1;
    sendResetFor(this.ip, header, ports, segment);
  }

  /** The listener on the address itself before the one on all addresses of its family, that before the one on all of both, and then whoever takes any address. */
  private listenerFor(address: IpAddress, port: number): Listener | undefined {
    // "All addresses" are all of this host's.
    if (this.transparentListeners.size > 0 && !this.ip.isLocal(address)) return this.transparentListenerFor(port);
    let best: Listener | undefined;
    let bestFit = 0;
    for (const listener of this.listeners.get(port) ?? []) {
      const fit = fitOf(listener.binding, address);
      if (fit > bestFit) {
        best = listener;
        bestFit = fit;
      }
    }
    return best ?? this.transparentListenerFor(port);
  }

  private removeListener(listener: Listener): void {
    const rest = (this.listeners.get(listener.local.port) ?? []).filter((other) => other !== listener);
    if (rest.length === 0) this.listeners.delete(listener.local.port);
    else this.listeners.set(listener.local.port, rest);
  }

  /** MAY-2: so that nobody has to wait for whoever closed first. */
  private mayReopen(tcb: TransmissionControlBlock, segment: Segment): boolean {
    if (tcb.state !== "TIME-WAIT") return false;
    const listener = this.listenerFor(tcb.local.address, tcb.local.port);
    return listener !== undefined && !listener.isFull && maySynReopen(tcb, segment, listener.options);
  }

  chooseInitialNumber(local: Endpoint, remote: Endpoint, formerNxt?: SequenceNumber): SequenceNumber {
    const iss = this.initialSequenceNumber(local, remote);
    return formerNxt !== undefined && !isAfter(iss, formerNxt) ? sequenceAdd(formerNxt, REOPENING_DISTANCE) : iss;
  }

  get isFull(): boolean {
    return this.connections.size >= this.maxConnections;
  }

  add(tcb: TransmissionControlBlock): void {
    this.connections.add(tcb);
  }

  createBlock(
    local: Endpoint,
    remote: Endpoint,
    passive: boolean,
    options: ResolvedTcpOptions,
    iss: SequenceNumber,
  ): TransmissionControlBlock {
    const ipOptions = {
      source: local.address,
      destination: remote.address,
      protocol: PROTOCOL_TCP,
      timeToLive: options.timeToLive,
      trafficClass: options.trafficClass,
      // RFC 1191 §6: segments are as large as the path takes, and routers say when that was too large.
      dontFragment: true,
      // A connection that a listener for any address has taken speaks as whom it was meant for.
      transparent: passive && this.transparentListeners.size > 0 && !this.ip.isLocal(local.address),
    };
    const congestion = createCongestionControl(options, this.host.random);
    const tcb = new TransmissionControlBlock(
      this,
      local,
      remote,
      passive,
      iss,
      options,
      ipOptions,
      congestion,
      createLossRecovery(iss, false, options),
    );
    tcb.connection = new UserCalls(tcb);
    if (options.timestamps && options.timestampOffset) tcb.timestamps.offset = this.timestampOffset(local, remote);
    return tcb;
  }

  /** RFC 9293 §3.9.2.2, with RFC 5927 §6 and RFC 5461 §2.2 for the hard errors. */
  private applyError(tcb: TransmissionControlBlock, error: IcmpError): void {
    if (error.kind === "packet-too-big") {
      this.ip.pathMtuReduced(tcb.remote.address, error.mtu);
      adaptToPath(tcb);
      return;
    }
    const code = ICMP_ERROR_CODE[error.kind];
    const hard = error.kind === "protocol-unreachable" || error.kind === "port-unreachable";
    // SHLD-26 asks to abort on hard errors; in synchronized states that lets anyone who guesses a port kill a connection (RFC 5927 §6.1).
    const inHandshake = tcb.state === "SYN-SENT" || tcb.state === "SYN-RECEIVED";
    // RFC 5461 §2.2: during the handshake there is nothing to lose yet, so some give up at a soft error, too.
    if (inHandshake && ((hard && !tcb.passive) || tcb.options.unreachableEndsHandshake)) {
      becomeClosed(tcb, code);
      return;
    }
    // MUST-56: soft errors do not abort; they are remembered, and tell why when the connection times out (SHLD-25).
    tcb.softError = code;
    tcb.pending.softError = code;
  }
}
