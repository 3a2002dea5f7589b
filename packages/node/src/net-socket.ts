// `net.Socket` over a netstrata stack (Node documentation, "Class: net.Socket").
import { Duplex } from "node:stream";
import type { Stack } from "@netstrata/socket";
import { startConnecting } from "./connect.ts";
import { formatEndpoint, type NodeAddress } from "./node-address.ts";
import { fixedError, invalidArgType, missingOneOf } from "./node-error.ts";
import { type Callback, normalizeArgs } from "./normalize-args.ts";
import { addressException, systemException } from "./system-exception.ts";
import { TcpHandle, type TcpHandleOwner } from "./tcp-handle.ts";
import { requireFunction, toDuration } from "./validate.ts";

export interface OnRead {
  buffer: Uint8Array | (() => Uint8Array);
  callback(this: NetSocket, bytes: number, buffer: Uint8Array): boolean | undefined;
}

export interface SocketOptions {
  allowHalfOpen?: boolean;
  fd?: number;
  handle?: TcpHandle;
  onread?: OnRead;
  readable?: boolean;
  writable?: boolean;
  signal?: AbortSignal;
  highWaterMark?: number;
  noDelay?: boolean;
  keepAlive?: boolean;
  keepAliveInitialDelay?: number;
  [other: string]: unknown;
}

/** What belongs to a socket and is nobody else's business. */
export interface SocketInside {
  onread: OnRead | undefined;
  timeoutTimer: { arm(delay: number): void; disarm(): void; readonly armed: boolean } | undefined;
  keepAlive: boolean;
  keepAliveInitialDelay: number;
  noDelay: boolean | undefined;
  bytesRead: number;
  /** What was written while the address was looked up: octets or text. */
  pendingData: unknown;
  pendingEncoding: BufferEncoding | undefined;
  bytesDispatched: number;
  local: NodeAddress | undefined;
  remote: NodeAddress | undefined;
  resetting: boolean;
  /** `ref` or `unref` before there was a handle. */
  referenced: boolean;
  connectAttempt: number;
}

const HUNDRED_YEARS = 2 ** 31 - 1;

export class NetSocket extends Duplex implements TcpHandleOwner {
  declare _stack: Stack;
  /** libuv's in Node; here the bridge to TCP. Null before it connects and when it is over. */
  declare _handle: TcpHandle | null;
  declare _inside: SocketInside;
  declare connecting: boolean;
  declare server: unknown;
  declare _server: unknown;
  declare _host: string | null;
  declare timeout: number;
  declare autoSelectFamilyAttemptedAddresses: string[] | undefined;
  declare _pendingData: unknown;
  declare _pendingEncoding: string;
  declare _hadError: boolean;
  declare _closeAfterHandlingError: boolean;
  declare _parent: unknown;

  // Opening

  connect(...args: unknown[]): this {
    const [options, callback] = normalizeArgs(args);
    if (options.port === undefined && options.path === undefined) throw missingOneOf("options", "port", "path");
    if (options.path !== undefined && options.path !== null) {
      if (typeof options.path !== "string") throw invalidArgType("options.path", "string", options.path);
    }
    if (this.write !== NetSocket.prototype.write && Object.hasOwn(this, "write")) delete (this as { write?: unknown }).write;
    if (this.destroyed) {
      this._handle = null;
      this._inside.local = undefined;
      this._inside.remote = undefined;
    }
    if (this._handle === null) this.useHandle(new TcpHandle(this._stack));
    if (callback !== null) this.once("connect", callback as Callback);
    this.touch();
    this.connecting = true;
    this._inside.connectAttempt += 1;
    if (typeof options.noDelay === "boolean") this._inside.noDelay = options.noDelay;
    if (options.keepAlive !== undefined) this._inside.keepAlive = Boolean(options.keepAlive);
    if (options.keepAliveInitialDelay !== undefined) this._inside.keepAliveInitialDelay = seconds(Number(options.keepAliveInitialDelay));
    const { path } = options;
    // A stack has no file system: whatever the path, there is nothing behind it.
    if (path) process.nextTick(() => this.finishConnecting(addressException("ENOENT", "connect", path as string)));
    else startConnecting(this, options);
    return this;
  }

