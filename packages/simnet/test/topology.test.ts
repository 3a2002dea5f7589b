// Building worlds: names, addresses, routes, switches.
import { formatIp, formatPrefix, ip } from "@netstrata/core";
import type { Stack } from "@netstrata/socket";
import { describe, expect, test } from "vitest";
import { lan, Network, simulate, twoHosts, twoHostsTwoRouters, type World } from "../src/index.ts";

/** Of all its interfaces; ::1, which every host has, is left out. */
const addressesOf = (stack: Stack): string[] =>
  stack.layers.internet.interfaces.flatMap((each) => each.addresses.map(formatPrefix)).filter((text) => text !== "::1/128");

/** The next hops from one host to an address, by asking each router's own routing table. */
function trace(world: World, from: Stack, to: string): string[] {
  const path: string[] = [];
  let at = from;
  for (let hops = 0; hops < 20; hops += 1) {
    if (at.layers.internet.isLocal(ip(to))) return path;
    const nextHop = at.layers.internet.routes.lookup(ip(to))?.nextHop ?? ip(to);
    const next = world.all.find((stack) => stack.layers.internet.isLocal(nextHop));
    if (next === undefined) throw new Error(`${at.name} sends to ${formatIp(nextHop)}, which is nobody`);
    path.push(next.name);
    at = next;
  }
  throw new Error(`a loop: ${path.join(" ")}`);
}

async function ping(world: World, from: Stack, to: string): Promise<boolean> {
  const [, name] = /(.*)/.exec(to) as RegExpExecArray;
  const target = world.all.find((stack) => stack.name === name) as Stack;
  return world.run(async () => {
    await using echo = target.udp({ port: 7 });
    await using socket = from.udp();
    await socket.send(new Uint8Array([1]), `${name}:7`);
    return (await echo.receive()).data[0] === 1;
  });
}

test("a host has a name, known to all, and an address on each wire", async () => {
  const world = simulate();
  const { client, server } = twoHosts(world);
  expect([addressesOf(client), addressesOf(server)]).toEqual([
    ["127.0.0.1/8", "10.0.1.1/24"],
    ["127.0.0.1/8", "10.0.1.2/24"],
  ]);
  expect(client.layers.internet.interfaces.map((each) => each.name)).toEqual(["lo", "eth0"]);
  expect(await ping(world, client, "server")).toBe(true);
  expect(world.all.map((stack) => stack.name)).toEqual(["client", "server"]);
  expect(() => world.host("client")).toThrow(/a host client already/);
  expect(() => simulate().wire(client, server)).toThrow(/host client is not of this world/);
});

test("a network that is given out lies in none that was chosen", async () => {
  const world = simulate();
  const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => world.router(name));
  world.wire(a, b, { network: "10.0.2.0/23" });
  world.wire(b, c);
  world.wire(c, d);
  expect(addressesOf(c)).toEqual(["127.0.0.1/8", "10.0.4.2/24", "10.0.5.1/24"]);
  expect(await ping(world, a, "d")).toBe(true);
  world.wire(a, d, { network: "10.0.0.0/8" });
  expect(() => world.wire(a, c)).toThrow(/no network in 10.0.0.0\/8 is free/);
});

test("a wire to a host of another world changes nothing in this one", () => {
  const world = simulate();
  const here = world.host("here");
  expect(() => world.wire(here, simulate().host("there"))).toThrow(/host there is not of this world/);
  expect(addressesOf(here)).toEqual(["127.0.0.1/8"]);
});

test("networks, addresses and names can be chosen", () => {
  const world = simulate();
  const [a, b, c] = ["a", "b", "c"].map((name) => world.host(name));
  world.wire(a, b, { network: "192.168.7.0/30", names: ["up", "down"] });
  world.wire(b, c, { addresses: ["172.16.0.9/16", "172.16.3.4/16"], medium: "ip" });
  expect(addressesOf(b)).toEqual(["127.0.0.1/8", "192.168.7.2/30", "172.16.0.9/16"]);
  expect(b.layers.internet.interfaces.map((each) => each.name)).toEqual(["lo", "down", "eth1"]);
  world.computeRoutes();
  // b does not forward, so nothing beyond it is reachable.
  expect(a.layers.internet.routes.lookup(ip("172.16.3.4"))).toBeUndefined();
});

