// `node:dgram` over a netstrata stack (Node documentation, "UDP/datagram sockets").
import type { Stack } from "@netstrata/socket";
import type { DgramSocket } from "./dgram-socket.ts";
import { type DgramConstructor, dgramSocketClass } from "./dgram-socket-class.ts";

export interface StackDgram {
  readonly Socket: DgramConstructor;
  createSocket(type: unknown, listener?: unknown): DgramSocket;
}

export function createDgram(stack: Stack): StackDgram {
  const Socket = dgramSocketClass(stack);
  return { Socket, createSocket: (type, listener) => new Socket(type, listener) };
}
