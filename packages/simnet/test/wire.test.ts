// Wires of a world: time, rate, size, and what goes wrong on them.
import type { PacketBuffer } from "@netstrata/core";
import { PROTOCOL_TCP } from "@netstrata/internet";
import { describe, expect, test } from "vitest";
import { simulate, twoHosts, twoHostsTwoRouters, type WorldEvent } from "../src/index.ts";

/** Octets of TCP text in an Ethernet frame of IPv4. */
function textLength(frame: PacketBuffer): number {
  if (frame.u16(12) !== 0x0800 || frame.u8(23) !== PROTOCOL_TCP) return 0;
  const header = (frame.u8(14) & 15) * 4;
  return frame.u16(16) - header - (frame.u8(14 + header + 12) >>> 4) * 4;
}

describe("time", () => {
  test("latency counts once a direction, and may differ", async () => {
    const world = simulate();
    const { client, server } = twoHosts(world, { wire: { medium: "ip", latency: 20, bToA: { latency: 70 } } });
    await world.run(async () => {
      const echo = server.udp({ port: 7 });
      const socket = client.udp();
      await socket.send(new Uint8Array(1), "server:7");
      const request = await echo.receive();
      expect(world.now).toBe(20);
      await echo.send(request.data, request);
      await socket.receive();
      expect(world.now).toBe(90);
    });
  });

  test("a rate makes octets take their time, and the queue limit drops what is too much", async () => {
    const world = simulate();
    const { client, server } = twoHosts(world, { wire: { medium: "ip", rate: 8000, queueLimit: 3 } });
    await world.run(async () => {
      const sink = server.udp({ port: 9 });
      const socket = client.udp();
      for (let count = 0; count < 5; count += 1) await socket.send(new Uint8Array(72), "server:9");
      const times: number[] = [];
      for (let count = 0; count < 3; count += 1) {
        await sink.receive();
        times.push(world.now);
      }
      // 72 octets and 28 of headers at one octet a millisecond.
      expect(times).toEqual([100, 200, 300]);
      await world.sleep(1000);
      expect(server.layers.udp.counters.InDatagrams).toBe(3);
    });
  });

  test("an MTU smaller in the middle is found out (RFC 1191)", async () => {
    const world = simulate();
    const { client, server } = twoHostsTwoRouters(world, { core: { mtu: 600 } });
    await world.run(async () => {
      const listener = server.listen({ port: 80 });
      const socket = client.connect("server:80");
      const peer = await listener.accept();
      await socket.write(new Uint8Array(100_000));
      void socket.close();
      let length = 0;
      for await (const piece of peer) length += piece.length;
      expect(length).toBe(100_000);
    });
    expect(client.layers.internet.maxSendSize(client.hosts.resolve("server"))).toBe(580);
  });
});

describe("faults", () => {
  test("a named packet is lost, and TCP sends it again", async () => {
    const world = simulate();
    const { client, server, wire } = twoHosts(world, { wire: { latency: 5, faults: {} } });
    const events: WorldEvent[] = [];
    world.observe((event) => {
      if (event.event.kind === "fault" || event.event.kind === "retransmission") events.push(event);
    });
    wire.plan({ from: client, fault: "drop", nth: 2, matches: (packet) => textLength(packet) > 0 });
    await world.run(async () => {
      const listener = server.listen({ port: 80 });
      const socket = client.connect("server:80", { noDelay: true });
      const peer = await listener.accept();
      const received: number[] = [];
      for (const value of [1, 2, 3]) {
        await socket.write(new Uint8Array([value]));
        received.push(...((await peer.read()) as Uint8Array));
      }
      expect(received).toEqual([1, 2, 3]);
    });
    expect(events.map(({ host, event }) => [host, event.kind])).toEqual([
      ["client", "fault"],
      ["client", "retransmission"],
    ]);
    await world.close();
  });

  test("by chance, in one direction or both, changed at any time", async () => {
    const world = simulate();
    const { client, server, wire } = twoHosts(world, { wire: { medium: "ip", aToB: { faults: { drop: 1 } } } });
    await world.run(async () => {
      const [there, here] = [server.udp({ port: 9 }), client.udp({ port: 9 })];
      await here.send(new Uint8Array([1]), "server:9");
      await there.send(new Uint8Array([2]), "client:9");
      expect((await here.receive()).data).toEqual(new Uint8Array([2]));
      wire.setFaults(client, {});
      wire.setFaults(server, { duplicate: 1 });
      await here.send(new Uint8Array([3]), "server:9");
      expect((await there.receive()).data).toEqual(new Uint8Array([3]));
      await there.send(new Uint8Array([4]), "client:9");
      expect([(await here.receive()).data[0], (await here.receive()).data[0]]).toEqual([4, 4]);
    });
  });

  test("misuse throws: faults on a wire without, or from a host that is not on it", () => {
    const world = simulate();
    const { client, wire } = twoHosts(world);
    const stranger = world.host("stranger");
    const faulty = world.wire(client, stranger, { faults: {} });
    expect(() => wire.plan({ from: client, fault: "drop" })).toThrow(/without faults/);
    expect(() => wire.setFaults(stranger, {})).toThrow(/host stranger is not on this wire/);
    expect(() => faulty.plan({ from: stranger, fault: "drop" })).not.toThrow();
    expect(() => world.wire(client, stranger, { latency: -1 })).toThrow(RangeError);
    expect(() => world.wire(client, stranger, { network: "10" })).toThrow(/not an address/);
  });
});
