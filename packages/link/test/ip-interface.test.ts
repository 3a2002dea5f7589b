import { type IpAddress, ip, type PacketEvent, prefix, SeededRandom, type StackEvent, VirtualClock } from "@netstrata/core";
import { createWire, IpInterface, LoopbackDevice } from "@netstrata/link";
import { expect, test } from "vitest";
import { samplePacket } from "./link-device-compliance.ts";

function bench(mtu?: number) {
  const clock = new VirtualClock();
  const events: StackEvent[] = [];
  const host = {
    name: "host",
    clock,
    random: new SeededRandom(1),
    observer: { observe: (event: StackEvent) => void events.push(event) },
  };
  const { a, b: far } = createWire(clock, { medium: "ip", names: ["tun0", "far"] });
  const arrived: number[] = [];
  far.attach({ receive: (packet) => void arrived.push(packet.length) });
  const received: [string, number][] = [];
  const unresolved: IpAddress[] = [];
  const created = new IpInterface(host, a, { mtu });
  created.attach({
    receive: (datagram, _from, cast) => void received.push([cast, datagram.length]),
    unresolved: (_datagram, _via, nextHop) => void unresolved.push(nextHop),
  });
  return { clock, host, far, interface: created, arrived, received, unresolved, events };
}

test("what is sent reaches the other end, whatever its next hop; nobody is asked for anything", () => {
  const { clock, interface: tunnel, arrived } = bench();
  tunnel.addAddress(prefix("10.0.0.1/24"));
  for (const nextHop of ["10.0.0.2", "192.0.2.1", "255.255.255.255", "fe80::1"]) tunnel.send(samplePacket("ip", 60), ip(nextHop));
  tunnel.confirm(ip("10.0.0.2"));
  clock.runUntilIdle();
  expect(arrived).toEqual([60, 60, 60, 60]);
  expect([tunnel.name, tunnel.headroom, tunnel.resolvesNeighbours]).toEqual(["tun0", 0, false]);
});

test("what arrives comes up as unicast: there is no frame that could say otherwise", () => {
  const { clock, far, received } = bench();
  far.transmit(samplePacket("ip", 60));
  clock.runUntilIdle();
  expect(received).toEqual([["unicast", 60]]);
});

test("an observer sees each datagram in both directions", () => {
  const { clock, interface: tunnel, far, events } = bench();
  tunnel.send(samplePacket("ip", 60), ip("10.0.0.2"));
  far.transmit(samplePacket("ip", 80));
  clock.runUntilIdle();
  const seen = events.map((event) => event as PacketEvent).map(({ direction, interface: name }) => [direction, name]);
  expect(seen).toEqual([
    ["out", "tun0"],
    ["in", "tun0"],
  ]);
});

test("what is longer than the interface's own MTU is lost and counted", () => {
  const { interface: tunnel } = bench(576);
  tunnel.send(samplePacket("ip", 577), ip("10.0.0.2"));
  expect(tunnel.drops.counters["too-long"]).toBe(1);
});

test("what comes before anybody is attached is lost and counted", () => {
  const clock = new VirtualClock();
  const loopback = new IpInterface({ name: "host", clock, random: new SeededRandom(1) }, new LoopbackDevice(clock));
  loopback.send(samplePacket("ip", 60), ip("127.0.0.1"));
  clock.runUntilIdle();
  expect(loopback.drops.counters["no-receiver"]).toBe(1);
});

test("closed, it sends and receives nothing", () => {
  const { clock, interface: tunnel, far, arrived, received } = bench();
  tunnel.close();
  tunnel.send(samplePacket("ip", 60), ip("10.0.0.2"));
  far.transmit(samplePacket("ip", 60));
  clock.runUntilIdle();
  expect([arrived, received]).toEqual([[], []]);
  expect(tunnel.drops.counters.closed).toBe(1);
});

test("misuse throws: a device that carries frames", () => {
  const { clock, host } = bench();
  expect(() => new IpInterface(host, createWire(clock).a)).toThrow(TypeError);
});
