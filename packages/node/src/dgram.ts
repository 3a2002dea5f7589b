// `node:dgram` over a netstrata stack (Node documentation, "UDP/datagram sockets").
import type { Stack } from "@netstrata/socket";
import { type DgramConstructor, type DgramSocket, dgramSocketClass } from "./dgram-socket.ts";

export interface StackDgram {
  readonly Socket: DgramConstructor;
  createSocket(type: unknown, listener?: unknown): DgramSocket;
}

export function createDgram(stack: Stack): StackDgram {
  const Socket = dgramSocketClass(stack);
  return { Socket, createSocket: (type, listener) => new Socket(type, listener) };
}
