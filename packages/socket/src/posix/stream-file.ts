// A TCP socket behind a descriptor: unconnected, listening, connecting or connected.
import { type ErrorCode, isUnspecified, type Timer } from "@netstrata/core";
import type { Endpoint, Tcp, TcpConnection, TcpConnectionOptions, TcpListener, TcpState, TcpUser } from "@netstrata/transport";
import { copyOf } from "../byte-slab.ts";
import { closeBothWays } from "../close-both-ways.ts";
import { DONE } from "../deferred.ts";
import { subjectOf } from "../socket-address.ts";
import { SystemError } from "../system-error.ts";
import * as constant from "./linux-numbers.ts";
import { type Accepted, OpenFile, type Received } from "./open-file.ts";

/** SO_LINGER. */
export interface Linger {
  readonly onoff: number;
  /** In seconds. */
  readonly linger: number;
}

/** What a file needs of the calls' owner. */
export interface StreamFileOwner {
  readonly tcp: Tcp;
  /** Sees to it that no two descriptors share a port without their consent, and chooses one for port 0. */
  bind(local: Endpoint): Endpoint;
  /** A file for a connection that this one has accepted. */
  adopt(connection: TcpConnection): StreamFile;
  /** The descriptor is gone, and so is the connection. */
  ended(): void;
  timer(onExpiry: () => void): Timer;
}

/** An octet that is never sent: offering it to a full buffer asks TCP to tell when there is room again. */
const PROBE = new Uint8Array(1);

/** The peer's FIN has arrived, whether everything before it was read or not. */
const PEER_HAS_ENDED: ReadonlySet<TcpState> = new Set(["CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"]);

export class StreamFile extends OpenFile implements TcpUser {
  readonly type: number = constant.SOCK_STREAM;
  options: TcpConnectionOptions = {};
  linger: Linger = { onoff: 0, linger: 0 };
  connection: TcpConnection | undefined;
  listener: TcpListener | undefined;
  private readonly owner: StreamFileOwner;
  private bound: Endpoint | undefined;
  /** The next connection to accept: `poll` has to know whether there is one. */
  private next: TcpConnection | undefined;
  /** Octets that MSG_PEEK has taken from TCP and nobody has read. */
  private peeked: Uint8Array = new Uint8Array(0);
  private isOpen = false;
  private readShut = false;
  private writeShut = false;

  constructor(domain: number, owner: StreamFileOwner) {
    super(domain);
    this.owner = owner;
  }

  get local(): Endpoint | undefined {
    return this.connection?.local ?? this.listener?.local ?? this.bound;
  }

  get remote(): Endpoint | undefined {
    return this.isOpen ? this.connection?.remote : undefined;
  }

  /** What `bind` has reserved. */
  get reserved(): Endpoint | undefined {
    return this.bound;
  }

  get isListening(): boolean {
    return this.listener !== undefined;
  }

  configure(options: TcpConnectionOptions): void {
    this.options = { ...this.options, ...options };
    this.connection?.set(options);
    // A larger buffer may have room for what waits.
    this.changed();
  }

  /** Takes a connection from a listener. */
  adopt(connection: TcpConnection): void {
    this.connection = connection;
    this.isOpen = true;
    connection.user = this;
    if (connection.isClosed) this.closed(connection, connection.error);
  }

  events(): number {
    const { POLLIN, POLLOUT, POLLERR, POLLHUP, POLLPRI, POLLRDHUP } = constant;
    const { connection } = this;
    if (this.listener !== undefined) return this.nextConnection() === undefined ? 0 : POLLIN;
    let events = this.pendingError === undefined ? 0 : POLLIN | POLLOUT | POLLERR;
    if (connection === undefined) return events | POLLOUT | POLLHUP;
    if (!this.isOpen && !connection.isClosed) return events;
    const isAtEnd = connection.endOfStream || this.readShut || connection.isClosed;
    if (this.peeked.length > 0 || connection.readableLength > 0 || isAtEnd) events |= POLLIN;
    if (isAtEnd || PEER_HAS_ENDED.has(connection.state)) events |= POLLRDHUP;
    if (connection.isClosed || (isAtEnd && this.writeShut)) events |= POLLHUP;
    if (this.writeShut || connection.isClosed || this.hasRoom(connection)) events |= POLLOUT;
    if (connection.urgentLength > 0) events |= POLLPRI;
    return events;
  }

