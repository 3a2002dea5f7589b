// One connection between TCP and a Node socket: what libuv's uv_tcp_t is to Node's own `net`.
import { AsyncResource } from "node:async_hooks";
import type { Stack } from "@netstrata/socket";
import { EventLoopHold } from "./event-loop-hold.ts";

type TcpService = Stack["layers"]["tcp"];
type TcpConnection = Exclude<ReturnType<TcpService["open"]>, string>;
type TcpUser = TcpConnection["user"];
export type TcpSettings = Parameters<TcpConnection["set"]>[0];

export type { TcpConnection };

/** Told what happens to a connection; all of it outside of the owner's own calls. */
export interface TcpHandleOwner {
  /** @param code undefined when the connection stands */
  handleConnected(code: string | undefined): void;
  /** There are octets, or the end of the stream; called only while reading. */
  handleInput(): void;
  /** The connection is over with an error, and what could be read has been read. */
  handleFailed(code: string): void;
}

interface PendingWrite {
  rest: Uint8Array;
  readonly done: (code: string | undefined) => void;
}

/** What is read at most in one piece, as libuv's. */
const READ_LIMIT = 65536;

export class TcpHandle implements TcpUser {
  owner: TcpHandleOwner | undefined;
  connection: TcpConnection | undefined;
  readonly hold: EventLoopHold;
  private readonly stack: Stack;
  private asyncResource: AsyncResource | undefined;
  private isOpen = false;
  private isReading = false;
  private isTellDue = false;
  private isClosing = false;
  private failure: string | undefined;
  private readonly writes: PendingWrite[] = [];
  private shutdownDone: ((code: string | undefined) => void) | undefined;
  private isShutdown = false;

  constructor(stack: Stack) {
    this.stack = stack;
    this.hold = new EventLoopHold(stack);
  }

  /** Opens a connection; a string says why it cannot even begin. */
  open(remote: Parameters<TcpService["open"]>[0], options: Parameters<TcpService["open"]>[2]): string | undefined {
    const connection = this.stack.layers.tcp.open(remote, this, options);
    if (typeof connection === "string") return connection;
    this.connection = connection;
    this.updateHold();
    return undefined;
  }

  /** Takes a connection that was accepted. It may have ended meanwhile, which is told when somebody reads. */
  adopt(connection: TcpConnection): void {
    this.connection = connection;
    this.isOpen = true;
    connection.user = this;
    if (connection.isClosed) this.failure = connection.error;
  }

  // From TCP

  // Programs that were written for the kernel's sockets hear of the network in a turn of their own: what they put off by `process.nextTick`
  // or by the callback of a write is done before the next packet speaks. A tick is such a turn: all of them come before the clock's next promise job.

  opened(): void {
    this.isOpen = true;
    this.flush();
    this.updateHold();
    process.nextTick(() => this.owner?.handleConnected(undefined));
  }

  readable(): void {
    if (this.isReading) this.tellSoon();
  }

  writable(): void {
    if (this.isOpen) this.flush();
  }

  softError(connection: TcpConnection, code: string): void {
    // TCP goes on trying for minutes; whoever waits for a connection is better served by the news (RFC 5461 §4.1).
    if (this.isOpen || code === "ETIMEDOUT") return;
    connection.user = {};
    connection.abort();
    this.closed(connection, code);
  }

  closed(_connection: TcpConnection, code: string | undefined): void {
    this.failure = code;
    this.settleWrites(code ?? "EPIPE");
    this.updateHold();
    if (!this.isOpen) process.nextTick(() => this.owner?.handleConnected(code ?? "ECONNABORTED"));
    else if (this.isReading) this.tellSoon();
  }

  // From the socket

  readStart(): void {
    if (this.isReading) return;
    this.isReading = true;
    this.updateHold();
    const { connection } = this;
    if (connection === undefined || !this.isOpen) return;
    if (connection.readableLength > 0 || connection.endOfStream || connection.isClosed) this.tellSoon();
  }

  get reading(): boolean {
    return this.isReading;
  }

  /** Node's HTTP server writes down what it is about to do; `readStart` and `readStop` do it. */
  set reading(_isReading: boolean) {}

  readStop(): void {
    this.isReading = false;
    this.updateHold();
  }

  /** The next octets; undefined when there are none, null at the end of the stream. They are the caller's to keep. */
  read(): Uint8Array | null | undefined {
    const { connection } = this;
    if (connection === undefined) return undefined;
    const bytes = connection.receive(READ_LIMIT);
    if (bytes !== undefined) return bytes;
    return connection.endOfStream ? null : undefined;
  }

  readInto(target: Uint8Array): number | null {
    const { connection } = this;
    if (connection === undefined) return 0;
    const count = connection.receiveInto(target);
    return count === 0 && connection.endOfStream ? null : count;
  }