  /** Takes a handle, and becomes a socket that is not destroyed yet. */
  useHandle(handle: TcpHandle): void {
    this._handle = handle;
    (this as unknown as { _undestroy(): void })._undestroy();
    Object.assign(this._inside, { local: undefined, bytesRead: 0, bytesDispatched: 0 });
    handle.owner = this;
    if (!this._inside.referenced) handle.unref();
  }

  /** Whether `attempt`, the number of a call of `connect`, is still the one that counts. */
  isConnecting(attempt: number): boolean {
    return this.connecting && !this.destroyed && this._inside.connectAttempt === attempt;
  }

  get connectAttempt(): number {
    return this._inside.connectAttempt;
  }

  /** The handshake is complete; or, with an error, it never will be. */
  finishConnecting(error: Error | undefined): void {
    if (this.destroyed) return;
    this.connecting = false;
    if (error !== undefined) {
      this.destroy(error);
      return;
    }
    this.applySettings();
    this.touch();
    if (this.readable && !this.writable) this.end();
    this.emit("connect");
    this.emit("ready");
    // Reading starts by itself when the user has asked for nothing else.
    if (this.readable && !this.isPaused()) this.read(0);
  }

  handleConnected(): void {
    this.finishConnecting(undefined);
  }

  /** What was chosen before there was a connection. */
  private applySettings(): void {
    const { noDelay, keepAlive, keepAliveInitialDelay } = this._inside;
    if (noDelay === true) this._handle?.setNoDelay?.(true);
    if (keepAlive) this._handle?.setKeepAlive?.(true, keepAliveInitialDelay);
  }

  /** Settings that the handle has already. */
  rememberSettings(noDelay: boolean, keepAlive: boolean, keepAliveInitialDelay: number): void {
    Object.assign(this._inside, { noDelay, keepAlive, keepAliveInitialDelay });
  }

  // Reading

  override _read(_size: number): void {
    const handle = this._handle;
    if (this.connecting || handle === null) this.once("connect", () => this._read(0));
    else handle.readStart();
  }

  override read(size?: number): unknown {
    if (this._inside.onread !== undefined && !this.connecting && this._handle !== null) this._handle.readStart();
    return super.read(size);
  }

  override pause(): this {
    const handle = this._handle;
    if (this._inside.onread !== undefined && !this.connecting) handle?.readStop();
    return super.pause();
  }

  override resume(): this {
    const handle = this._handle;
    if (this._inside.onread !== undefined && !this.connecting) handle?.readStart();
    return super.resume();
  }

  handleFailed(code: string): void {
    this.destroy(systemException(code, "read"));
  }

  /** Takes what the handle has, as long as somebody wants it. */
  handleInput(): void {
    const handle = this._handle as TcpHandle;
    const { onread } = this._inside;
    for (;;) {
      if (this.destroyed || this._handle !== handle) return;
      if (onread !== undefined) {
        const target = typeof onread.buffer === "function" ? currentBuffer(this, onread.buffer) : onread.buffer;
        const count = handle.readInto(target);
        if (count === null) break;
        if (count === 0) return;
        this.received(count);
        staticBuffers.delete(this);
        if (onread.callback.call(this, count, target) === false) handle.readStop();
        if (!handle.reading) return;
      } else {
        const bytes = handle.read();
        if (bytes === null) break;
        if (bytes === undefined) return;
        this.received(bytes.length);
        if (!this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) {
          handle.readStop();
          return;
        }
      }
    }
    handle.readStop();
    // A socket that was only to be read is over with the last octet.
    this.push(null);
    this.read(0);
  }

  private received(count: number): void {
    this._inside.bytesRead += count;
    this.touch();
  }

  // Writing