  bind(local: Endpoint): void {
    if (this.bound !== undefined || this.connection !== undefined) throw new SystemError("EINVAL", "bind", subjectOf(local));
    this.bound = this.owner.bind(local);
  }

  listen(backlog: number): void {
    if (this.connection !== undefined) throw new SystemError("EINVAL", "listen");
    if (this.listener !== undefined) return;
    if (this.bound === undefined) throw new SystemError("EDESTADDRREQ", "listen", { detail: "bind the socket first" });
    const listener = this.owner.tcp.listen(this.bound, { acceptable: () => this.changed() }, { ...this.options, backlog });
    if (typeof listener === "string") throw new SystemError(listener, "listen", subjectOf(this.bound));
    this.listener = listener;
  }

  async accept(): Promise<Accepted> {
    if (this.listener === undefined) throw new SystemError("EINVAL", "accept");
    return await this.perform("accept", false, () => {
      const connection = this.nextConnection();
      // Taken at once: another accept may wait for its turn.
      this.next = undefined;
      return connection && { file: this.owner.adopt(connection), from: connection.remote };
    });
  }

  async connect(remote: Endpoint | undefined): Promise<void> {
    if (remote === undefined) throw new SystemError("EAFNOSUPPORT", "connect");
    if (this.listener !== undefined) throw new SystemError("EOPNOTSUPP", "connect", subjectOf(remote));
    if (this.connection !== undefined) throw new SystemError(this.isOpen ? "EISCONN" : "EALREADY", "connect", subjectOf(remote));
    // As in Linux, an attempt that failed is told before another begins.
    this.throwPendingError("connect", remote);
    const local = this.bound && { port: this.bound.port, ...(!isUnspecified(this.bound.address) && { address: this.bound.address }) };
    const connection = this.owner.tcp.open(remote, this, { ...this.options, local });
    if (typeof connection === "string") throw new SystemError(connection, "connect", subjectOf(remote));
    this.connection = connection;
    if (this.nonBlocking) throw new SystemError("EINPROGRESS", "connect", subjectOf(remote));
    await this.perform("connect", false, () => {
      this.throwPendingError("connect", remote);
      if (this.isOpen) return true;
      if (this.connection === undefined) throw new SystemError("ECONNABORTED", "connect", subjectOf(remote));
      return undefined;
    });
  }

  send(bytes: Uint8Array, flags: number, to: Endpoint | undefined): Promise<number> {
    let sent = 0;
    const dontWait = (flags & constant.MSG_DONTWAIT) !== 0;
    return this.perform("send", dontWait, () => {
      // What has been sent is told before what went wrong then: that waits for the next call.
      if (sent > 0 && (this.writeShut || this.connection === undefined || this.connection.isClosed)) return sent;
      const connection = this.requireConnection("send");
      this.throwPendingError("send");
      if (to !== undefined) throw new SystemError("EISCONN", "send", subjectOf(to));
      if (this.writeShut || connection.isClosed) throw new SystemError("EPIPE", "send");
      if (!this.isOpen) return undefined;
      sent += this.offer(connection, bytes.subarray(sent), (flags & constant.MSG_OOB) !== 0);
      if (sent === bytes.length) return sent;
      return sent > 0 && (dontWait || this.nonBlocking) ? sent : undefined;
    });
  }

  receive(target: Uint8Array, flags: number): Promise<Received> {
    const isPeek = (flags & constant.MSG_PEEK) !== 0;
    const wanted = (flags & constant.MSG_WAITALL) !== 0 && !isPeek ? target.length : Math.min(1, target.length);
    let length = 0;
    return this.perform("recv", (flags & constant.MSG_DONTWAIT) !== 0, () => {
      const connection = this.requireConnection("recv");
      if ((flags & constant.MSG_OOB) !== 0) {
        throw new SystemError("EINVAL", "recv", { detail: "urgent octets stay in the stream (RFC 6093 §3.2)" });
      }
      length += isPeek ? this.peek(connection, target) : this.take(connection, target.subarray(length));
      if (length >= wanted || (length > 0 && this.isAtEnd(connection))) return { length, flags: 0, from: undefined };
      this.throwPendingError("recv");
      if (this.isAtEnd(connection)) return { length, flags: 0, from: undefined };
      return length > 0 && this.nonBlocking ? { length, flags: 0, from: undefined } : undefined;
    });
  }

