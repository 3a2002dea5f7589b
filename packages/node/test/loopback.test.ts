// The ready-made loopback: what a first program does.
import { once } from "node:events";
import { expect, test } from "vitest";
import { dgram, net, stack } from "../src/loopback.ts";
import type { NetSocket } from "../src/net-socket.ts";

function portOf(server: { address(): { port: number } | null }): number {
  return server.address()?.port ?? 0;
}

test("an echo server and a client: 1 MB there and back, then nothing is open", async () => {
  const server = net.createServer((socket: NetSocket) => void socket.pipe(socket)).listen(0);
  await once(server, "listening");
  const sent = Buffer.alloc(1_000_000, "netstrata ");
  const client = net.connect(portOf(server), "localhost");
  client.end(sent);
  const pieces: Buffer[] = [];
  for await (const piece of client) pieces.push(piece as Buffer);
  expect(Buffer.concat(pieces).equals(sent)).toBe(true);
  server.close();
  await once(server, "close");
  expect(stack.openSockets).toBe(0);
});

test("nobody listens: the error is Node's to the letter", async () => {
  const socket = net.connect(9, "127.0.0.1");
  const [error] = await once(socket, "error");
  expect(error).toMatchObject({ code: "ECONNREFUSED", errno: -111, syscall: "connect", address: "127.0.0.1", port: 9 });
  expect(error.message).toBe("connect ECONNREFUSED 127.0.0.1:9");
});

test("constructors work without new, and libraries may inherit from them the old way", () => {
  const Socket = net.Socket;
  expect(Socket()).toBeInstanceOf(Socket);
  function Old(this: NetSocket): void {
    Socket.call(this as never);
  }
  Old.prototype = Object.create(Socket.prototype);
  const old = new (Old as unknown as new () => NetSocket)();
  expect(old.connecting).toBe(false);
  class Young extends Socket {}
  expect(new Young().pending).toBe(true);
});

test("a datagram and its sender", async () => {
  const server = dgram.createSocket("udp4").bind(0);
  await once(server, "listening");
  const client = dgram.createSocket("udp4");
  client.send("ping", server.address().port);
  const [message, from] = await once(server, "message");
  expect(String(message)).toBe("ping");
  expect(from).toMatchObject({ address: "127.0.0.1", family: "IPv4", size: 4 });
  client.close();
  server.close();
});
