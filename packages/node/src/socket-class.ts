// How a `net.Socket` is made, with `new` or without, and what it is before it connects.
import { addAbortSignal, Duplex } from "node:stream";
import type { Stack } from "@netstrata/socket";
import { type CallableConstructor, callable } from "./callable.ts";
import { NetSocket, type SocketOptions, seconds } from "./net-socket.ts";
import { invalidArgValue, invalidFdType } from "./node-error.ts";
import type { Callback } from "./normalize-args.ts";
import { requireInteger, requireNumber } from "./validate.ts";

/** The half that Duplex needs to know; the rest is `initialize`'s. */
function baseOptions(options: SocketOptions): object {
  const { onread: _, signal: __, ...rest } = options;
  // `close` is told by the socket itself, when its handle is closed; strings keep their encoding until they are counted.
  return { ...rest, allowHalfOpen: Boolean(options.allowHalfOpen), emitClose: false, autoDestroy: true, decodeStrings: false };
}

function toOptions(options: SocketOptions | number | undefined): SocketOptions {
  if (typeof options === "number") return { fd: options };
  return options ?? {};
}

function initialize(self: NetSocket, given?: SocketOptions | number): void {
  const options = toOptions(given);
  for (const key of ["objectMode", "readableObjectMode", "writableObjectMode"]) {
    if (options[key]) throw invalidArgValue(`options.${key}`, options[key], "is not supported");
  }
  if (options.keepAliveInitialDelay !== undefined) requireNumber(options.keepAliveInitialDelay, "options.keepAliveInitialDelay");
  self.connecting = false;
  self._hadError = false;
  self._host = null;
  self._handle = null;
  self._parent = null;
  self.server = null;
  self._server = null;
  self.timeout = 0;
  const { onread } = options;
  const hasOnRead =
    onread !== null &&
    typeof onread === "object" &&
    (onread.buffer instanceof Uint8Array || typeof onread.buffer === "function") &&
    typeof onread.callback === "function";
  self._inside = {
    onread: hasOnRead ? onread : undefined,
    timeoutTimer: undefined,
    keepAlive: Boolean(options.keepAlive),
    keepAliveInitialDelay: seconds(Number(options.keepAliveInitialDelay)),
    noDelay: options.noDelay === undefined ? undefined : Boolean(options.noDelay),
    bytesRead: 0,
    pendingData: undefined,
    pendingEncoding: undefined,
    bytesDispatched: 0,
    local: undefined,
    remote: undefined,
    resetting: false,
    referenced: true,
    connectAttempt: 0,
  };
  if (options.fd !== undefined) {
    requireInteger(options.fd, "fd", 0, 2 ** 31 - 1);
    throw invalidFdType("UNKNOWN");
  }
  self.on("end", onReadableEnd);
  if (options.signal) addAbortSignal(options.signal, self);
  if (options.handle) {
    self.useHandle(options.handle);
    options.handle.owner = self;
    // Handles that were never used for anything are of a socket that begins to read by itself.
    if (options.readable !== false && options.pauseOnCreate) {
      options.handle.readStop();
      (self as unknown as { _readableState: { flowing: boolean } })._readableState.flowing = false;
    } else if (options.readable !== false && !options.manualStart) self.read(0);
  }
}

/** Without `allowHalfOpen` our stream ends when the peer's does; whoever writes afterwards is told why that fails. */
function onReadableEnd(this: NetSocket): void {
  if (!this.allowHalfOpen) this.write = writeAfterEnd as typeof this.write;
}

function writeAfterEnd(this: NetSocket, chunk: unknown, encoding?: unknown, done?: unknown): boolean {
  if (!this.writableEnded) return Duplex.prototype.write.call(this, chunk, encoding as BufferEncoding, done as () => void);
  const callback = typeof encoding === "function" ? encoding : done;
  const error = Object.assign(new Error("This socket has been ended by the other party"), { code: "EPIPE" });
  if (typeof callback === "function") process.nextTick(callback as Callback, error);
  this.destroy(error);
  return false;
}

export type SocketConstructor = CallableConstructor<NetSocket, [options?: SocketOptions | number]>;

/** The `Socket` of one stack. */
export function socketClass(stack: Stack): SocketConstructor {
  const base = function (this: NetSocket, options?: SocketOptions | number): void {
    Reflect.apply(Duplex as unknown as () => void, this, [baseOptions(toOptions(options))]);
  };
  const Socket = callable("Socket", NetSocket, base, initialize);
  Object.defineProperty(Socket.prototype, "_stack", { value: stack });
  return Socket;
}
