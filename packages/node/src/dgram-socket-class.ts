// How a `dgram.Socket` is made.
import diagnosticsChannel from "node:diagnostics_channel";
import { EventEmitter } from "node:events";
import type { Stack } from "@netstrata/socket";
import { type CallableConstructor, callable } from "./callable.ts";
import { type DgramLookup, type DgramOptions, DgramSocket } from "./dgram-socket.ts";
import { stackDns } from "./dns.ts";
import { EventLoopHold } from "./event-loop-hold.ts";
import { fixedError } from "./node-error.ts";
import type { Callback } from "./normalize-args.ts";
import { requireAbortSignal, requireFunction, requireNumber } from "./validate.ts";

const udpSocketChannel = diagnosticsChannel.channel("udp.socket");
/** Linux's, which it doubles for its own overhead. */
const DEFAULT_BUFFER = 212992;

function initialize(self: DgramSocket, type?: unknown, listener?: unknown): void {
  const options: DgramOptions = type !== null && typeof type === "object" ? (type as DgramOptions) : { type: type as "udp4" };
  if (options.type !== "udp4" && options.type !== "udp6") throw fixedError("ERR_SOCKET_BAD_TYPE");
  if (options.lookup !== undefined) requireFunction(options.lookup, "lookup");
  if (options.recvBufferSize) requireNumber(options.recvBufferSize, "options.recvBufferSize");
  if (options.sendBufferSize) requireNumber(options.sendBufferSize, "options.sendBufferSize");
  const dns = stackDns(self._stack);
  const ownLookup: DgramLookup = (hostname, family, callback) => {
    (dns.lookup as unknown as DgramLookup)(hostname, family, callback);
  };
  self.type = options.type;
  self._inside = {
    endpoint: undefined,
    isClosed: false,
    bindState: "unbound",
    connectState: "disconnected",
    queue: undefined,
    hold: new EventLoopHold(self._stack),
    options,
    lookup: options.lookup ?? ownLookup,
    receiveBuffer: options.recvBufferSize ? 2 * options.recvBufferSize : DEFAULT_BUFFER,
    sendBuffer: options.sendBufferSize ? 2 * options.sendBufferSize : DEFAULT_BUFFER,
    timeToLive: undefined,
    multicastTimeToLive: 1,
    multicastLoopback: true,
    broadcast: false,
    sending: 0,
    sendingCount: 0,
    groups: new Set(),
  };
  if (typeof listener === "function") self.on("message", listener as Callback);
  const { signal } = options;
  if (signal !== undefined) {
    requireAbortSignal(signal, "options.signal");
    const onAbort = (): void => {
      if (!self._inside.isClosed) self.close();
    };
    if (signal.aborted) onAbort();
    else {
      signal.addEventListener("abort", onAbort, { once: true });
      self.once("close", () => signal.removeEventListener("abort", onAbort));
    }
  }
  if (udpSocketChannel.hasSubscribers) udpSocketChannel.publish({ socket: self });
}

export type DgramConstructor = CallableConstructor<DgramSocket, [type?: unknown, listener?: unknown]>;

/** The `dgram.Socket` of one stack. */
export function dgramSocketClass(stack: Stack): DgramConstructor {
  const base = function (this: DgramSocket): void {
    Reflect.apply(EventEmitter as unknown as () => void, this, []);
  };
  const Socket = callable("Socket", DgramSocket, base, initialize);
  Object.defineProperty(Socket.prototype, "_stack", { value: stack });
  Object.defineProperty(Socket.prototype, Symbol.asyncDispose, { value: DgramSocket.prototype.disposeAsync });
  return Socket;
}