  shutdown(how: number): void {
    const { connection } = this;
    if (connection === undefined || !this.isOpen) throw new SystemError("ENOTCONN", "shutdown");
    if (how !== constant.SHUT_RD && !this.writeShut) {
      this.writeShut = true;
      connection.close();
    }
    if (how !== constant.SHUT_WR && !this.readShut) {
      this.readShut = true;
      this.peeked = new Uint8Array(0);
      connection.closeRead();
    }
    this.changed();
  }

  protected release(): Promise<void> {
    this.listener?.close();
    this.next?.abort();
    const { connection } = this;
    if (connection === undefined || connection.isClosed) {
      this.owner.ended();
      return DONE;
    }
    // SO_LINGER of 0, and what was peeked at and never read (SHLD-3), reset the connection.
    if ((this.linger.onoff !== 0 && this.linger.linger === 0) || this.peeked.length > 0) connection.abort();
    else closeBothWays(connection);
    return this.linger.onoff === 0 ? DONE : this.untilClosed(connection);
  }

  destroy(): void {
    this.connection?.abort();
    if (!this.isClosed) void this.close();
  }

  // From TCP

  opened(): void {
    this.isOpen = true;
    this.changed();
  }

  readable(): void {
    this.changed();
  }

  writable(): void {
    this.changed();
  }

  urgent(): void {
    this.changed();
  }

  closed(_: TcpConnection, error: ErrorCode | undefined): void {
    if (error !== undefined) this.pendingError = error;
    // A connect that failed leaves a socket that can try again.
    if (!this.isOpen) this.connection = undefined;
    if (this.isClosed) this.owner.ended();
    this.changed();
  }

  /** As in all systems, a connect gives up where TCP alone would go on trying (RFC 5461 §4.1). */
  softError(connection: TcpConnection, error: ErrorCode): void {
    if (this.isOpen || error === "ETIMEDOUT") return;
    this.pendingError = error;
    connection.abort();
  }

  private requireConnection(syscall: string): TcpConnection {
    if (this.connection !== undefined) return this.connection;
    this.throwPendingError(syscall);
    throw new SystemError("ENOTCONN", syscall);
  }

  private nextConnection(): TcpConnection | undefined {
    this.next ??= this.listener?.accept();
    return this.next;
  }

  /** If not, TCP is obliged to tell when there is. */
  private hasRoom(connection: TcpConnection): boolean {
    if (connection.writableLength > 0) return true;
    connection.send(PROBE);
    return false;
  }

  /** Gives TCP a copy of what it has room for. */
  private offer(connection: TcpConnection, bytes: Uint8Array, isUrgent: boolean): number {
    const room = Math.min(bytes.length, connection.writableLength);
    let taken: number | ErrorCode = 0;
    if (room > 0) {
      const copy = copyOf(bytes.subarray(0, room));
      taken = isUrgent ? connection.sendUrgent(copy) : connection.send(copy);
    }
    if (typeof taken === "string") return 0;
    if (taken < bytes.length) this.hasRoom(connection);
    return taken;
  }

  private take(connection: TcpConnection, target: Uint8Array): number {
    const fromPeeked = Math.min(this.peeked.length, target.length);
    target.set(this.peeked.subarray(0, fromPeeked));
    this.peeked = this.peeked.subarray(fromPeeked);
    return fromPeeked + (this.readShut ? 0 : connection.receiveInto(target.subarray(fromPeeked)));
  }

  /** Fills `target` with the next octets, which stay to be read. */
  private peek(connection: TcpConnection, target: Uint8Array): number {
    const more = Math.min(target.length - this.peeked.length, connection.readableLength);
    if (more > 0) {
      const peeked = new Uint8Array(this.peeked.length + more);
      peeked.set(this.peeked);
      connection.receiveInto(peeked.subarray(this.peeked.length));
      this.peeked = peeked;
    }
    const length = Math.min(this.peeked.length, target.length);
    target.set(this.peeked.subarray(0, length));
    return length;
  }

  private isAtEnd(connection: TcpConnection): boolean {
    if (this.peeked.length > 0) return false;
    return this.readShut || connection.endOfStream || (connection.isClosed && connection.readableLength === 0);
  }

  /** SO_LINGER: until everything was acknowledged, but no longer than that. */
  private async untilClosed(connection: TcpConnection): Promise<void> {
    let isLate = false;
    const timer = this.owner.timer(() => {
      isLate = true;
      this.changed();
    });
    timer.arm(this.linger.linger * 1000);
    while (!connection.isClosed && !isLate) await this.change();
    timer.disarm();
  }
}
