// Peers and users that behave badly: nothing hangs, nothing is left, and the process can exit.
import { once } from "node:events";
import { SeededRandom } from "@netstrata/core";
import { createStack } from "@netstrata/socket";
import { expect, test } from "vitest";
import { createNet } from "../src/index.ts";
import type { NetServer } from "../src/net-server.ts";
import type { NetSocket } from "../src/net-socket.ts";

function portOf(server: NetServer): number {
  return server.address()?.port ?? 0;
}

function closed(socket: NetSocket): Promise<unknown> {
  return new Promise((resolve) => socket.once("close", resolve));
}

/** A stack whose TIME-WAIT is over at once, so that what is left at the end is a leak. */
function setUp(): { net: ReturnType<typeof createNet>; left: () => Promise<number> } {
  const stack = createStack({ tcp: { timeWait: 1, finWait2: 50 } });
  const left = async (): Promise<number> => {
    for (let round = 0; round < 200 && stack.layers.tcp.connectionCount > 0; round += 1)
      await new Promise((resolve) => setTimeout(resolve, 5));
    return stack.layers.tcp.connectionCount + stack.layers.tcp.listenerCount;
  };
  return { net: createNet(stack), left };
}

for (const event of ["lookup", "connect", "ready", "data", "end", "finish", "drain", "pause", "resume", "error", "close"]) {
  for (const how of ["destroy", "resetAndDestroy", "end"] as const) {
    test(`${how} inside "${event}", at both ends`, async () => {
      const { net, left } = setUp();
      const misbehave = (socket: NetSocket): void => {
        socket.on("error", () => {});
        socket.on(event, () => void socket[how]());
      };
      const server = net.createServer((socket: NetSocket) => {
        misbehave(socket);
        socket.write(Buffer.alloc(100_000));
        socket.resume();
        socket.end();
      });
      server.listen(0);
      await once(server, "listening");
      const client = net.connect(portOf(server), "localhost");
      misbehave(client);
      client.write(Buffer.alloc(100_000));
      client.resume();
      client.end();
      await closed(client);
      server.close();
      await once(server, "close");
      expect(await left()).toBe(0);
    });
  }
}

test("10,000 sockets opened, used and destroyed in random order", { timeout: 120_000 }, async () => {
  const { net, left } = setUp();
  const random = new SeededRandom(1);
  const chance = (among: number): number => random.uint32() % among;
  const server = net.createServer((socket: NetSocket) => {
    socket.on("error", () => {});
    const fates = [
      () => socket.pipe(socket),
      () => socket.destroy(),
      () => socket.resetAndDestroy(),
      () => socket.end("bye"),
      () => socket.pause(),
    ];
    fates[chance(fates.length)]();
    // Whoever is left alone is let go by the server.
    socket.setTimeout(50, () => socket.destroy());
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  const port = portOf(server);
  const open: NetSocket[] = [];
  let ended = 0;
  for (let count = 0; count < 10_000; count += 1) {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => {
      ended += 1;
    });
    socket.setTimeout(50, () => socket.destroy());
    open.push(socket);
    const victim = open[chance(open.length)];
    const deeds = [
      () => victim.write("hello"),
      () => victim.destroy(),
      () => victim.resetAndDestroy(),
      () => victim.end(),
      () => victim.resume(),
      () => {},
    ];
    if (!victim.destroyed) deeds[chance(deeds.length)]();
    if (count % 500 === 499) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const socket of open) if (!socket.destroyed) socket.destroy();
  while (ended < 10_000) await new Promise((resolve) => setTimeout(resolve, 10));
  server.close();
  await once(server, "close");
  expect(await left()).toBe(0);
});

test("a refused and an unreachable peer: each tells its own error", async () => {
  const { net } = setUp();
  const refused = net.connect(1, "127.0.0.1");
  const [error] = await once(refused, "error");
  expect(error.code).toBe("ECONNREFUSED");
  const unreachable = net.connect(1, "203.0.113.1");
  expect((await once(unreachable, "error"))[0].code).toBe("ENETUNREACH");
});

test("a handler that throws does not stop the stack: the next connection is served", async () => {
  const { net, left } = setUp();
  let connections = 0;
  const server = net.createServer((socket: NetSocket) => {
    connections += 1;
    if (connections === 1) throw new Error("the handler's own");
    socket.end("served");
  });
  server.listen(0);
  await once(server, "listening");
  const thrown = new Promise<Error>((resolve) => {
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.once("uncaughtException", (error) => {
      for (const listener of listeners) process.on("uncaughtException", listener);
      resolve(error);
    });
  });
  const first = net.connect(portOf(server));
  first.on("error", () => {});
  expect((await thrown).message).toBe("the handler's own");
  const second = net.connect(portOf(server));
  const [bytes] = await once(second, "data");
  expect(String(bytes)).toBe("served");
  first.destroy();
  second.destroy();
  server.close();
  // The connection whose handler threw is nobody's.
  expect(await left()).toBeLessThanOrEqual(1);
});