describe("addresses of a network", () => {
  test("are given out one after the other, around those that were chosen, until it is full", () => {
    const world = simulate();
    const hub = world.switch({ network: "10.0.0.0/29" });
    const hosts = Array.from({ length: 6 }, (_, index) => world.host(`h${index}`));
    hub.attach(hosts[0], { address: "10.0.0.2/29" });
    for (const host of hosts.slice(1)) hub.attach(host);
    expect(hosts.map((host) => addressesOf(host)[1])).toEqual(
      ["10.0.0.2", "10.0.0.1", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"].map((each) => `${each}/29`),
    );
    expect(() => hub.attach(world.host("late"))).toThrow(/network 10.0.0.0\/29 is full: it has 6 members/);
  });

  test("a /31 has two (RFC 3021), and so has a /127 (RFC 6164); the first of a /64 is ::1, as ::0 is every router (RFC 4291 §2.6.1)", () => {
    const network = new Network("10.0.0.0/31");
    expect([network.nextAddress(), network.nextAddress()]).toEqual(["10.0.0.0/31", "10.0.0.1/31"]);
    expect(() => network.nextAddress()).toThrow(/full/);
    const line = new Network("2001:db8::2/127");
    expect([line.nextAddress(), line.nextAddress()]).toEqual(["2001:db8::2/127", "2001:db8::3/127"]);
    expect(() => line.nextAddress()).toThrow(/full/);
    expect(new Network("2001:db8::/64").nextAddress()).toBe("2001:db8::1/64");
  });
});

describe("routes", () => {
  test("through two routers and back", async () => {
    const world = simulate();
    const { client, server, routers } = twoHostsTwoRouters(world);
    expect(await ping(world, client, "server")).toBe(true);
    expect(trace(world, client, "10.0.3.2")).toEqual(["left", "right", "server"]);
    expect(trace(world, server, "10.0.1.1")).toEqual(["right", "left", "client"]);
    expect(trace(world, routers[0], "10.0.3.2")).toEqual(["right", "server"]);
  });

  test("are the shortest in a ring of six routers", () => {
    const world = simulate();
    const ring = Array.from({ length: 6 }, (_, index) => world.router(`r${index}`));
    for (const [index, router] of ring.entries()) world.wire(router, ring[(index + 1) % 6]);
    world.computeRoutes();
    for (let from = 0; from < 6; from += 1) {
      for (let to = 0; to < 6; to += 1) {
        const steps = Math.min((to - from + 6) % 6, (from - to + 6) % 6);
        const nearest = Math.min(
          ...ring[to].layers.internet.interfaces
            .slice(1)
            .map(({ addresses }) => trace(world, ring[from], formatIp(addresses[0].address)).length),
        );
        expect([from, to, nearest]).toEqual([from, to, steps]);
      }
    }
  });

  test("of the user go before; they stay when the world grows", () => {
    const world = simulate();
    const host = world.host("host");
    const [near, far] = [world.router("near"), world.router("far")];
    const target = world.host("target");
    world.wire(host, near);
    world.wire(host, far);
    world.wire(near, target);
    world.wire(far, near);
    host.addRoute({ to: "10.0.3.0/24", via: "10.0.2.2" });
    world.computeRoutes();
    expect(trace(world, host, "10.0.3.2")).toEqual(["far", "near", "target"]);
    world.wire(far, target);
    world.computeRoutes();
    expect(trace(world, host, "10.0.3.2")).toEqual(["far", "near", "target"]);
    expect(host.layers.internet.routes.list().filter((route) => formatPrefix(route.prefix) === "10.0.3.0/24")).toHaveLength(2);
  });

  test("change with the world: a new wire shortens the way at the next run", async () => {
    const world = simulate();
    const { client, server } = twoHostsTwoRouters(world);
    await world.run(async () => {});
    expect(trace(world, client, "10.0.3.2")).toHaveLength(3);
    const shortcut = world.router("shortcut");
    world.wire(client, shortcut);
    world.wire(shortcut, server);
    await world.run(async () => {});
    expect(trace(world, client, "10.0.5.2")).toEqual(["shortcut", "server"]);
  });
});

describe("a LAN", () => {
  test("everybody reaches everybody, and a broadcast reaches all", async () => {
    const world = simulate();
    const { hosts, switch: hub } = lan(world, 5);
    await world.run(async () => {
      const sinks = hosts.map((host) => host.udp({ port: 9 }));
      const sender = hosts[0].udp({ broadcast: true });
      for (const [index, host] of hosts.entries()) await sender.send(new Uint8Array([index]), `${host.name}:9`);
      for (const [index, sink] of sinks.entries()) expect((await sink.receive()).data[0]).toBe(index);
      await sender.send(new Uint8Array([99]), "10.0.1.255:9");
      for (const sink of sinks.slice(1)) expect((await sink.receive()).data[0]).toBe(99);
    });
    expect(hub.device.size).toBe(5);
  });

  test("two of them with a router between", async () => {
    const world = simulate();
    const left = lan(world, 2, { prefix: "left" });
    const right = lan(world, 2, { prefix: "right" });
    const router = world.router("router");
    left.switch.attach(router);
    right.switch.attach(router);
    expect(await ping(world, left.hosts[1], "right2")).toBe(true);
    expect(trace(world, left.hosts[0], "10.0.2.1")).toEqual(["router", "right1"]);
  });
});
