// `net.Server` over a netstrata stack (Node documentation, "Class: net.Server").
import diagnosticsChannel from "node:diagnostics_channel";
import { EventEmitter } from "node:events";
import { isIPv6 } from "node:net";
import type { Stack } from "@netstrata/socket";
import { type CallableConstructor, callable } from "./callable.ts";
import { stackDns } from "./dns.ts";
import { EventLoopHold } from "./event-loop-hold.ts";
import type { NetSocket } from "./net-socket.ts";
import { formatEndpoint, type NodeAddress, toEndpoint } from "./node-address.ts";
import { fixedError, invalidArgType, invalidArgValue, notSupported } from "./node-error.ts";
import { type Callback, normalizeArgs } from "./normalize-args.ts";
import type { SocketConstructor } from "./socket-class.ts";
import { describedException } from "./system-exception.ts";
import { type TcpConnection, TcpHandle } from "./tcp-handle.ts";
import { requireAbortSignal, requireFunction, requireNumber, toPort } from "./validate.ts";

type TcpListener = Exclude<ReturnType<Stack["layers"]["tcp"]["listen"]>, string>;

export interface ServerOptions {
  allowHalfOpen?: boolean;
  pauseOnConnect?: boolean;
  noDelay?: boolean;
  keepAlive?: boolean;
  keepAliveInitialDelay?: number;
  highWaterMark?: number;
}

const serverSocketChannel = diagnosticsChannel.channel("net.server.socket");

/** Node's: what `listen` asks for when nobody says. */
const DEFAULT_BACKLOG = 511;

/** The listening side, shaped like libuv's as far as programs look at it. */
class ServerHandle {
  readonly listener: TcpListener;
  readonly hold: EventLoopHold;
  private readonly stack: Stack;
  private isClosed = false;
  onconnection: (error: number, handle: TcpHandle) => void = () => {};

  constructor(stack: Stack, listener: TcpListener) {
    this.stack = stack;
    this.listener = listener;
    this.hold = new EventLoopHold(stack);
    this.hold.setActive(true);
    listener.user = { acceptable: () => this.serve() };
  }

  get address(): NodeAddress {
    return formatEndpoint(this.listener.local);
  }

  close(): void {
    this.isClosed = true;
    this.listener.close();
    this.hold.setActive(false);
  }

  private serve(): void {
    for (;;) {
      const connection: TcpConnection | undefined = this.listener.accept();
      if (connection === undefined) return;
      const handle = new TcpHandle(this.stack);
      handle.adopt(connection);
      // In a turn of its own, as everything that comes from the network.
      process.nextTick(() => {
        if (this.isClosed) handle.reset();
        else this.onconnection(0, handle);
      });
    }
  }
}

interface Inside {
  isReferenced: boolean;
  listeningId: number;
  isStarting: boolean;
}

export class NetServer extends EventEmitter {
  declare _socketClass: SocketConstructor;
  declare _stack: Stack;
  declare _inside: Inside;
  declare _connections: number;
  declare _handle: ServerHandle | null;
  declare _unref: boolean;
  declare _connectionKey: string;
  declare allowHalfOpen: boolean;
  declare pauseOnConnect: boolean;
  declare noDelay: boolean;
  declare keepAlive: boolean;
  declare keepAliveInitialDelay: number;
  declare highWaterMark: number | undefined;
  declare maxConnections: number | undefined;
  declare dropMaxConnection: boolean | undefined;

