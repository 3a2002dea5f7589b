// One stream of events, and what is made of it: repeatability, captures.
import { formatMac, type PacketEvent } from "@netstrata/core";
import type { PacketSink } from "@netstrata/link";
import { describe, expect, test } from "vitest";
import { simulate, twoHosts, twoHostsTwoRouters, type World, type WorldEvent } from "../src/index.ts";

async function conversation(world: World): Promise<void> {
  const { client, server } = twoHostsTwoRouters(world, {
    wire: { latency: 3, rate: 1e7 },
    core: { faults: { drop: 0.05, duplicate: 0.05, reorder: 0.05, corrupt: 0.05, delay: 0.05 } },
  });
  await world.run(async () => {
    await using listener = server.listen({ port: 80 });
    const serving = (async () => {
      await using socket = await listener.accept();
      for await (const piece of socket) void piece;
    })();
    await using socket = client.connect("server:80");
    await socket.write(new Uint8Array(50_000));
    await socket.closeWrite();
    await serving;
  });
}

/** Everything that happened, with every packet's octets. */
async function record(seed: number): Promise<string[]> {
  const world = simulate({ seed });
  const lines: string[] = [];
  world.observe(({ time, host, event }) => {
    const { packet } = event as Partial<PacketEvent>;
    lines.push(`${time} ${host} ${event.layer} ${event.kind} ${packet === undefined ? "" : Buffer.from(packet.view()).toString("hex")}`);
  });
  await conversation(world);
  await world.settle();
  expect(world.leaks()).toEqual([]);
  return lines;
}

test("the same seed makes the same packets to the last bit; another seed makes others", async () => {
  const [first, second, other] = [await record(5), await record(5), await record(6)];
  expect(first.length).toBeGreaterThan(500);
  expect(second).toEqual(first);
  expect(other).not.toEqual(first);
});

test("a host more does not change the luck of the others", async () => {
  const ports: (number | undefined)[] = [];
  const addresses: string[] = [];
  for (const extra of [false, true]) {
    const world = simulate({ seed: 9 });
    if (extra) world.host("bystander");
    const { client, server, wire } = twoHosts(world);
    server.listen({ port: 80 });
    ports.push(client.connect("server:80").local?.port);
    addresses.push(formatMac((wire.a.interface as unknown as { macAddress: Parameters<typeof formatMac>[0] }).macAddress));
    await world.close();
  }
  expect(ports[0]).toBe(ports[1]);
  expect(addresses[0]).toBe(addresses[1]);
});

describe("observing", () => {
  test("tells host and time of every event; packets of one hop follow each other by the latency", async () => {
    const world = simulate();
    const { client, server } = twoHosts(world, { wire: { medium: "ip", latency: 8 } });
    const seen: WorldEvent[] = [];
    const stop = world.observe((event) => seen.push(event));
    await world.run(async () => {
      const sink = server.udp({ port: 9 });
      await client.udp().send(new Uint8Array(5), "server:9");
      await sink.receive();
      stop();
      await client.udp().send(new Uint8Array(5), "server:9");
      await sink.receive();
    });
    expect(seen.map(({ time, host, event }) => [time, host, event.kind, (event as PacketEvent).direction])).toEqual([
      [0, "client", "packet", "out"],
      [8, "server", "packet", "in"],
    ]);
  });

  test("costs nothing while nobody listens: hosts have no observer", () => {
    const world = simulate();
    const { client, server } = twoHosts(world);
    expect(client.host.observer).toBeUndefined();
    const [first, second] = [world.observe(() => {}), world.observe(() => {})];
    first();
    expect(server.host.observer).toBeDefined();
    expect(world.host("late").host.observer).toBeDefined();
    second();
    expect([client.host.observer, world.all[2].host.observer]).toEqual([undefined, undefined]);
  });
});

test("a capture gets every packet of the interfaces that are asked for, with time and direction", async () => {
  const world = simulate();
  const { client, server } = twoHosts(world, { wire: { latency: 2 } });
  const points: string[] = [];
  const packets: [string, number, string, number][] = [];
  const stop = world.capture(({ host, interface: name, medium }) => {
    points.push(`${host} ${name} ${medium}`);
    const sink: PacketSink = {
      packet: (bytes, time, direction) => packets.push([name, time, direction, medium === "ip" ? 0 : (bytes[12] << 8) | bytes[13]]),
    };
    return host === "client" ? sink : undefined;
  });
  await world.run(async () => {
    const sink = server.udp({ port: 9 });
    const socket = client.udp();
    await socket.send(new Uint8Array(5), "server:9");
    await socket.send(new Uint8Array(5), "127.0.0.1:9");
    await sink.receive();
    stop();
    await socket.send(new Uint8Array(5), "server:9");
    await sink.receive();
  });
  expect(points.sort()).toEqual(["client eth0 ethernet", "client lo ip", "server eth0 ethernet"]);
  expect(packets).toEqual([
    ["eth0", 0, "out", 0x0806],
    // To itself, with the answer that nobody listens there.
    ["lo", 0, "out", 0],
    ["lo", 0, "in", 0],
    ["lo", 0, "out", 0],
    ["lo", 0, "in", 0],
    // The server's announcement of its own address comes before its answer.
    ["eth0", 2, "in", 0x0806],
    ["eth0", 2, "out", 0x0800],
  ]);
});
