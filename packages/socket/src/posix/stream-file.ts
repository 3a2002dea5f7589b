// A TCP socket behind a descriptor: unconnected, listening, connecting or connected. The order of checks is Linux's.
import { type ErrorCode, isUnspecified } from "@netstrata/core";
import type {
  Endpoint,
  ResolvedTcpOptions,
  Tcp,
  TcpConnection,
  TcpConnectionOptions,
  TcpListener,
  TcpListenerUser,
  TcpState,
  TcpUser,
} from "@netstrata/transport";
import { closeBothWays } from "../close-both-ways.ts";
import type { BoundPorts } from "./bound-ports.ts";
import { type Attempt, Call, CallQueue, type Result } from "./call.ts";
import type { Errno } from "./errno.ts";
import * as constant from "./linux-numbers.ts";
import { type Accepted, type FileOwner, type IpOptions, type Outgoing, type Received, SocketFile } from "./open-file.ts";
import { listenOptions } from "./options/fast-open-options.ts";
import { streamQuestion } from "./stream-control.ts";
import { fastOpenOptions, isDeferred, sendFast, textOfConnect } from "./stream-fast-open.ts";
import { streamEvents } from "./stream-readiness.ts";
import { receiveStream } from "./stream-receive.ts";
import { sendStream } from "./stream-send.ts";
import { TransmitProgress } from "./transmit-progress.ts";

/** What a stream file needs of the calls' owner. */
export interface StreamFileOwner extends FileOwner {
  readonly tcp: Tcp;
  readonly ports: BoundPorts;
  /** A file for a connection that this one has accepted. */
  adopt(connection: TcpConnection, listener: StreamFile): StreamFile;
  /** The descriptor is gone, and so is the connection. */
  ended(file: StreamFile): void;
}

/** Linux clips longer ones (`net.core.somaxconn`). */
const LONGEST_BACKLOG = 4096;

const CAN_READ: number = constant.POLLIN | constant.POLLRDNORM;
const CAN_WRITE: number = constant.POLLOUT | constant.POLLWRNORM;

/** Bits of `shutdownMask`. */
export const RECEIVE_SHUTDOWN = 1;
export const SEND_SHUTDOWN = 2;

export class StreamFile extends SocketFile implements TcpUser, TcpListenerUser {
  readonly type: number = constant.SOCK_STREAM;
  readonly protocol: number = constant.IPPROTO_TCP;
  options: TcpConnectionOptions = {};
  /** SO_OOBINLINE */
  urgentInline = false;
  connection: TcpConnection | undefined;
  listener: TcpListener | undefined;
  /** What `bind` has reserved. */
  bound: Endpoint | undefined;
  /** The urgent octet was read by MSG_OOB, and is to be passed over in the stream. */
  urgentTaken = false;
  /** What `connect` remembers: it tells the end of an attempt to the first who asks. */
  private stage: "unconnected" | "connecting" | "connected" = "unconnected";
  /** The streams that have ended for this socket, by `shutdown` or with the connection. */
  private shutdownMask = 0;
  /** The next connection to accept: `poll` has to know whether there is one. */
  private next: TcpConnection | undefined;
  private lingering: CallQueue | undefined;
  /** What TCP_FASTOPEN_KEY was given. */
  fastOpenKeys: Uint8Array | undefined;
  readonly streams: StreamFileOwner;
  /** TCP_FASTOPEN_CONNECT: where the first write will connect to. */
  deferred: Endpoint | undefined;
  private transmitted: TransmitProgress | undefined;
  /** Somebody was told that TCP_NOTSENT_LOWAT leaves no room. */
  awaitsLowWater = false;
  /** When the octets that were received last have arrived; kept while somebody has set an option. */
  arrivedAt = 0;
  /** TCP calls it at the end of each event, while somebody wants to know how far it has come. */
  progressed: ((connection: TcpConnection) => void) | undefined = undefined;

  constructor(domain: number, owner: StreamFileOwner) {
    super(domain, owner);
    this.streams = owner;
  }

  /** In TIME-WAIT the connection is no longer this socket's. */
  get state(): TcpState {
    const { connection } = this;
    if (connection === undefined) return this.listener === undefined ? "CLOSED" : "LISTEN";
    return connection.isClosed ? "CLOSED" : connection.state;
  }

  get local(): Endpoint | undefined {
    return this.connection?.local ?? this.listener?.local ?? this.bound;
  }

  get remote(): Endpoint | undefined {
    const { state } = this;
    return state === "CLOSED" || state === "SYN-SENT" ? undefined : this.connection?.remote;
  }

