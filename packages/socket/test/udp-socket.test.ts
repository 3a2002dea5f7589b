// Datagrams as promises: queue, errors, broadcast, and the ends of waiting.
import { describe, expect, test } from "vitest";
import { DATAGRAM_OVERHEAD, DatagramQueue } from "../src/datagram-queue.ts";
import type { SystemError } from "../src/index.ts";
import { rejection, twoStacks } from "./two-stacks.ts";

const octets = (...values: number[]): Uint8Array => new Uint8Array(values);

test("a datagram carries its sender's address, so that it can be answered", async () => {
  const { client, server, run } = twoStacks();
  await run(async () => {
    const echo = server.udp({ port: 7, timeToLive: 9, trafficClass: 0xb8 });
    const socket = client.udp();
    void socket.send(octets(1, 2, 3), "10.0.0.2:7");
    const request = await echo.receive();
    expect(request).toMatchObject({
      data: octets(1, 2, 3),
      address: "10.0.0.1",
      family: 4,
      port: socket.address.port,
      destination: "10.0.0.2",
    });
    await echo.send(request.data, request);
    expect(await socket.receive()).toMatchObject({
      data: octets(1, 2, 3),
      address: "10.0.0.2",
      port: 7,
      timeToLive: 9,
      trafficClass: 0xb8,
    });
  });
});

test("a datagram larger than the MTU arrives whole; one larger than a datagram can be is EMSGSIZE", async () => {
  const { client, server, run } = twoStacks();
  await run(async () => {
    const sink = server.udp({ port: 9 });
    const socket = client.udp();
    const large = new Uint8Array(65507).fill(5);
    await socket.send(large, "10.0.0.2:9");
    expect((await sink.receive()).data).toEqual(large);
    for (const length of [65508, 70000]) {
      expect(await rejection(socket.send(new Uint8Array(length), "10.0.0.2:9"))).toMatchObject({ code: "EMSGSIZE", syscall: "send" });
    }
  });
});

test("datagrams wait in order, and the loop ends with the socket", async () => {
  const { client, server, run, sleep } = twoStacks();
  await run(async () => {
    const sink = server.udp({ port: 9 });
    const socket = client.udp();
    for (const value of [1, 2, 3]) void socket.send(octets(value), "10.0.0.2:9");
    await sleep(20);
    const seen: number[] = [];
    for await (const { data } of sink) {
      seen.push(data[0]);
      if (seen.length === 3) void sink.close();
    }
    expect(seen).toEqual([1, 2, 3]);
  });
});

test("what was received is the receiver's: the sender's next datagram does not change it", async () => {
  const { client, server, run, sleep } = twoStacks();
  await run(async () => {
    const sink = server.udp({ port: 9 });
    const socket = client.udp();
    const payload = octets(1);
    for (let value = 1; value <= 20; value += 1) {
      payload[0] = value;
      void socket.send(payload, "10.0.0.2:9");
    }
    await sleep(20);
    for (let value = 1; value <= 20; value += 1) expect((await sink.receive()).data).toEqual(octets(value));
  });
});

describe("the queue is bounded", () => {
  test.each([
    ["newest", [1, 2]],
    ["oldest", [3, 4]],
  ] as const)("the %s datagram is dropped and counted", async (overflow, kept) => {
    const { client, server, run, sleep } = twoStacks();
    await run(async () => {
      const sink = server.udp({ port: 9, receiveBuffer: 2 * (DATAGRAM_OVERHEAD + 1), overflow });
      const socket = client.udp();
      for (const value of [1, 2, 3, 4]) void socket.send(octets(value), "10.0.0.2:9");
      await sleep(20);
      expect(sink.dropped).toBe(2);
      expect(server.layers.udp.counters).toMatchObject({ InDatagrams: 4, RcvbufErrors: 2 });
      expect([(await sink.receive()).data[0], (await sink.receive()).data[0]]).toEqual(kept);
    });
  });

  test("also for empty datagrams, and for one that is larger than everything", () => {
    let drops = 0;
    const queue = new DatagramQueue(1000, "oldest", () => {
      drops += 1;
    });
    const empty = { data: new Uint8Array(0) };
    for (let count = 0; count < 10; count += 1) if (queue.makeRoom(empty.data)) queue.push(empty);
    expect([queue.length, drops]).toEqual([3, 7]);
    expect(queue.makeRoom(new Uint8Array(2000))).toBe(false);
    expect(queue.length).toBe(0);
  });
});

