// Routes: longest match, metric, alternatives (RFC 1812 §5.2.4.3).
import {
  formatIp,
  formatPrefix,
  type IpAddress,
  type IpPrefix,
  type Ipv4Address,
  ip,
  networkOf,
  prefix,
  prefixContains,
} from "@netstrata/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Route, RoutingTable } from "../src/index.ts";
import { RecordingInterface } from "./bench-host.ts";

const [eth0, eth1] = [new RecordingInterface("eth0"), new RecordingInterface("eth1")];

const anyPrefix: fc.Arbitrary<IpPrefix> = fc
  .record({ bits: fc.nat(7), low: fc.nat(3), length: fc.integer({ min: 0, max: 32 }) })
  .map(({ bits, low, length }) => networkOf({ address: (((bits << 29) | low) >>> 0) as Ipv4Address, length }));

test("1812-5.2.4.3-1, 1812-4.2.3.4-1: the longest of all prefixes that contain the destination, and among equals the smallest metric", () => {
  const routes = fc.array(fc.record({ prefix: anyPrefix, metric: fc.nat(3), hop: fc.nat(5) }), { maxLength: 30 });
  const destinations = fc.array(
    fc.record({ bits: fc.nat(7), low: fc.nat(7) }).map(({ bits, low }) => (((bits << 29) | low) >>> 0) as Ipv4Address),
    { minLength: 20, maxLength: 20 },
  );
  fc.assert(
    fc.property(routes, destinations, (specifications, addresses) => {
      const table = new RoutingTable();
      for (const { prefix: to, metric, hop } of specifications) {
        table.add({ prefix: to, metric, interface: eth0, nextHop: (0xc0000200 + hop) as Ipv4Address });
      }
      const model = table.list();
      for (const address of addresses) {
        const matching = model.filter((route) => prefixContains(route.prefix, address));
        const longest = Math.max(-1, ...matching.map((route) => route.prefix.length));
        const best = matching.filter((route) => route.prefix.length === longest);
        const found = table.lookup(address);
        if (best.length === 0) expect(found).toBeUndefined();
        else expect(found?.metric).toBe(Math.min(...best.map((route) => route.metric)));
        if (found !== undefined) expect(best).toContain(found);
      }
    }),
  );
});

test("both families live in one table and never meet", () => {
  const table = new RoutingTable();
  table.add({ prefix: prefix("0.0.0.0/0"), interface: eth0, nextHop: ip("192.0.2.254") });
  expect(table.lookup(ip("2001:db8::1"))).toBeUndefined();
  table.add({ prefix: prefix("2001:db8::/32"), interface: eth1 });
  table.add({ prefix: prefix("2001:db8:1::/48"), interface: eth0 });
  expect(table.lookup(ip("2001:db8::1"))?.interface).toBe(eth1);
  expect(table.lookup(ip("2001:db8:1::1"))?.interface).toBe(eth0);
  expect(table.lookup(ip("2001:db9::1"))).toBeUndefined();
  expect(() => table.add({ prefix: prefix("::/0"), interface: eth0, nextHop: ip("192.0.2.254") })).toThrow(RangeError);
});

test("a route with host bits is one to the network; the same route again replaces the first", () => {
  const table = new RoutingTable();
  table.add({ prefix: prefix("192.0.2.77/24"), interface: eth0, metric: 5 });
  table.add({ prefix: prefix("192.0.2.0/24"), interface: eth0, metric: 9 });
  expect(table.list().map((route) => [formatPrefix(route.prefix), route.metric])).toEqual([["192.0.2.0/24", 9]]);
});

test("removing gives way to the next best", () => {
  const table = new RoutingTable();
  const add = (to: string, metric = 0, through = eth0): Route => table.add({ prefix: prefix(to), interface: through, metric });
  add("0.0.0.0/0");
  add("10.0.0.0/8", 1);
  add("10.0.0.0/8", 0, eth1);
  const seen: (string | undefined)[] = [];
  for (const length of [8, 0, 99]) {
    const best = table.lookup(ip("10.1.1.1"));
    seen.push(best && `${formatPrefix(best.prefix)} ${best.interface.name}`);
    table.remove((route) => route.prefix.length === length);
  }
  expect(seen).toEqual(["10.0.0.0/8 eth1", "0.0.0.0/0 eth0", undefined]);
  expect(table.remove(() => true)).toBe(0);
});

test("a lookup can be kept to one interface, and can prefer among equals but not fall back to a shorter prefix", () => {
  const table = new RoutingTable();
  const hops = (...texts: string[]): ((route: Route) => boolean) => {
    const unwanted = texts.map(ip);
    return ({ nextHop }) => !unwanted.includes(nextHop as IpAddress);
  };
  table.add({ prefix: prefix("0.0.0.0/0"), interface: eth0, nextHop: ip("192.0.2.1") });
  table.add({ prefix: prefix("10.0.0.0/8"), interface: eth0, nextHop: ip("192.0.2.2") });
  table.add({ prefix: prefix("10.0.0.0/8"), interface: eth1, nextHop: ip("192.0.2.3"), metric: 4 });
  const hop = (accepts?: (route: Route) => boolean, through?: RecordingInterface): string =>
    formatIp(table.lookup(ip("10.9.9.9"), accepts, through)?.nextHop as IpAddress);
  expect(hop()).toBe("192.0.2.2");
  expect(hop(undefined, eth1)).toBe("192.0.2.3");
  expect(hop(hops("192.0.2.2"))).toBe("192.0.2.3");
  expect(hop(hops("192.0.2.2", "192.0.2.3"))).toBe("192.0.2.2");
});

test("each change is told, a removal of nothing is not", () => {
  let changes = 0;
  const table = new RoutingTable(() => {
    changes += 1;
  });
  table.add({ prefix: prefix("10.0.0.0/8"), interface: eth0 });
  table.remove(() => false);
  table.remove(() => true);
  expect(changes).toBe(2);
});
