// IPv6 over Ethernet: neighbours, addresses and routers find each other (RFC 4861, RFC 4862, RFC 3810).
import { formatIp, type IpAddress, isIpv6, isLinkLocal } from "@netstrata/core";
import type { NeighbourDiscovery } from "@netstrata/internet";
import type { Stack } from "@netstrata/socket";
import { expect, test } from "vitest";
import { lan, SimulatedWorld, twoHosts } from "../src/index.ts";

const network = "2001:db8:1::/64";

function discoveryOf(stack: Stack): NeighbourDiscovery {
  const { internet } = stack.layers;
  const found = internet.discovery(internet.interfaces[1]);
  if (found === undefined) throw new Error(`${stack.name} speaks no IPv6 on ${internet.interfaces[1].name}`);
  return found;
}

function ipv6Of(stack: Stack): string[] {
  const addresses = stack.layers.internet.interfaces[1].addresses.map(({ address }) => address).filter(isIpv6);
  return addresses.map(formatIp);
}

async function connects(client: Stack, server: Stack, to: string): Promise<boolean> {
  await using listener = server.listen({ port: 80 });
  const socket = client.connect({ hostname: to, port: 80 });
  const opened = await socket.opened.then(
    () => true,
    () => false,
  );
  socket.abort();
  void listener;
  return opened;
}

test("RFC 4861 §7.2: two hosts find each other at once, and TCP's progress keeps them sure of it", async () => {
  await using world = new SimulatedWorld({ seed: 1 });
  const { client, server } = twoHosts(world, { wire: { network, latency: 1 } });
  await world.run(async () => {
    const began = world.now;
    expect(await connects(client, server, "2001:db8:1::2")).toBe(true);
    expect(world.now - began).toBeLessThan(10);
  });
  const { cache } = discoveryOf(client);
  expect(cache.addresses().map(formatIp)).toEqual(["2001:db8:1::2"]);
  expect(cache.get(cache.addresses()[0])?.state).toBe("REACHABLE");
});

test("RFC 4862 §5.3, RFC 7217 §5: each interface gets a link-local address of its own, and hosts speak by it", async () => {
  await using world = new SimulatedWorld({ seed: 2 });
  const { hosts } = lan(world, 3, { network });
  await world.advance(3000);
  const linkLocal = hosts.map((host) => ipv6Of(host).find((text) => text.startsWith("fe80::")) as string);
  expect(new Set(linkLocal).size).toBe(3);
  await world.run(async () => expect(await connects(hosts[0], hosts[2], linkLocal[2])).toBe(true));
});

test("RFC 4862 §5.4: an address that somebody has is given up, and whoever has it keeps it", async () => {
  await using world = new SimulatedWorld({ seed: 3 });
  const { switch: center, hosts } = lan(world, 2, { network });
  await world.advance(3000);
  const late = world.host("late");
  center.attach(late, { address: "2001:db8:1::2/64" });
  expect(ipv6Of(late)).toContain("2001:db8:1::2");
  await world.advance(3000);
  expect(ipv6Of(late)).not.toContain("2001:db8:1::2");
  expect(ipv6Of(hosts[1])).toContain("2001:db8:1::2");
  expect(discoveryOf(late).drops.counters["address-conflict"]).toBe(1);
  await world.run(async () => expect(await connects(hosts[0], hosts[1], "2001:db8:1::2")).toBe(true));
});

test("RFC 4861 §7.2.2: nobody there: three questions, then the sender is told", async () => {
  await using world = new SimulatedWorld({ seed: 4 });
  const { client } = twoHosts(world, { wire: { network } });
  await world.run(async () => {
    await expect(client.connect("[2001:db8:1::99]:80").opened).rejects.toMatchObject({ code: "EHOSTUNREACH" });
    expect(world.now).toBeCloseTo(3000, -2);
  });
  expect(discoveryOf(client).cache.counters.solicited).toBe(3);
});

/** A router that advertises itself on a switch, with a server behind it, and a host that only listens to it. */
function routed(world: SimulatedWorld) {
  const router = world.router("router");
  const server = world.host("server");
  const host = world.host("host");
  const center = world.switch({ network });
  center.attach(router, {
    address: "2001:db8:1::1/64",
    ipv6: { advertise: { interval: 30, lifetime: 90, validLifetime: 200, preferredLifetime: 100 } },
  });
  const link = center.attach(host, { address: [], ipv6: { autoconfigure: true } });
  world.wire(router, server, { network: "2001:db8:2::/64" });
  return { router, server, host, link, center };
}

test("RFC 4862 §5.5, RFC 4861 §6.3: a host gets address and router from an advertisement, and reaches what lies behind", async () => {
  await using world = new SimulatedWorld({ seed: 5 });
  const { host, server } = routed(world);
  await world.advance(8000);
  const [linkLocal, global, ...others] = ipv6Of(host).sort().reverse();
  expect([linkLocal.slice(0, 6), global.slice(0, 13), others]).toEqual(["fe80::", "2001:db8:1:0:", []]);
  const routes = host.layers.internet.routes.list().filter(({ origin }) => origin === "advertised");
  expect(
    routes.map(({ prefix, nextHop }) => [formatIp(prefix.address), prefix.length, nextHop !== undefined && isLinkLocal(nextHop)]),
  ).toEqual([
    ["2001:db8:1::", 64, false],
    ["::", 0, true],
  ]);
  await world.run(async () => expect(await connects(host, server, "2001:db8:2::2")).toBe(true));
});

test("RFC 4862 §5.5.4, RFC 4861 §6.3.5: what is not advertised again is deprecated, then gone, with the routes", async () => {
  await using world = new SimulatedWorld({ seed: 6 });
  const { host, router, link } = routed(world);
  await world.advance(8000);
  const global = link.addresses.map(({ address }) => address).find((address) => !isLinkLocal(address)) as IpAddress;
  await router.close();
  await world.advance(1000);
  // The router has said that it ceases (RFC 4861 §6.2.5).
  const defaults = () => host.layers.internet.routes.list().filter(({ prefix }) => prefix.length === 0).length;
  expect(defaults()).toBe(0);
  await world.advance(110_000);
  expect(ipv6Of(host)).toContain(formatIp(global));
  await world.advance(100_000);
  expect(ipv6Of(host)).not.toContain(formatIp(global));
  expect(host.layers.internet.routes.list().filter(({ origin }) => origin === "advertised")).toEqual([]);
});

test("RFC 4861 §6.2: a router advertises a few times soon, then seldom, and when somebody new asks", async () => {
  await using world = new SimulatedWorld({ seed: 7 });
  const { router, host, center } = routed(world);
  await world.advance(600_000);
  const { counters } = router.layers.internet.icmpv6;
  const before = counters.OutRouterAdvertisements;
  expect(before).toBeGreaterThanOrEqual(20);
  expect(before).toBeLessThanOrEqual(65);
  expect(host.layers.internet.icmpv6.counters.InRouterAdvertisements).toBe(before);
  expect(ipv6Of(host)).toHaveLength(2);
  const asked = counters.InRouterSolicits;
  const late = world.host("late");
  center.attach(late, { address: [], ipv6: { autoconfigure: true } });
  await world.advance(8000);
  expect(counters.InRouterSolicits).toBe(asked + 1);
  expect(ipv6Of(late)).toHaveLength(2);
});

test("nothing is left when a world with IPv6 ends: no timer", async () => {
  const world = new SimulatedWorld({ seed: 8 });
  routed(world);
  await world.advance(8000);
  await world.close();
  expect(world.clock.armedTimers).toBe(0);
});
