// Router advertisements as a host takes them (RFC 4861 §6.3, RFC 4862 §5.5, RFC 4191, RFC 8106).
import { formatIp, formatPrefix, ip } from "@netstrata/core";
import { describe, expect, test } from "vitest";
import { DiscoveryBench, octetsOf, prefixOption, type RouterFields, routerAdvertisement, word } from "./discovery-bench.ts";

function host(): DiscoveryBench {
  return new DiscoveryBench({ autoconfigure: true });
}

function hear(bench: DiscoveryBench, fields: RouterFields = {}): void {
  bench.eth.deliver(routerAdvertisement(fields), "multicast");
}

function advertisedRoutes(bench: DiscoveryBench): string[] {
  const routes = bench.layer.routes.list().filter(({ origin }) => origin === "advertised");
  return routes
    .map(({ prefix, nextHop, metric }) => `${formatPrefix(prefix)} ${nextHop === undefined ? "on link" : formatIp(nextHop)} ${metric}`)
    .sort();
}

/** The autoconfigured addresses; a second later, when they are known to be ours. */
function configured(bench: DiscoveryBench): string[] {
  bench.clock.advance(2500);
  return bench.addresses.filter((text) => !text.startsWith("fe80") && text !== "2001:db8::1");
}

describe("RFC 4861 §6.1.2: what is not believed", () => {
  test.each<[string, RouterFields]>([
    ["hop limit 254", { timeToLive: 254 }],
    ["a source that is not link-local", { source: "2001:db8::9" }],
    ["an option of length 0", { options: [3, 0, 0, 0, 0, 0, 0, 0] }],
  ])("%s", (_, fields) => {
    const bench = host();
    hear(bench, fields);
    expect(bench.takeDrops()).toEqual(["not-credible"]);
    expect(advertisedRoutes(bench)).toEqual([]);
  });

  test("a host that was not told to, and a router, take nothing", () => {
    for (const bench of [new DiscoveryBench(), new DiscoveryBench({ autoconfigure: true }, { forwarding: true })]) {
      hear(bench, { options: prefixOption("2001:db8:9::", 7200, 3600) });
      expect(bench.takeDrops()).toEqual(["router-ignored"]);
      expect([advertisedRoutes(bench), configured(bench)]).toEqual([[], []]);
    }
  });
});

test("RFC 4861 §6.3.4, RFC 4191 §3.1: default routers by preference; lifetime 0 and the passing of time take them away", () => {
  const bench = host();
  hear(bench);
  hear(bench, { source: "fe80::a", preference: 1, lifetime: 100 });
  hear(bench, { source: "fe80::b", preference: 3, lifetime: 100 });
  expect(advertisedRoutes(bench)).toEqual(["::/0 fe80::9 1024", "::/0 fe80::a 1023", "::/0 fe80::b 1025"]);
  expect(bench.layer.routes.lookup(ip("2606::1"))?.nextHop).toBe(ip("fe80::a"));
  bench.clock.advance(100_000);
  expect(advertisedRoutes(bench)).toEqual(["::/0 fe80::9 1024"]);
  hear(bench, { lifetime: 0 });
  expect(advertisedRoutes(bench)).toEqual([]);
});

test("RFC 4191 §2.3, RFC 8106 §5.1: more specific routes and DNS servers", () => {
  const bench = host();
  const route = [24, 2, 48, 0b01000, ...word(600), ...octetsOf("2001:db8:77::").slice(0, 8)];
  const servers = [25, 5, 0, 0, ...word(300), ...octetsOf("2001:db8::53"), ...octetsOf("2001:db8::54")];
  hear(bench, { lifetime: 0, options: [...route, ...servers] });
  expect(advertisedRoutes(bench)).toEqual(["2001:db8:77::/48 fe80::9 1023"]);
  expect(bench.discovery.dnsServers.map(formatIp)).toEqual(["2001:db8::53", "2001:db8::54"]);
  bench.clock.advance(300_000);
  expect(bench.discovery.dnsServers).toEqual([]);
});

describe("RFC 4862 §5.5.3", () => {
  test.each<[string, number[]]>([
    ["(a) without the autonomous flag", prefixOption("2001:db8:9::", 7200, 3600, 64, 0x80)],
    ["(b) for the link-local prefix", prefixOption("fe80::", 7200, 3600)],
    ["(c) preferred longer than valid", prefixOption("2001:db8:9::", 3600, 7200)],
    ["(d) of another length than 64", prefixOption("2001:db8:9::", 7200, 3600, 48)],
    ["(d) with a valid lifetime of 0", prefixOption("2001:db8:9::", 0, 0)],
  ])("%s: no address", (_, options) => {
    const bench = host();
    hear(bench, { options });
    expect(configured(bench)).toEqual([]);
  });

  test("(d) one address for each prefix, whose last half tells nobody the hardware address (RFC 7217)", () => {
    const bench = host();
    hear(bench, { options: [...prefixOption("2001:db8:9::", 7200, 3600), ...prefixOption("2001:db8:a::", 7200, 3600)] });
    hear(bench, { options: prefixOption("2001:db8:9::", 7200, 3600) });
    const [a, b, ...others] = configured(bench);
    expect([a.slice(0, 11), b.slice(0, 11), others]).toEqual(["2001:db8:9:", "2001:db8:a:", []]);
    expect(octetsOf(a).slice(8)).not.toEqual(octetsOf(b).slice(8));
  });

  test("(e) nobody shortens a lifetime to less than two hours, but the preferred one at once", () => {
    const bench = host();
    hear(bench, { options: prefixOption("2001:db8:9::", 100_000, 50_000) });
    const [address] = configured(bench);
    expect(bench.layer.sourceFor(ip("2001:db8:9::99"))).toBe(ip(address));
    hear(bench, { options: prefixOption("2001:db8:9::", 1, 0) });
    // Deprecated (§5.5.4): the other address is chosen, where one is.
    expect(bench.layer.sourceFor(ip("2001:db8:9::99"))).toBe(ip("2001:db8::1"));
    bench.clock.advance(7_190_000);
    expect(bench.addresses).toContain(address);
    bench.clock.advance(20_000);
    expect(bench.addresses).not.toContain(address);
  });
});

test("a flood of advertisements stays within its limits: 32 routes, 16 addresses, 8 servers", () => {
  const bench = host();
  for (let number = 1; number <= 2000; number += 1) {
    const network = `2001:db8:${number.toString(16)}::`;
    const servers = [25, 3, 0, 0, ...word(300), ...octetsOf(`2001:db8:${number.toString(16)}::53`)];
    hear(bench, { source: `fe80::${number.toString(16)}`, options: [...prefixOption(network, 7200, 3600), ...servers] });
  }
  expect(advertisedRoutes(bench)).toHaveLength(32);
  expect(configured(bench)).toHaveLength(16);
  expect(bench.discovery.dnsServers).toHaveLength(8);
  expect(bench.discovery.cache.size).toBeLessThanOrEqual(1024);
  bench.clock.advance(8_000_000);
  expect([advertisedRoutes(bench), configured(bench)]).toEqual([[], []]);
});