describe("ICMP errors", () => {
  test("on a connected socket they reject the receive that waits, or the next one", async () => {
    const { client, run, sleep } = twoStacks();
    await run(async () => {
      const seen: SystemError[] = [];
      const socket = client.udp({ onError: (error) => seen.push(error) });
      socket.connect("10.0.0.2:9");
      expect([socket.address.address, socket.remote?.port]).toEqual(["10.0.0.1", 9]);
      const waiting = rejection(socket.receive());
      await socket.send(octets(1));
      const error = (await waiting) as SystemError;
      expect(error.message).toBe("receive ECONNREFUSED 10.0.0.2:9");
      await socket.send(octets(2));
      await sleep(20);
      expect(await rejection(socket.receive())).toMatchObject({ code: "ECONNREFUSED" });
      expect(seen).toHaveLength(2);
      expect(await rejection(socket.send(octets(1), "10.0.0.2:9"))).toMatchObject({ code: "EISCONN" });
      socket.connect();
      expect(await rejection(socket.send(octets(1)))).toMatchObject({ code: "EDESTADDRREQ" });
    });
  });

  test("on an unconnected socket they are told with the address they are about, and disturb nobody", async () => {
    const { client, server, run, sleep } = twoStacks();
    await run(async () => {
      const seen: string[] = [];
      const socket = client.udp({ port: 5000, onError: (error) => seen.push(error.message) });
      await socket.send(octets(1), "10.0.0.2:9");
      await sleep(20);
      expect(seen).toEqual(["receive ECONNREFUSED 10.0.0.2:9"]);
      await server.udp().send(octets(7), "10.0.0.1:5000");
      expect((await socket.receive()).data).toEqual(octets(7));
    });
  });
});

test("a handler that throws is heard by whoever drives the clock, after the error was noted", async () => {
  const { client, run, sleep, clock } = twoStacks();
  const thrown = new Error("from the handler");
  const socket = client.udp({
    onError: () => {
      throw thrown;
    },
  });
  socket.connect("10.0.0.2:9");
  await socket.send(octets(1));
  expect(() => clock.advance(100)).toThrow(thrown);
  await run(async () => {
    expect(await rejection(socket.receive())).toMatchObject({ code: "ECONNREFUSED" });
    await sleep(1);
  });
});

test("broadcast needs the option, and reaches every socket that shares the port", async () => {
  const { client, server, run } = twoStacks();
  await run(async () => {
    const sinks = [1, 2].map(() => server.udp({ port: 67, reuseAddress: true }));
    const socket = client.udp();
    expect(await rejection(socket.send(octets(1), "10.0.0.255:67"))).toMatchObject({ code: "EACCES" });
    socket.set({ broadcast: true });
    await socket.send(octets(1), "10.0.0.255:67");
    for (const sink of sinks) expect((await sink.receive()).destination).toBe("10.0.0.255");
  });
});

test("misuse", async () => {
  const { client, run } = twoStacks();
  await run(async () => {
    const socket = client.udp({ port: 9 });
    expect(() => client.udp({ port: 9 })).toThrow("bind EADDRINUSE [::]:9");
    expect(() => client.udp({ hostname: "10.0.0.77" })).toThrow(/EADDRNOTAVAIL/);
    expect(await rejection(socket.send(octets(1), "nowhere"))).toMatchObject({ code: "EINVAL" });
    expect(await rejection(socket.send(octets(1), "nowhere:1"))).toMatchObject({ code: "ENOTFOUND" });
    expect(await rejection(socket.send(octets(1), "192.0.2.1:1"))).toMatchObject({ code: "ENETUNREACH", address: "192.0.2.1", port: 1 });
    expect(() => socket.connect("192.0.2.1:1")).toThrow("connect ENETUNREACH 192.0.2.1:1");
  });
});

test("close rejects what waits, keeps what was received, and frees the port", async () => {
  const { client, run, sleep } = twoStacks();
  await run(async () => {
    const controller = new AbortController();
    const socket = client.udp({ port: 9, signal: controller.signal });
    const other = client.udp();
    await other.send(octets(1), "127.0.0.1:9");
    await sleep(1);
    expect((await socket.receive()).data).toEqual(octets(1));
    await other.send(octets(2), "127.0.0.1:9");
    await sleep(1);
    const first = await socket.receive();
    expect(first.data).toEqual(octets(2));
    const waiting = rejection(socket.receive());
    controller.abort("over");
    expect(await waiting).toBe("over");
    await socket.closed;
    expect(await rejection(socket.receive())).toBe("over");
    expect(await rejection(socket.send(octets(1), "127.0.0.1:9"))).toMatchObject({ code: "EBADF" });
    await using again = client.udp({ port: 9 });
    expect(again.address.port).toBe(9);
    await other.close();
    expect(await rejection(other.receive())).toMatchObject({ code: "ECANCELED" });
  });
  expect(client.openSockets).toBe(0);
});