  /** A listener has given it away, maybe before its handshake was complete (RFC 7413). */
  get isConnected(): boolean {
    return this.stage === "connected";
  }

  get isListening(): boolean {
    return this.listener !== undefined;
  }

  get error(): Errno | undefined {
    return this.pendingError;
  }

  /** Nothing more can come: the peer has ended its stream, or we ours for reading. */
  get receiveIsShut(): boolean {
    return (this.shutdownMask & RECEIVE_SHUTDOWN) !== 0 || this.connection?.peerClosed === true;
  }

  get sendIsShut(): boolean {
    return (this.shutdownMask & SEND_SHUTDOWN) !== 0;
  }

  configure(options: TcpConnectionOptions): void {
    this.options = { ...this.options, ...options };
    this.connection?.set(options);
    this.listener?.set(options);
    // A larger buffer may have room for what waits.
    this.changed();
  }

  /** Takes a connection from a listener. */
  adopt(connection: TcpConnection): void {
    this.connection = connection;
    this.stage = "connected";
    connection.user = this;
    if (connection.isClosed) this.closed(connection, connection.error);
  }

  configureIp(options: IpOptions): void {
    this.configure(options);
  }

  /** What is in force: of the connection, or what was chosen for the next one, or the stack's own. */
  tcpOption<Name extends keyof TcpConnectionOptions>(name: Name): TcpConnectionOptions[Name] & ResolvedTcpOptions[Name] {
    const value = this.connection?.options[name] ?? this.options[name] ?? this.owner.defaults.tcp[name];
    return value as TcpConnectionOptions[Name] & ResolvedTcpOptions[Name];
  }

  /** TCP_NOTSENT_LOWAT; undefined when there is none. */
  get notSentLowWater(): number | undefined {
    const octets = this.setting(constant.SOL_TCP, constant.TCP_NOTSENT_LOWAT);
    return octets === undefined || octets <= 0 ? undefined : octets;
  }

  /** TCP_NOTSENT_LOWAT has changed: TCP has to tell whenever it has sent something. */
  roomChanged(): void {
    if (this.notSentLowWater !== undefined) this.progressed = this.look;
    this.changed(CAN_WRITE);
  }

  /** What became of writes: made when somebody wants to know. */
  get transmitProgress(): TransmitProgress {
    this.transmitted ??= new TransmitProgress(this.errors, () => this.owner.now());
    return this.transmitted;
  }

  /** `octets` of a call were given to TCP. */
  wrote(octets: number): void {
    this.transmitted?.wrote(octets);
  }

  /** The call has returned: news of its last octet is wanted as the options say. */
  watchWrite(isZeroCopy: boolean): void {
    const timestamping = this.setting(constant.SOL_SOCKET, constant.SO_TIMESTAMPING) ?? 0;
    if (!isZeroCopy && timestamping === 0) return;
    this.transmitProgress.watch(timestamping, isZeroCopy);
    this.progressed = this.look;
    if (this.connection !== undefined) this.look(this.connection);
  }

  events(): number {
    return streamEvents(this);
  }

  hasConnectionToAccept(): boolean {
    this.next ??= this.listener?.accept();
    return this.next !== undefined;
  }

  bind(local: Endpoint): Result {
    const refusal = this.streams.ports.refuse(local);
    if (refusal !== undefined) return refusal;
    if (this.state !== "CLOSED" || this.bound !== undefined) return "EINVAL";
    // IP_BIND_ADDRESS_NO_PORT: `connect` chooses one, when it is known for whom.
    const isLater = local.port === 0 && this.setting(constant.SOL_IP, constant.IP_BIND_ADDRESS_NO_PORT) === 1;
    const bound = isLater ? local : this.streams.ports.reserve(this, local);
    if (typeof bound === "string") return bound;
    this.bound = bound;
    return 0;
  }

  listen(backlog: number): Result {
    if (this.stage !== "unconnected" || this.connection !== undefined) return "EINVAL";
    const limit = backlog < 0 || backlog > LONGEST_BACKLOG ? LONGEST_BACKLOG : backlog;
    if (this.listener !== undefined) {
      this.listener.backlog = limit;
      return 0;
    }
    const isBound = this.bound !== undefined && this.bound.port !== 0;
    if (!isBound) {
      const bound = this.streams.ports.reserve(this, this.bound ?? this.streams.ports.any(this.domain));
      if (typeof bound === "string") return bound;
      this.bound = bound;
    }
    const listener = this.streams.tcp.listen(this.bound as Endpoint, this, {
      ...this.options,
      ...listenOptions(this),
      backlog: limit,
      ipv6Only: this.onlyIpv6,
    });
    if (typeof listener === "string") {
      if (!isBound) this.unbind();
      return listener;
    }
    if (this.fastOpenKeys !== undefined) listener.setFastOpenKeys(this.fastOpenKeys);
    this.listener = listener;
    return 0;
  }