  override _write(chunk: unknown, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk, encoding) : (chunk as Uint8Array);
    this.writeBytes(bytes, chunk, encoding, done);
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], done: (error?: Error | null) => void): void {
    const pieces = chunks.map(({ chunk, encoding }) => (typeof chunk === "string" ? Buffer.from(chunk, encoding) : (chunk as Uint8Array)));
    this.writeBytes(Buffer.concat(pieces), chunks, "" as BufferEncoding, done);
  }

  private writeBytes(bytes: Uint8Array, pending: unknown, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const own = this._inside;
    if (this.connecting) {
      own.pendingData = pending;
      own.pendingEncoding = encoding;
      const onClose = (): void => done(fixedError("ERR_SOCKET_CLOSED_BEFORE_CONNECTION"));
      this.once("connect", () => {
        this.off("close", onClose);
        own.pendingData = undefined;
        this.writeBytes(bytes, pending, encoding, done);
      });
      this.once("close", onClose);
      return;
    }
    own.pendingData = undefined;
    const handle = this._handle;
    if (handle === null) {
      done(fixedError("ERR_SOCKET_CLOSED"));
      return;
    }
    this.touch();
    own.bytesDispatched += bytes.byteLength;
    handle.write(bytes, (code) => {
      if (this.destroyed && code !== undefined) {
        done(code === "ECANCELED" ? this.closedError() : systemException(code, "write"));
        return;
      }
      this.touch();
      done(code === undefined ? null : systemException(code, "write"));
    });
  }

  private closedError(): Error {
    return fixedError("ERR_SOCKET_CLOSED");
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.connecting) {
      this.once("connect", () => this._final(done));
      return;
    }
    const handle = this._handle;
    if (handle === null) {
      done();
      return;
    }
    handle.shutdown((code) => {
      // Who has been reset meanwhile has nothing left to end.
      done(code === undefined || this.destroyed || code === "ECONNRESET" ? null : systemException(code, "shutdown"));
    });
  }

  // The end

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const own = this._inside;
    this.connecting = false;
    own.timeoutTimer?.disarm();
    const handle = this._handle;
    if (handle === null) {
      done(error);
      process.nextTick(emitClose, this, error !== null);
    } else {
      const isException = error !== null;
      // What was known of the addresses dies with the handle; what it read is still to be told.
      handle.connection && void this.localAddress;
      if (own.resetting) handle.reset();
      else handle.close();
      this._handle = null;
      done(error);
      setImmediate(emitClose, this, isException);
    }
    const server = this._server as { connectionEnded?(socket: NetSocket): void } | null | undefined;
    if (server) {
      this._server = null;
      server.connectionEnded?.(this);
    }
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  resetAndDestroy(): this {
    if (this._handle === null) {
      this.destroy(fixedError("ERR_SOCKET_CLOSED"));
      return this;
    }
    const reset = (): void => {
      this._inside.resetting = true;
      this.destroy();
    };
    if (this.connecting) this.once("connect", reset);
    else reset();
    return this;
  }

  // Settings

  setTimeout(timeout: number, callback?: () => void): this {
    if (this.destroyed) return this;
    this.timeout = timeout;
    const delay = toDuration(timeout, "msecs");
    if (callback !== undefined) requireFunction(callback, "callback");
    const own = this._inside;
    if (delay === 0) {
      own.timeoutTimer?.disarm();
      if (callback !== undefined) this.removeListener("timeout", callback);
      return this;
    }
    own.timeoutTimer ??= this._stack.host.clock.timer(() => this._onTimeout());
    own.timeoutTimer.arm(delay);
    if (callback !== undefined) this.once("timeout", callback);
    return this;
  }

  _onTimeout(): void {
    this.emit("timeout");
  }

  /** There was activity: the time-out starts anew. */
  touch(): void {
    const own = this._inside;
    if (own.timeoutTimer !== undefined && this.timeout > 0) own.timeoutTimer.arm(Math.min(this.timeout, HUNDRED_YEARS));
  }

  _unrefTimer(): void {
    this.touch();
  }

  setNoDelay(noDelay?: boolean): this {
    const wanted = noDelay === undefined ? true : Boolean(noDelay);
    const own = this._inside;
    if (Boolean(own.noDelay) === wanted) return this;
    own.noDelay = wanted;
    this._handle?.setNoDelay?.(wanted);
    return this;
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    const own = this._inside;
    const wanted = Boolean(enable);
    const delay = seconds(Number(initialDelay));
    if (own.keepAlive === wanted && own.keepAliveInitialDelay === delay) return this;
    own.keepAlive = wanted;
    own.keepAliveInitialDelay = delay;
    this._handle?.setKeepAlive?.(wanted, delay);
    return this;
  }

  ref(): this {
    this._inside.referenced = true;
    this._handle?.ref();
    return this;
  }

  unref(): this {
    this._inside.referenced = false;
    this._handle?.unref();
    return this;
  }

  // What is known of it

  address(): NodeAddress | Record<string, never> {
    return this.localEnd() ?? {};
  }

  private localEnd(): NodeAddress | undefined {
    const own = this._inside;
    const connection = this._handle?.connection;
    if (own.local === undefined && connection !== undefined && !this.connecting) own.local = formatEndpoint(connection.local);
    return own.local;
  }

  private remoteEnd(): NodeAddress | undefined {
    const own = this._inside;
    const connection = this._handle?.connection;
    if (own.remote === undefined && connection !== undefined && !this.connecting) own.remote = formatEndpoint(connection.remote);
    return own.remote;
  }

  get localAddress(): string | undefined {
    return this.localEnd()?.address;
  }

  get localPort(): number | undefined {
    return this.localEnd()?.port;
  }

  get localFamily(): string | undefined {
    return this.localEnd()?.family;
  }

  get remoteAddress(): string | undefined {
    return this.remoteEnd()?.address;
  }

  get remotePort(): number | undefined {
    return this.remoteEnd()?.port;
  }

  get remoteFamily(): string | undefined {
    return this.remoteEnd()?.family;
  }

  get pending(): boolean {
    return this._handle === null || this.connecting;
  }

  /** Node's old name for `connecting`. */
  get _connecting(): boolean {
    return this.connecting;
  }

  get readyState(): string {
    if (this.connecting) return "opening";
    if (this.readable && this.writable) return "open";
    if (this.readable) return "readOnly";
    return this.writable ? "writeOnly" : "closed";
  }

  get bufferSize(): number | undefined {
    return this._handle === null ? undefined : this.writableLength;
  }

  get bytesRead(): number | undefined {
    return (this._inside as SocketInside | undefined)?.bytesRead;
  }

  get _bytesDispatched(): number | undefined {
    return (this._inside as SocketInside | undefined)?.bytesDispatched;
  }

  get bytesWritten(): number | undefined {
    const own: SocketInside | undefined = this._inside;
    // On the prototype, where nothing was ever written.
    if (own === undefined) return undefined;
    let sum = own.bytesDispatched;
    const { _writableState: state } = this as unknown as {
      _writableState?: { getBuffer(): { chunk: unknown; encoding: BufferEncoding }[] };
    };
    if (state === undefined) return undefined;
    for (const { chunk, encoding } of state.getBuffer()) sum += lengthOf(chunk, encoding);
    const pending = own.pendingData;
    if (Array.isArray(pending)) for (const { chunk, encoding } of pending) sum += lengthOf(chunk, encoding);
    else if (pending !== undefined) sum += lengthOf(pending, own.pendingEncoding);
    return sum;
  }

  get [Symbol.toStringTag](): string {
    return "Socket";
  }
}

/** A socket's `onread.buffer()` is asked for a new buffer only when the last one was used. */
const staticBuffers: WeakMap<NetSocket, Uint8Array> = new WeakMap();

function currentBuffer(socket: NetSocket, next: () => Uint8Array): Uint8Array {
  let buffer = staticBuffers.get(socket);
  if (buffer === undefined) {
    buffer = next();
    staticBuffers.set(socket, buffer);
  }
  return buffer;
}

function emitClose(socket: NetSocket, hadError: boolean): void {
  socket.emit("close", hadError);
}

function lengthOf(chunk: unknown, encoding: BufferEncoding | undefined): number {
  return typeof chunk === "string" ? Buffer.byteLength(chunk, encoding) : (chunk as Uint8Array).byteLength;
}

/** Node takes the delay of keep-alive probes in milliseconds and keeps whole seconds. */
export function seconds(milliseconds: number): number {
  return Math.max(0, Math.trunc(milliseconds / 1000) || 0);
}
