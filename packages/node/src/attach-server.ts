// Servers of Node's own (http, https, http2, tls) on a stack: they take connections by their documented event "connection".
import type { Server as NodeServer } from "node:net";
import { Server as TlsServer } from "node:tls";
import type { StackNet } from "./net.ts";
import type { NetServer } from "./net-server.ts";
import type { NetSocket } from "./net-socket.ts";

const LISTENING_CALLS = ["listen", "close", "address", "getConnections", "ref", "unref"] as const;

/**
 * Gives `server` the listening side of a stack: `listen`, `close`, `address`, `getConnections`, `ref`, `unref` and `listening` are then the
 * stack's, and each connection comes as an event "connection". @param wrap what the server gets instead of the stack's own socket
 */
export function attachServer<Server extends NodeServer>(
  net: StackNet,
  server: Server,
  wrap: (socket: NetSocket) => unknown = (socket) => socket,
): Server {
  // HTTP answers what was asked before the end; TLS has an end of its own.
  const sockets: NetServer = net.createServer({ allowHalfOpen: !(server instanceof TlsServer), noDelay: true });
  sockets.on("connection", (socket: NetSocket) => {
    // Where the program looks for the server that accepted a connection.
    socket.server = server;
    server.emit("connection", wrap(socket));
  });
  for (const event of ["listening", "error", "close", "drop"]) sockets.on(event, (...args: unknown[]) => void server.emit(event, ...args));
  const calls: Record<(typeof LISTENING_CALLS)[number], (...args: never[]) => unknown> = {
    listen: (...args) => {
      const last = args[args.length - 1] as unknown;
      if (typeof last === "function") server.once("listening", last as () => void);
      sockets.listen(...(typeof last === "function" ? args.slice(0, -1) : args));
      return server;
    },
    close: (callback?: (error?: Error) => void) => {
      // HTTP servers end the connections that wait for another request.
      const { closeIdleConnections } = server as { closeIdleConnections?: () => void };
      closeIdleConnections?.call(server);
      sockets.close(callback);
      return server;
    },
    address: () => sockets.address(),
    getConnections: (callback: (error: Error | null, count: number) => void) => {
      sockets.getConnections(callback);
      return server;
    },
    ref: () => {
      sockets.ref();
      return server;
    },
    unref: () => {
      sockets.unref();
      return server;
    },
  };
  for (const name of LISTENING_CALLS) Object.defineProperty(server, name, { value: calls[name], configurable: true, writable: true });
  Object.defineProperty(server, "listening", { get: () => sockets.listening, configurable: true });
  Object.defineProperty(server, "maxConnections", {
    get: () => sockets.maxConnections,
    set: (value: number | undefined) => {
      sockets.maxConnections = value;
    },
    configurable: true,
  });
  return server;
}