  accept(): Call<Accepted> {
    if (this.listener === undefined) return new Call<Accepted>("EINVAL");
    return this.startReading<Accepted>((mayWait) => {
      if (this.listener === undefined) return "EINVAL";
      this.hasConnectionToAccept();
      const { next } = this;
      // Taken at once: another accept may wait for its turn.
      this.next = undefined;
      if (next === undefined) return mayWait ? undefined : "EAGAIN";
      return { file: this.streams.adopt(next, this), from: next.remote };
    }, false);
  }

  connect(remote: Endpoint | undefined): Call {
    if (remote === undefined) {
      this.disconnect();
      return new Call<number>(0);
    }
    if (this.stage === "connected" || this.deferred !== undefined) return new Call<number>("EISCONN");
    const waiting = this.stage === "connecting" ? "EALREADY" : "EINPROGRESS";
    if (this.stage === "unconnected") {
      if (this.listener !== undefined) return new Call<number>("EISCONN");
      if (isDeferred(this, remote)) {
        this.deferred = remote;
        return new Call<number>(0);
      }
      const refusal = this.begin(remote, textOfConnect(this));
      if (refusal !== undefined) return new Call<number>(refusal);
    }
    return this.startWriting<number>(this.untilConnected(waiting), false);
  }

  /** @param waiting what is said by a call that must not wait */
  untilConnected(waiting: Errno): Attempt<number> {
    return (mayWait) => {
      const { state } = this;
      if (state === "SYN-SENT" || state === "SYN-RECEIVED") return mayWait ? undefined : waiting;
      if (state !== "CLOSED") {
        this.stage = "connected";
        return 0;
      }
      const error = this.takeError() ?? "ECONNABORTED";
      this.disconnect();
      return error;
    };
  }

  send(message: Outgoing): Call {
    const isFast = this.deferred !== undefined || (message.flags & constant.MSG_FASTOPEN) !== 0;
    const attempt = isFast ? sendFast(this, message) : sendStream(this, message);
    if (typeof attempt === "string") return new Call<number>(attempt);
    return this.startWriting(attempt, (message.flags & constant.MSG_DONTWAIT) !== 0);
  }

  receive(target: readonly Uint8Array[], flags: number): Call<Received> {
    if ((flags & constant.MSG_ERRQUEUE) !== 0) return new Call<Received>(this.errors.receive(target, this.domain));
    return this.startReading(receiveStream(this, target, flags), (flags & constant.MSG_DONTWAIT) !== 0);
  }

  ioctl(request: number): Result | undefined {
    return streamQuestion(this, request);
  }

  /** @param how SHUT_RD, SHUT_WR or SHUT_RDWR: one less than the mask */
  shutdown(how: number): Result {
    const { state } = this;
    const mask = how + 1;
    if (state === "SYN-SENT" || (state === "LISTEN" && (mask & RECEIVE_SHUTDOWN) !== 0)) this.disconnect();
    else if (state !== "LISTEN") {
      this.shutdownMask |= mask;
      if ((mask & RECEIVE_SHUTDOWN) !== 0) this.connection?.refuseText();
      // What stands in the way of our FIN is the peer's to acknowledge; what arrives is still read.
      if ((mask & SEND_SHUTDOWN) !== 0 && state !== "CLOSED") this.connection?.close();
    }
    this.changed();
    return state === "CLOSED" ? "ENOTCONN" : 0;
  }

  destroy(): void {
    this.connection?.abort();
    this.lingering?.settle("ECONNABORTED");
    if (!this.isClosed) this.close();
  }

  override wake(): void {
    super.wake();
    this.lingering?.retry();
  }

  // From TCP

  acceptable(): void {
    this.changed(CAN_READ);
  }

  opened(): void {
    this.changed(CAN_WRITE);
  }

  readable(): void {
    if (this.settings !== undefined) this.arrivedAt = this.owner.now();
    this.changed(CAN_READ);
  }

  writable(): void {
    this.changed(CAN_WRITE);
  }

  finished(): void {
    this.changed();
  }

  urgent(): void {
    this.urgentTaken = false;
    this.changed(constant.POLLIN | constant.POLLPRI);
  }