  listen(...args: unknown[]): this {
    const [given, callback] = normalizeArgs(args);
    let options = given;
    if (this._inside.isStarting) throw fixedError("ERR_SERVER_ALREADY_LISTEN");
    if (this._handle !== null) throw fixedError("ERR_SERVER_ALREADY_LISTEN");
    if (callback !== null) this.once("listening", callback as Callback);
    const backlogArgument = toBacklog(args[1]) ?? toBacklog(args[2]);
    if (options._handle || options.handle || typeof options.fd === "number") {
      if (typeof options.fd === "number" && options.fd >= 0) {
        process.nextTick(() => this.emit("error", describedException("EINVAL", "listen")));
        return this;
      }
      if (typeof options.fd !== "number") throw notSupported("listening on a handle of libuv's");
    }
    const { signal } = options;
    if (signal !== undefined) {
      requireAbortSignal(signal, "options.signal");
      if (signal.aborted) process.nextTick(() => this.close());
      else {
        const onAbort = (): void => void this.close();
        signal.addEventListener("abort", onAbort, { once: true });
        this.once("close", () => signal.removeEventListener("abort", onAbort));
      }
    }
    // `listen()`, `listen(callback)` and `listen(null)` ask for any port.
    if (args.length === 0 || typeof args[0] === "function" || (options.port === undefined && "port" in options) || options.port === null) {
      options = { ...options, port: 0 };
    }
    if (typeof options.port === "number" || typeof options.port === "string") {
      const port = toPort(options.port, "options.port");
      const backlog = (options.backlog as number | undefined) || backlogArgument || DEFAULT_BACKLOG;
      const exclusive = options.ipv6Only === true;
      if (options.host) this.lookupAndListen(port, options.host as string, backlog, exclusive);
      else this.start(undefined, port, backlog, exclusive);
      return this;
    }
    if (options.path && typeof options.path === "string") {
      const { path } = options;
      // A stack has no file system to put a socket into.
      process.nextTick(() => this.emit("error", describedException("ENOTSUP", "listen", path)));
      return this;
    }
    if (!("port" in options || "path" in options)) {
      throw invalidArgValue("options", given, 'must have the property "port" or "path"');
    }
    throw invalidArgValue("options", given);
  }

  private lookupAndListen(port: number, host: string, backlog: number, ipv6Only: boolean): void {
    const own = this._inside;
    own.isStarting = true;
    own.listeningId += 1;
    const id = own.listeningId;
    stackDns(this._stack).lookup(host, { all: false }, (error, address) => {
      if (id !== own.listeningId) return;
      own.isStarting = false;
      if (error !== null) this.emit("error", error);
      else this.start((address as string) ?? undefined, port, backlog, ipv6Only);
    });
  }

  /** @param address undefined: all addresses of both families */
  private start(address: string | undefined, port: number, backlog: number, ipv6Only: boolean): void {
    const stack = this._stack;
    const bind = (host: string): TcpListener | string => {
      const local = toEndpoint(host, port);
      if (local === undefined) return "EINVAL";
      // What waits besides the backlog are Linux's semantics; the stack's own are stricter.
      return stack.layers.tcp.listen(
        local,
        { acceptable: () => {} },
        { backlog, ...(host === "::" && ipv6Only ? { ipv6Only: true } : {}) },
      );
    };
    let host = address ?? "::";
    let listener = bind(host);
    if (address === undefined && typeof listener === "string" && listener !== "EADDRINUSE") {
      // A stack without IPv6 listens on all IPv4 addresses.
      host = "0.0.0.0";
      listener = bind(host);
    }
    if (typeof listener === "string") {
      const error = describedException(listener, "listen", address ?? "::", port);
      process.nextTick(() => this.emit("error", error));
      return;
    }
    const handle = new ServerHandle(stack, listener);
    handle.onconnection = (error, client) => this.accepted(error, client);
    this._handle = handle;
    this._connectionKey = `${isIPv6(host) ? 6 : 4}:${host}:${port}`;
    if (this._unref) handle.hold.unref();
    process.nextTick(() => {
      // Closed meanwhile: it never listened.
      if (this._handle === handle) this.emit("listening");
    });
  }

  private accepted(_error: number, handle: TcpHandle): void {
    const connection = handle.connection as TcpConnection;
    const tooMany = this.maxConnections != null && this._connections >= this.maxConnections;
    if (tooMany) {
      const local = formatEndpoint(connection.local);
      const remote = formatEndpoint(connection.remote);
      handle.close();
      this.emit("drop", {
        localAddress: local.address,
        localPort: local.port,
        localFamily: local.family,
        remoteAddress: remote.address,
        remotePort: remote.port,
        remoteFamily: remote.family,
      });
      return;
    }
    if (this.noDelay) handle.setNoDelay(true);
    if (this.keepAlive) handle.setKeepAlive(true, this.keepAliveInitialDelay);
    const Socket = this._socketClass;
    const socket = new Socket({
      handle,
      allowHalfOpen: this.allowHalfOpen,
      pauseOnCreate: this.pauseOnConnect,
      readable: true,
      writable: true,
      ...(this.highWaterMark === undefined ? {} : { readableHighWaterMark: this.highWaterMark, writableHighWaterMark: this.highWaterMark }),
    });
    socket.rememberSettings(this.noDelay, this.keepAlive, this.keepAliveInitialDelay);
    this._connections += 1;
    socket.server = this;
    socket._server = this;
    this.emit("connection", socket);
    if (serverSocketChannel.hasSubscribers) serverSocketChannel.publish({ socket });
  }

