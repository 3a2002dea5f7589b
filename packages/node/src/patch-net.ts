// For libraries with no hook: Node's own modules speak to a stack until the patch is undone.
import dgram from "node:dgram";
import dns from "node:dns";
import http from "node:http";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";
import type { Stack } from "@netstrata/socket";
import { attachServer } from "./attach-server.ts";
import { createDgram } from "./dgram.ts";
import { stackDns } from "./dns.ts";
import { createNet, type StackNet } from "./net.ts";
import type { NetSocket } from "./net-socket.ts";
import { TcpHandle } from "./tcp-handle.ts";

type Module = Record<string, unknown>;

/** Undone by `[Symbol.dispose]()`: `using patch = patchNet(stack)`. */
export interface Patch extends Disposable {
  undo(): void;
}

const originalTlsConnect = tls.connect;
const OriginalSocket = net.Socket;

/**
 * Replaces `net`, `dgram` and the look-up of `dns` by those of `stack`, in CommonJS modules and, by `syncBuiltinESMExports`, in ES modules.
 * Servers of `http`, `https`, `http2` and `tls` listen on the stack, and their clients connect over it. Who has taken `net.Socket` out of the module
 * before keeps Node's own: patch first, import then. Patches nest: undo them in reverse order.
 */
export function patchNet(stack: Stack): Patch {
  const stackNet = createNet(stack);
  const restore: (() => void)[] = [];
  const replace = (target: object, name: string, value: unknown): void => {
    const before = Object.getOwnPropertyDescriptor(target, name);
    if (before !== undefined && !before.configurable && !before.writable) return;
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: before?.enumerable ?? false });
    restore.push(() => {
      if (before === undefined) Reflect.deleteProperty(target, name);
      else Object.defineProperty(target, name, before);
    });
  };
  for (const name of ["Socket", "Stream", "Server"] as const)
    replace(net as unknown as Module, name, besides(stackNet[name], net[name as "Socket"]));
  for (const name of ["connect", "createConnection", "createServer"] as const) replace(net as unknown as Module, name, stackNet[name]);
  const stackDgram = createDgram(stack);
  for (const name of ["Socket", "createSocket"] as const) replace(dgram as unknown as Module, name, stackDgram[name]);
  const names = stackDns(stack);
  replace(dns as unknown as Module, "lookup", names.lookup);
  replace(dns.promises as unknown as Module, "lookup", names.promises.lookup);
  replace(http.Agent.prototype, "createConnection", stackNet.connect);
  replace(tls as unknown as Module, "connect", tlsConnect(stackNet));
  // What inherits from Node's own server (http, https, http2, tls) begins to be the stack's when it is told to listen.
  const OriginalServer = Object.getPrototypeOf(http.Server.prototype) as net.Server;
  replace(OriginalServer, "listen", function listen(this: net.Server, ...args: unknown[]): net.Server {
    attachServer(stackNet, this, (socket) => (this instanceof tls.Server ? plainDuplex(socket) : socket));
    return (this.listen as (...args: unknown[]) => net.Server)(...args);
  });
  syncBuiltinESMExports();
  const undo = (): void => {
    for (const each of restore.splice(0).reverse()) each();
    syncBuiltinESMExports();
  };
  return { undo, [Symbol.dispose]: undo };
}

/**
 * Ours in the place of Node's own, which still has its heirs inside Node: `TLSSocket` and `http.Server` call the constructor they find in the module, and
 * what they are is asked by `instanceof`.
 */
// biome-ignore lint/complexity/noBannedTypes: constructors of any kind.
function besides(ours: Function, original: Function): unknown {
  const isOriginal = (value: unknown): boolean => Object.prototype.isPrototypeOf.call(original.prototype, value as object);
  const isEither = (value: unknown): boolean => isOriginal(value) || Object.prototype.isPrototypeOf.call(ours.prototype, value as object);
  return new Proxy(ours, {
    apply: (target, self, args) => Reflect.apply(isOriginal(self) ? original : target, self, args),
    // Node's own streams on file descriptors (`process.stdout` is made when it is first used) stay Node's own.
    construct: (target, args, newTarget) =>
      Reflect.construct(isOfTheKernel(args[0]) ? original : target, args, isOfTheKernel(args[0]) ? original : newTarget),
    get: (target, name, receiver) => (name === Symbol.hasInstance ? isEither : Reflect.get(target, name, receiver)),
  });
}

function isOfTheKernel(options: unknown): boolean {
  const { fd, handle } = Object(options) as { fd?: unknown; handle?: unknown };
  return fd !== undefined || (handle !== undefined && !(handle instanceof TcpHandle));
}

/** `tls.connect` takes any stream to speak over; without one it would open a socket of the kernel's. */
function tlsConnect(stackNet: StackNet): typeof tls.connect {
  return ((...args: unknown[]): tls.TLSSocket => {
    const [options, callback] = stackNet._normalizeArgs(args);
    // `(port, host, options)`
    const extra = args.find((each, index) => index > 0 && typeof each === "object" && each !== null) as object | undefined;
    const all = { ...options, ...extra } as tls.ConnectionOptions;
    const given = all.socket as Duplex | undefined;
    const socket = given ?? (stackNet.connect({ host: all.host, port: all.port }) as Duplex);
    const isOurs = socket instanceof stackNet.Socket || !(socket instanceof OriginalSocket);
    const secure = originalTlsConnect(
      { ...all, socket: isOurs ? plainDuplex(socket as NetSocket) : socket },
      (callback as () => void) ?? undefined,
    );
    if (given === undefined) socket.once("error", (error) => secure.destroy(error));
    return secure;
  }) as typeof tls.connect;
}

/**
 * A stream over a socket that does not look like a socket. While `net.Socket` is ours, TLS takes each for one of Node's own and reaches for libuv's handle
 * inside it.
 */
export function plainDuplex(socket: Duplex): Duplex {
  const stream = new Duplex({
    read: () => void socket.resume(),
    write: (chunk: Uint8Array, _encoding, done) => void socket.write(chunk, done),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy(error ?? undefined);
      done(error);
    },
  });
  socket.on("data", (bytes: Uint8Array) => {
    if (!stream.push(bytes)) socket.pause();
  });
  socket.on("end", () => void stream.push(null));
  socket.on("error", (error: Error) => void stream.destroy(error));
  socket.on("close", () => void stream.destroy());
  return stream;
}
