// `node:net` over a netstrata stack (Node documentation, "Net").
import diagnosticsChannel from "node:diagnostics_channel";
import net from "node:net";
import type { Stack } from "@netstrata/socket";
import { type NetServer, type ServerConstructor, serverClass } from "./net-server.ts";
import type { NetSocket, SocketOptions } from "./net-socket.ts";
import { type Callback, normalizeArgs } from "./normalize-args.ts";
import { type SocketConstructor, socketClass } from "./socket-class.ts";

const clientSocketChannel = diagnosticsChannel.channel("net.client.socket");

export interface StackNet {
  readonly Socket: SocketConstructor;
  /** Node's old name for `Socket`. */
  readonly Stream: SocketConstructor;
  readonly Server: ServerConstructor;
  connect(...args: unknown[]): NetSocket;
  createConnection(...args: unknown[]): NetSocket;
  createServer(options?: unknown, onConnection?: unknown): NetServer;
  readonly isIP: typeof net.isIP;
  readonly isIPv4: typeof net.isIPv4;
  readonly isIPv6: typeof net.isIPv6;
  readonly BlockList: typeof net.BlockList;
  readonly SocketAddress: typeof net.SocketAddress;
  getDefaultAutoSelectFamily(): boolean;
  setDefaultAutoSelectFamily(value: boolean): void;
  getDefaultAutoSelectFamilyAttemptTimeout(): number;
  setDefaultAutoSelectFamilyAttemptTimeout(value: number): void;
  readonly _normalizeArgs: typeof normalizeArgs;
  readonly _createServerHandle: () => never;
}

/** What of `node:net` has nothing to do with sockets is Node's own. */
const SHARED = [
  "isIP",
  "isIPv4",
  "isIPv6",
  "BlockList",
  "SocketAddress",
  "getDefaultAutoSelectFamily",
  "setDefaultAutoSelectFamily",
  "getDefaultAutoSelectFamilyAttemptTimeout",
  "setDefaultAutoSelectFamilyAttemptTimeout",
] as const;

/** `net` whose sockets and servers live on `stack`. Every call gives classes of its own: `instanceof` tells the stacks apart. */
export function createNet(stack: Stack): StackNet {
  const Socket = socketClass(stack);
  const Server = serverClass(stack, Socket);
  const connect = (...args: unknown[]): NetSocket => {
    const normalized = normalizeArgs(args);
    const [options] = normalized;
    const socket = new Socket(options as SocketOptions);
    if (clientSocketChannel.hasSubscribers) clientSocketChannel.publish({ socket });
    if (options.timeout) socket.setTimeout(options.timeout as number);
    return socket.connect(normalized as unknown as Callback);
  };
  const shared = Object.fromEntries(SHARED.map((name) => [name, (net as unknown as Record<string, unknown>)[name]]));
  return {
    ...(shared as unknown as Pick<StackNet, (typeof SHARED)[number]>),
    Socket,
    Stream: Socket,
    Server,
    connect,
    createConnection: connect,
    createServer: (options?: unknown, onConnection?: unknown) => new Server(options, onConnection),
    _normalizeArgs: normalizeArgs,
    _createServerHandle: () => {
      throw new Error("a netstrata stack has no handles of libuv's");
    },
  };
}
