// A router for IPv6 (RFC 8200 §3, RFC 4443 §3).
import { formatIp, ip, prefix } from "@netstrata/core";
import { expect, test } from "vitest";
import { octets } from "./bench-host.ts";
import { datagramV6, Ipv6Bench, icmpv6Of } from "./ipv6-bench.ts";

function router() {
  const bench = new Ipv6Bench({ forwarding: true });
  return { bench, far: bench.addV6Link("eth1", "2001:db8:2::1/64", 1280) };
}

test("RFC 8200 §3: a datagram goes on with its hop limit less by one and every other octet as it was", () => {
  const { bench, far } = router();
  const packet = datagramV6({ destination: "2001:db8:2::9", flowLabel: 0x12345, trafficClass: 0xb8, timeToLive: 2 });
  bench.eth.deliver(packet.slice());
  const [sent] = far.takeV6();
  packet.setU8(7, 1);
  expect([sent.bytes, sent.nextHop]).toEqual([packet.slice(), "2001:db8:2::9"]);
  expect(bench.layer.ipv6.counters.OutForwDatagrams).toBe(1);
});

test("a host that is no router drops it in silence", () => {
  const { bench, far } = router();
  bench.layer.forwarding = false;
  bench.eth.deliver(datagramV6({ destination: "2001:db8:2::9" }));
  expect(bench.takeDrops()).toEqual(["not-for-us"]);
  expect(far.takeV6()).toEqual([]);
});

test.each([
  ["RFC 4443 §3.3: the hop limit is used up", { timeToLive: 1 }, 16, { type: 3, code: 0, rest: 0 }],
  ["RFC 4443 §3.1: no route", { destination: "2001:db8:77::1" }, 16, { type: 1, code: 0, rest: 0 }],
  ["RFC 4443 §3.1: beyond the scope of the source address", { source: "fe80::2" }, 16, undefined],
  ["RFC 4443 §3.2: larger than the next link", {}, 1241, { type: 2, code: 0, rest: 1280 }],
])("%s", (_, fields, length, expected) => {
  const { bench, far } = router();
  bench.layer.routes.add({ prefix: prefix("fe80::/64"), interface: bench.eth });
  bench.eth.deliver(datagramV6({ destination: "2001:db8:2::9", ...fields }, octets(length)));
  expect(far.takeV6()).toEqual([]);
  const [sent] = bench.eth.takeV6();
  expect(icmpv6Of(sent)).toMatchObject(expected ?? { type: 1, code: 2 });
  expect(formatIp(sent.header.source)).toBe("2001:db8::1");
});

test("RFC 8200 §5: a router never fragments; what just fits goes on", () => {
  const { bench, far } = router();
  bench.eth.deliver(datagramV6({ destination: "2001:db8:2::9" }, octets(1240)));
  expect(far.takeV6()).toHaveLength(1);
});

test("RFC 4291 §2.5.6: nothing leaves a link that is addressed to it, nor what has no source", () => {
  const { bench, far } = router();
  bench.eth.deliver(datagramV6({ destination: "fe80::77" }));
  bench.eth.deliver(datagramV6({ destination: "::1" }));
  expect(bench.takeDrops()).toEqual(["beyond-scope", "martian-destination"]);
  expect([...far.takeV6(), ...bench.eth.takeV6()]).toEqual([]);
});

test("RFC 4443 §3.1: a next hop that does not answer: code 3, to the sender or to our own transport", () => {
  const { bench, far } = router();
  const packet = datagramV6({ destination: "2001:db8:2::9" });
  bench.layer.unresolved(packet, far, ip("2001:db8:2::9"));
  expect(icmpv6Of(bench.eth.takeV6()[0])).toMatchObject({ type: 1, code: 3 });
  bench.layer.unresolved(datagramV6({ source: "2001:db8::1", destination: "2001:db8:2::9" }), far, ip("2001:db8:2::9"));
  expect(bench.udp.errors).toMatchObject([{ error: { kind: "host-unreachable" } }]);
});