  /** Copies what it is given, sooner or later: the array must not change until `done`, which may be called at once. */
  write(bytes: Uint8Array, done: (code: string | undefined) => void): void {
    if (this.isClosing || this.failure !== undefined || this.connection === undefined || this.connection.isClosed) {
      process.nextTick(done, this.isClosing ? "EBADF" : (this.failure ?? "EPIPE"));
      return;
    }
    this.writes.push({ rest: bytes, done });
    if (this.isOpen && this.writes.length === 1) this.flush();
    this.updateHold();
  }

  setNoDelay(noDelay: boolean): void {
    this.connection?.set({ noDelay });
  }

  /** @param delay in seconds; 0 leaves the stack's default */
  setKeepAlive(keepAlive: boolean, delay: number): void {
    this.connection?.set({ keepAlive, ...(delay > 0 ? { keepAliveIdle: delay * 1000 } : {}) });
  }

  /** Node's HTTP agent asks for it when it keeps a connection for the next request. */
  getAsyncId(): number {
    this.asyncResource ??= new AsyncResource("TCPWRAP");
    return this.asyncResource.asyncId();
  }

  ref(): void {
    this.hold.ref();
  }

  unref(): void {
    this.hold.unref();
  }

  /** Octets that TCP has not taken yet. */
  get queued(): number {
    let sum = 0;
    for (const write of this.writes) sum += write.rest.length;
    return sum;
  }

  /** Ends our stream behind what is being written. */
  shutdown(done: (code: string | undefined) => void): void {
    if (this.isShutdown || this.connection === undefined || this.connection.isClosed) {
      process.nextTick(done, undefined);
      return;
    }
    this.isShutdown = true;
    this.shutdownDone = done;
    this.flush();
  }

  /** Lets go: what was taken still goes out, what is unread resets the connection (RFC 9293 SHLD-3). */
  close(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.isReading = false;
    const { connection } = this;
    this.owner = undefined;
    if (connection !== undefined && !connection.isClosed) {
      connection.user = {};
      if (!this.isOpen || connection.readableLength > 0) connection.abort();
      else {
        connection.close();
        connection.closeRead();
      }
    }
    this.settleWrites("ECANCELED");
    this.hold.setActive(false);
  }

  /** Closes with a RST. */
  reset(): void {
    const { connection } = this;
    if (connection !== undefined && !connection.isClosed) {
      connection.user = {};
      connection.abort();
    }
    this.close();
  }

  private tellSoon(): void {
    if (this.isTellDue) return;
    this.isTellDue = true;
    process.nextTick(this.tell);
  }

  private readonly tell = (): void => {
    this.isTellDue = false;
    if (!this.isReading || this.isClosing) return;
    this.owner?.handleInput();
    const { failure } = this;
    // An error is the last that is told, behind everything that came before it.
    if (failure === undefined || !this.isReading || this.connection?.readableLength !== 0) return;
    this.isReading = false;
    this.owner?.handleFailed(failure);
  };

  private flush(): void {
    const connection = this.connection as TcpConnection;
    while (this.writes.length > 0) {
      const [write] = this.writes;
      const room = Math.min(write.rest.length, connection.writableLength);
      // Only what TCP takes is copied: it keeps the octets by reference until they are acknowledged.
      const taken = connection.send(copy(write.rest, room));
      // An error comes through `closed` as well, which settles all writes.
      if (typeof taken === "string") return;
      write.rest = write.rest.subarray(taken);
      if (write.rest.length > 0) {
        // Taking less than it is given obliges TCP to tell when there is room again.
        const more = connection.send(copy(write.rest, 1));
        if (more === 0 || typeof more === "string") return;
        write.rest = write.rest.subarray(more);
        continue;
      }
      this.writes.shift();
      write.done(undefined);
    }
    if (this.isShutdown && this.shutdownDone !== undefined) {
      connection.close();
      const done = this.shutdownDone;
      this.shutdownDone = undefined;
      process.nextTick(done, undefined);
    }
    this.updateHold();
  }

  private settleWrites(code: string): void {
    for (const write of this.writes.splice(0)) process.nextTick(write.done, code);
    const done = this.shutdownDone;
    this.shutdownDone = undefined;
    if (done !== undefined) process.nextTick(done, code);
  }

  /** A handle is active while it connects, reads or writes; one that does none of them lets the process end. */
  private updateHold(): void {
    const { connection } = this;
    const ended = connection === undefined || connection.isClosed || this.isClosing;
    this.hold.setActive(!ended && (!this.isOpen || this.isReading || this.writes.length > 0 || this.shutdownDone !== undefined));
  }
}

/** `Buffer.prototype.slice` would not copy. */
function copy(bytes: Uint8Array, length: number): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, 0, length);
}
