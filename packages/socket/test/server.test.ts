// Listening: accepting, the backlog, and closing.
import { describe, expect, test } from "vitest";
import type { Socket } from "../src/index.ts";
import { rejection, twoStacks } from "./two-stacks.ts";

test("connections come in the order of their handshakes, to accept or to the loop", async () => {
  const { client, server, run, sleep } = twoStacks();
  await run(async () => {
    const listener = server.listen({ port: 80 });
    expect(listener.address).toEqual({ address: "::", family: 6, port: 80 });
    const ports: (number | undefined)[] = [];
    const first = listener.accept();
    const sockets: Socket[] = [];
    for (const localPort of [5001, 5002, 5003]) {
      sockets.push(client.connect("10.0.0.2:80", { localPort }));
      await sleep(20);
    }
    ports.push((await first).remote?.port);
    for await (const socket of listener) {
      ports.push(socket.remote?.port);
      if (ports.length === 3) break;
    }
    expect(ports).toEqual([5001, 5002, 5003]);
    // The loop was left, not the server.
    client.connect("10.0.0.2:80", { localPort: 5004 });
    expect((await listener.accept()).remote?.port).toBe(5004);
  });
});

test("an ephemeral port, one address, several servers", async () => {
  const { client, server, run } = twoStacks();
  await run(async () => {
    const any = server.listen();
    expect(any.address.port).toBeGreaterThanOrEqual(32768);
    const own = server.listen({ port: 80, hostname: "10.0.0.2" });
    server.listen({ port: 80, hostname: "localhost" });
    const socket = client.connect("10.0.0.2:80");
    expect((await own.accept()).local).toEqual({ address: "10.0.0.2", family: 4, port: 80 });
    await socket.opened;
  });
});

describe("misuse throws at once", () => {
  test("EADDRINUSE, EADDRNOTAVAIL, EINVAL, ENOTFOUND", () => {
    const { server } = twoStacks();
    server.listen({ port: 80 });
    const errors = [
      { port: 80 },
      { port: 80, hostname: "10.0.0.2" },
      { port: 81, hostname: "10.0.0.9" },
      { port: 65536 },
      { hostname: "web" },
    ];
    const codes = errors.map((options) => {
      try {
        server.listen(options);
        return "none";
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    expect(codes).toEqual(["EADDRINUSE", "EADDRINUSE", "EADDRNOTAVAIL", "EINVAL", "ENOTFOUND"]);
    expect(() => server.listen({ port: 80 })).toThrow("listen EADDRINUSE [::]:80");
  });
});

test("a full backlog lets further peers wait; accepting lets them in", async () => {
  const { client, server, run, sleep } = twoStacks();
  await run(async () => {
    const listener = server.listen({ port: 80, backlog: 2 });
    const sockets: Socket[] = [];
    let opened = 0;
    for (let count = 0; count < 4; count += 1) {
      const socket = client.connect("10.0.0.2:80");
      sockets.push(socket);
      void socket.opened.then(() => {
        opened += 1;
      });
      await sleep(20);
    }
    expect(opened).toBe(2);
    expect(server.layers.tcp.counters.ListenOverflows).toBeGreaterThan(0);
    for (let count = 0; count < 4; count += 1) await listener.accept();
    await Promise.all(sockets.map((socket) => socket.opened));
  });
});

test("close refuses who comes later, resets who waits, and leaves who was accepted", async () => {
  const { client, server, run, sleep } = twoStacks();
  await run(async () => {
    const listener = server.listen({ port: 80 });
    const [accepted, waiting] = [client.connect("10.0.0.2:80"), client.connect("10.0.0.2:80")];
    const peer = await listener.accept();
    await waiting.opened;
    await sleep(20);
    await Promise.all([listener.close(), listener.close(), listener.closed]);
    expect(await rejection(waiting.read())).toMatchObject({ code: "ECONNRESET" });
    expect(await rejection(client.connect("10.0.0.2:80").opened)).toMatchObject({ code: "ECONNREFUSED" });
    await accepted.write(new Uint8Array([1]));
    expect(await peer.read()).toEqual(new Uint8Array([1]));
    server.listen({ port: 80 });
  });
});

test("close ends what waits for connections: accept rejects, the loop just ends", async () => {
  const { server, run, sleep } = twoStacks();
  await run(async () => {
    const controller = new AbortController();
    const listener = server.listen({ port: 80, signal: controller.signal });
    const accepting = rejection(listener.accept());
    const looping = (async () => {
      for await (const socket of listener) void socket;
      return "ended";
    })();
    await sleep(1);
    controller.abort();
    expect(await accepting).toMatchObject({ name: "AbortError" });
    expect(await looping).toBe("ended");
    await listener.closed;
    expect(await rejection(listener.accept())).toMatchObject({ name: "AbortError" });
    const second = server.listen({ port: 80 });
    const waiting = rejection(second.accept());
    await second.close();
    expect(await waiting).toMatchObject({ code: "ECANCELED", syscall: "accept", port: 80 });
    expect(() => server.listen({ signal: controller.signal })).toThrow();
    expect(server.openSockets).toBe(0);
  });
});

test("a connection that was reset before it was accepted tells so by itself", async () => {
  const { client, server, run, sleep } = twoStacks();
  await run(async () => {
    const listener = server.listen({ port: 80 });
    const socket = client.connect("10.0.0.2:80");
    await socket.opened;
    await socket.write(new Uint8Array([1]));
    await sleep(20);
    socket.abort();
    await sleep(20);
    const accepted = await listener.accept();
    await accepted.opened;
    expect(await accepted.read()).toEqual(new Uint8Array([1]));
    expect(await rejection(accepted.read())).toMatchObject({ code: "ECONNRESET" });
    expect(await rejection(accepted.closed)).toMatchObject({ code: "ECONNRESET" });
  });
});