  /** A socket of ours is gone. */
  connectionEnded(_socket: NetSocket): void {
    this._connections -= 1;
    this.emitCloseIfDrained();
  }

  close(callback?: (error?: Error) => void): this {
    if (typeof callback === "function") {
      if (this._handle === null) this.once("close", () => callback(fixedError("ERR_SERVER_NOT_RUNNING")));
      else this.once("close", callback);
    }
    const own = this._inside;
    if (own.isStarting) {
      own.isStarting = false;
      own.listeningId += 1;
    }
    if (this._handle !== null) {
      this._handle.close();
      this._handle = null;
    }
    this.emitCloseIfDrained();
    return this;
  }

  private emitCloseIfDrained(): void {
    if (this._handle !== null || this._connections > 0) return;
    process.nextTick(() => {
      if (this._handle === null && this._connections === 0) this.emit("close");
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this._handle === null) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.close((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  address(): NodeAddress | null {
    return this._handle === null ? null : this._handle.address;
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this._connections);
    return this;
  }

  get listening(): boolean {
    return this._handle !== null;
  }

  ref(): this {
    this._unref = false;
    this._handle?.hold.ref();
    return this;
  }

  unref(): this {
    this._unref = true;
    this._handle?.hold.unref();
    return this;
  }

  /** Becomes `Symbol.for("nodejs.rejection")`: a listener of ours was asynchronous and rejected. */
  rejected(error: Error, event: string, socket?: NetSocket): void {
    if (event === "connection") socket?.destroy(error);
    else this.emit("error", error);
  }
}

function toBacklog(value: unknown): number | undefined {
  const number = Number(value);
  return value !== null && value !== false && typeof value !== "function" && number >= 0 ? number : undefined;
}

function initialize(self: NetServer, first?: unknown, second?: unknown): void {
  let options: ServerOptions = {};
  let onConnection = second;
  if (typeof first === "function") onConnection = first;
  else if (first === null || first === undefined || typeof first === "object") options = { ...(first as ServerOptions) };
  else throw invalidArgType("options", "Object", first);
  if (typeof onConnection === "function") self.on("connection", onConnection as Callback);
  else if (onConnection !== undefined && onConnection !== null) requireFunction(onConnection, "connectionListener");
  if (options.keepAliveInitialDelay !== undefined) requireNumber(options.keepAliveInitialDelay, "options.keepAliveInitialDelay");
  if (options.highWaterMark !== undefined) requireNumber(options.highWaterMark, "options.highWaterMark");
  self._connections = 0;
  self._inside = { isReferenced: true, listeningId: 1, isStarting: false };
  self._handle = null;
  self._unref = false;
  self.allowHalfOpen = Boolean(options.allowHalfOpen);
  self.pauseOnConnect = Boolean(options.pauseOnConnect);
  self.noDelay = Boolean(options.noDelay);
  self.keepAlive = Boolean(options.keepAlive);
  self.keepAliveInitialDelay = Math.max(0, Math.trunc(Number(options.keepAliveInitialDelay) / 1000) || 0);
  self.highWaterMark = options.highWaterMark;
}

export type ServerConstructor = CallableConstructor<NetServer, [first?: unknown, second?: unknown]>;

/** The `Server` of one stack. */
export function serverClass(stack: Stack, Socket: SocketConstructor): ServerConstructor {
  const base = function (this: NetServer, first?: unknown): void {
    const options = typeof first === "object" && first !== null ? first : undefined;
    Reflect.apply(EventEmitter as unknown as () => void, this, [options]);
  };
  const Server = callable("Server", NetServer, base, initialize);
  Object.defineProperty(Server.prototype, EventEmitter.captureRejectionSymbol, { value: NetServer.prototype.rejected });
  Object.defineProperty(Server.prototype, "_stack", { value: stack });
  Object.defineProperty(Server.prototype, "_socketClass", { value: Socket });
  return Server;
}