  closed(connection: TcpConnection, error: ErrorCode | undefined): void {
    // A connection that was given up, by `connect` to nowhere, is nobody's.
    if (this.connection !== connection) return;
    // The peer has reset what it had ended: nothing is lost but what we would still have said.
    if (error !== undefined) this.pendingError = error === "ECONNRESET" && connection.peerClosed ? "EPIPE" : error;
    this.shutdownMask = RECEIVE_SHUTDOWN | SEND_SHUTDOWN;
    this.transmitted?.end();
    if (this.isClosed) this.gone();
    this.changed();
  }

  /** As in all systems, a connect gives up where TCP alone would go on trying (RFC 5461 §4.1). */
  softError(connection: TcpConnection, error: ErrorCode): void {
    if (this.state !== "SYN-SENT" || error === "ETIMEDOUT") return;
    this.pendingError = error;
    connection.abort();
  }

  protected override changed(events = 0): void {
    if (this.lingering !== undefined && this.lingering.length > 0) this.owner.wakeUps.add(this);
    super.changed(events);
  }

  protected release(): Call {
    this.stopListening();
    const { connection } = this;
    if (connection === undefined || connection.isClosed) {
      this.gone();
      return new Call<number>(0);
    }
    // SO_LINGER of 0 resets the connection, and so does what was never read (SHLD-3).
    if (this.linger.onoff !== 0 && this.linger.linger === 0) connection.abort();
    else closeBothWays(connection);
    if (this.linger.onoff === 0) return new Call<number>(0);
    this.lingering = new CallQueue();
    return this.lingering.start<number>(
      (mayWait) => (mayWait && UNACKNOWLEDGED.has(this.state) ? undefined : 0),
      true,
      // A negative time is a very long one.
      Math.max(0, this.linger.linger * 1000),
      this.owner.timer,
    );
  }

  private readonly look = (connection: TcpConnection): void => {
    if (this.transmitted?.look(connection) === true) this.changed(constant.POLLERR);
    const { notSentLowWater } = this;
    if (notSentLowWater !== undefined) {
      if (!this.awaitsLowWater || connection.unsentLength * 2 >= notSentLowWater) return;
      this.awaitsLowWater = false;
      this.changed(CAN_WRITE);
    } else if (this.transmitted?.isWatching !== true) this.progressed = undefined;
  };

  /**
   * Begins to connect; the name of an error when that is not possible.
   * @param text of which TCP takes what goes with the SYN; undefined for no Fast Open
   */
  begin(remote: Endpoint, text: Uint8Array | undefined): Errno | undefined {
    if (this.stage !== "unconnected") return this.stage === "connected" ? "EISCONN" : "EALREADY";
    if (this.listener !== undefined) return "EISCONN";
    const { bound } = this;
    this.deferred = undefined;
    const local = bound && { port: bound.port, ...(!isUnspecified(bound.address) && { address: bound.address }) };
    const connection = this.streams.tcp.open(remote, this, { ...this.options, local, fastOpen: text, ...fastOpenOptions(this) });
    // A broadcast or multicast address is no destination for TCP (MUST-46); Linux says that there is no way to it.
    if (typeof connection === "string") return connection === "EACCES" ? "ENETUNREACH" : connection;
    this.connection = connection;
    this.pendingError = undefined;
    this.stage = "connecting";
    return undefined;
  }

  /** Back to the beginning; what was bound stays bound. */
  private disconnect(): void {
    const { connection, state } = this;
    this.connection = undefined;
    // As in Linux, a port that was chosen stays; the address does not.
    if (connection !== undefined) this.bound ??= { ...this.streams.ports.any(this.domain), port: connection.local.port };
    this.stage = "unconnected";
    this.shutdownMask = 0;
    this.deferred = undefined;
    this.urgentTaken = false;
    this.stopListening();
    if (connection === undefined || connection.isClosed) return;
    connection.abort();
    if (state !== "SYN-RECEIVED") this.pendingError = "ECONNRESET";
    this.changed();
  }

  private stopListening(): void {
    this.listener?.close();
    this.listener = undefined;
    this.next?.abort();
    this.next = undefined;
  }

  private unbind(): void {
    this.streams.ports.release(this);
    this.bound = undefined;
  }

  private gone(): void {
    this.streams.ports.release(this);
    this.streams.ended(this);
  }
}

/** Our FIN is not acknowledged: SO_LINGER waits. */
const UNACKNOWLEDGED: ReadonlySet<TcpState> = new Set<TcpState>(["FIN-WAIT-1", "CLOSING", "LAST-ACK", "SYN-RECEIVED"]);
