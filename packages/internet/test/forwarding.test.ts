// A host as a router (RFC 1812 §5): what passes, what does not, and who is told.
import { ip, prefix, updateChecksum } from "@netstrata/core";
import { expect, test } from "vitest";
import { Bench, type DatagramFields, datagram, icmp, icmpOf, octets, type RecordingInterface } from "./bench-host.ts";

/** eth0 is 192.0.2.1/24, eth1 198.51.100.1/24; behind 198.51.100.2 lies 203.0.113.0/24. */
function router(mtu?: number): { readonly bench: Bench; readonly out: RecordingInterface } {
  const bench = new Bench({ forwarding: true });
  const out = bench.addLink("eth1", "198.51.100.1/24", mtu);
  bench.layer.routes.add({ prefix: prefix("203.0.113.0/24"), interface: out, nextHop: ip("198.51.100.2") });
  return { bench, out };
}

function passing(fields: DatagramFields = {}, length = 100): ReturnType<typeof datagram> {
  return datagram({ destination: "203.0.113.9", ...fields }, octets(length));
}

test("1122-3.1-5, 1122-3.1-6, 1122-3.1-7: forwarding has a switch, which two interfaces do not turn on", () => {
  const bench = new Bench();
  const out = bench.addLink("eth1", "198.51.100.1/24");
  const packet = datagram({ destination: "198.51.100.9" });
  bench.link.deliver(packet);
  expect(bench.takeDrops()).toEqual(["not-for-us"]);
  bench.layer.forwarding = true;
  bench.link.deliver(packet);
  expect(out.take()).toHaveLength(1);
  bench.layer.forwarding = false;
  bench.link.deliver(packet);
  expect([...out.take(), ...bench.link.take()]).toEqual([]);
});

test("1812-5.3.1-1: a datagram goes on to its next hop with one TTL less and nothing else changed", () => {
  const { bench, out } = router();
  const before = passing({ trafficClass: 0xff, identification: 0xabcd, dontFragment: true, timeToLive: 2 });
  bench.link.deliver(before);
  const [{ bytes, nextHop, header }] = out.take();
  expect([header.timeToLive, nextHop]).toEqual([1, "198.51.100.2"]);
  const expected = before.slice();
  expected[8] -= 1;
  expected.set(bytes.slice(10, 12), 10);
  expect(bytes).toEqual(expected);
  expect(bench.layer.ipv4.counters).toMatchObject({ InReceives: 1, ForwDatagrams: 1, InDelivers: 0, OutRequests: 0 });
});

test("RFC 1624: the checksum is right after every possible TTL step", () => {
  const { bench, out } = router();
  for (let timeToLive = 2; timeToLive < 256; timeToLive += 1) {
    for (const identification of [0, 1, 0x7fff, 0xffff]) bench.link.deliver(passing({ timeToLive, identification }, 1));
  }
  // The recording interface refuses a wrong checksum.
  expect(out.take()).toHaveLength(254 * 4);
});

test("1812-5.2.4.3-1: the longest match decides, the destination field and not a source route's end (1812-5.2.4.1-1)", () => {
  const { bench, out } = router();
  bench.layer.routes.add({ prefix: prefix("203.0.113.128/25"), interface: out, nextHop: ip("198.51.100.3") });
  bench.layer.routes.add({ prefix: prefix("203.0.113.129/32"), interface: out, nextHop: ip("198.51.100.4") });
  for (const destination of ["203.0.113.1", "203.0.113.128", "203.0.113.129", "198.51.100.77"])
    bench.link.deliver(passing({ destination }));
  expect(out.take().map(({ nextHop }) => nextHop)).toEqual(["198.51.100.2", "198.51.100.3", "198.51.100.4", "198.51.100.77"]);
});

test("1812-5.2.7.3-1: the last TTL is answered with time exceeded, code 0", () => {
  const { bench, out } = router();
  for (const timeToLive of [1, 0]) {
    const packet = passing({ timeToLive });
    bench.link.deliver(packet);
    expect(bench.takeDrops()).toEqual(["time-exceeded"]);
    expect(icmpOf(bench.link.take()[0])).toMatchObject({ type: 11, code: 0, body: packet.slice() });
  }
  expect(out.take()).toEqual([]);
});

test("1812-5.3.1-2, 1812-4.2.2.9-1: a TTL of 2 passes, and never leaves as 0", () => {
  const { bench, out } = router();
  bench.link.deliver(passing({ timeToLive: 2 }));
  expect(out.take()[0].header.timeToLive).toBe(1);
});

test("1812-4.3.3.1-1, 1812-5.2.7.1-1, 1812-5.2.4.3-2: no route is a network unreachable", () => {
  const { bench } = router();
  bench.link.deliver(passing({ destination: "8.8.8.8" }));
  expect(bench.takeDrops()).toEqual(["no-route"]);
  expect(icmpOf(bench.link.take()[0])).toMatchObject({ type: 3, code: 0 });
});

test("1812-5.2.7.1-1, 1812-3.3.2-2: a neighbour that does not answer is a host unreachable, when the link gives up", () => {
  const { bench, out } = router();
  const packet = passing({ destination: "198.51.100.77" });
  bench.link.deliver(packet);
  expect(bench.link.take()).toEqual([]);
  out.receiver?.unresolved(packet, out, ip("198.51.100.77"));
  expect(icmpOf(bench.link.take()[0])).toMatchObject({ type: 3, code: 1 });
});

test("1812-4.3.2.4-1, 1812-4.3.2.5-1: a router's error leaves from the address of its interface, with precedence 6", () => {
  const { bench } = router();
  bench.link.deliver(passing({ timeToLive: 1 }));
  expect(bench.link.take()).toMatchObject([{ header: { source: ip("192.0.2.1"), trafficClass: 0xc0 } }]);
});

test("1812-5.2.7.1-2: too long and not to be cut: code 4 with the MTU of the next hop", () => {
  const { bench, out } = router(1000);
  bench.link.deliver(passing({ dontFragment: true }, 981));
  expect(bench.takeDrops()).toEqual(["fragmentation-needed"]);
  expect(icmpOf(bench.link.take()[0])).toMatchObject({ type: 3, code: 4, rest: 1000 });
  bench.link.deliver(passing({ dontFragment: true }, 980));
  expect(out.take()).toHaveLength(1);
});

test("1812-5.2.6-1: fragments are forwarded, and cut again, without being put together", () => {
  const { bench, out } = router(500);
  bench.link.deliver(passing({ fragmentOffset: 1600, moreFragments: true }, 800));
  expect(out.take()).toMatchObject([
    { header: { fragmentOffset: 1600, moreFragments: true, timeToLive: 63 } },
    { header: { fragmentOffset: 2080, moreFragments: true, timeToLive: 63 } },
  ]);
  expect(bench.layer.ipv4.reassembler.size).toBe(0);
  expect(bench.layer.ipv4.counters).toMatchObject({ FragOKs: 1, FragCreates: 2, ForwDatagrams: 1 });
});

test("1812-5.2.5-1: the reserved flag passes unchanged", () => {
  const { bench, out } = router();
  const packet = passing();
  packet.setU16(6, 0x8000);
  packet.setU16(10, updateChecksum(packet.u16(10), 0, 0x8000));
  bench.link.deliver(packet);
  expect(out.take()[0].bytes[6]).toBe(0x80);
});

test("1812-5.3.4-1: what came as a link broadcast or multicast is not forwarded", () => {
  const { bench, out } = router();
  bench.link.deliver(passing(), "broadcast");
  bench.link.deliver(passing(), "multicast");
  expect(bench.takeDrops()).toEqual(["unicast-in-link-broadcast", "unicast-in-link-broadcast"]);
  expect([...out.take(), ...bench.link.take()]).toEqual([]);
});

test("RFC 3927 §7: link-local addresses stay on their link", () => {
  const { bench, out } = router();
  bench.layer.routes.add({ prefix: prefix("0.0.0.0/0"), interface: out, nextHop: ip("198.51.100.2") });
  for (const fields of [{ source: "169.254.1.1" }, { destination: "169.254.255.255" }]) {
    bench.link.deliver(passing(fields));
    expect(bench.takeDrops()).toEqual(["link-local"]);
  }
  bench.link.deliver(passing({ source: "169.253.1.1", destination: "169.255.0.1" }));
  expect([out.take().length, bench.link.take().length]).toEqual([1, 0]);
});

test("a fragment that ends beyond the longest datagram is not cut into fragments of another", () => {
  const { bench, out } = router(576);
  bench.link.deliver(passing({ fragmentOffset: 65528, identification: 7 }, 700));
  expect(bench.takeDrops()).toEqual(["oversize-fragment"]);
  expect(out.take()).toEqual([]);
  // The very end of the longest datagram passes.
  bench.link.deliver(passing({ fragmentOffset: 64808 }, 707));
  expect(out.take().map(({ header, payload }) => header.fragmentOffset + payload.length)).toEqual([65360, 65515]);
});

test("1812-5.3.7-1: martians are not forwarded", () => {
  const { bench, out } = router();
  bench.layer.routes.add({ prefix: prefix("0.0.0.0/0"), interface: out, nextHop: ip("198.51.100.2") });
  for (const source of ["127.0.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.255"]) {
    bench.link.deliver(passing({ source }));
    expect(bench.takeDrops(), source).toEqual(["martian-source"]);
  }
  for (const destination of ["127.0.0.1", "0.1.2.3", "240.0.0.1"]) {
    bench.link.deliver(passing({ destination }));
    expect(bench.takeDrops(), destination).toEqual(["martian-destination"]);
  }
  expect([...out.take(), ...bench.link.take()]).toEqual([]);
});

test("1812-5.3.5.1-1: the limited broadcast is delivered and not forwarded; multicasts are not forwarded either", () => {
  const { bench, out } = router();
  bench.link.deliver(datagram({ destination: "255.255.255.255" }), "broadcast");
  bench.link.deliver(datagram({ destination: "239.1.2.3" }), "multicast");
  expect(bench.udp.received).toMatchObject([{ cast: "broadcast" }]);
  expect(bench.takeDrops()).toEqual(["not-a-group-of-ours"]);
  expect([...out.take(), ...bench.link.take()]).toEqual([]);
});

test("1812-5.3.5.2-1, 1812-4.2.2.11-2: a directed broadcast is delivered; it is forwarded only when that was switched on, and not back", () => {
  for (const directedBroadcasts of [false, true]) {
    const bench = new Bench({ forwarding: true, directedBroadcasts });
    const out = bench.addLink("eth1", "198.51.100.1/24");
    bench.link.deliver(passing({ destination: "198.51.100.255" }));
    expect(bench.udp.received).toMatchObject([{ cast: "broadcast", payload: octets(100) }]);
    const passed = out.take();
    expect(passed).toHaveLength(directedBroadcasts ? 1 : 0);
    if (directedBroadcasts)
      expect(passed[0]).toMatchObject({ nextHop: "255.255.255.255", header: { timeToLive: 63 }, payload: octets(100) });
    bench.link.deliver(passing({ destination: "192.0.2.255" }));
    bench.link.deliver(passing({ destination: "198.51.100.255" }), "broadcast");
    expect([...out.take(), ...bench.link.take()]).toEqual([]);
  }
});

test("1812-5.2.7.2-1, 1122-3.2.2.2-1: a redirect goes to a neighbour who could have sent it to the next hop himself, and to nobody else", () => {
  const { bench, out } = router();
  bench.layer.routes.add({ prefix: prefix("10.0.0.0/8"), interface: bench.link, nextHop: ip("192.0.2.254") });
  bench.link.deliver(passing({ destination: "10.1.2.3" }));
  const [redirect, passed] = bench.link.take();
  expect(passed).toMatchObject({ nextHop: "192.0.2.254", header: { protocol: 17 } });
  // RFC 1812 §4.3.3.2: for the host, never for a network.
  expect(icmpOf(redirect)).toMatchObject({ type: 5, code: 1, rest: ip("192.0.2.254") });
  // Whose source is of another network came by another router; a packet that leaves elsewhere is on its right way.
  bench.link.deliver(passing({ source: "203.0.113.7", destination: "10.1.2.3" }));
  bench.link.deliver(passing({}));
  expect([...bench.link.take(), ...out.take()].map(({ header }) => header.protocol)).toEqual([17, 17]);
  bench.layer.ipv4.forwarding.redirects = false;
  bench.link.deliver(passing({ destination: "10.1.2.3" }));
  expect(bench.link.take()).toMatchObject([{ header: { protocol: 17 } }]);
});

test("1812-5.3.13.1-1, 1812-4.2.2.1-1: unknown options pass through as they are", () => {
  const { bench, out } = router();
  const options = Uint8Array.of(222, 5, 9, 9, 9, 1, 1, 0);
  bench.link.deliver(passing({ options }));
  expect(out.take()[0].bytes.slice(20, 28)).toEqual(options);
});

test("1812-5.3.13.5-1, 1812-4.2.2.2-1: a record route takes the address of the outgoing interface", () => {
  const { bench, out } = router();
  bench.link.deliver(passing({ options: Uint8Array.of(1, 7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0) }));
  expect(out.take()[0].bytes.slice(20, 32)).toEqual(Uint8Array.of(1, 7, 11, 8, 198, 51, 100, 1, 0, 0, 0, 0));
});

test("1812-4.2.2.2-1: without an address on the way out, another of the router's is recorded; without any, none", () => {
  const { bench, out } = router();
  const options = Uint8Array.of(7, 7, 4, 0, 0, 0, 0, 0);
  bench.layer.removeAddress(out, ip("198.51.100.1"));
  bench.link.deliver(passing({ options }));
  expect(out.take()[0].bytes.slice(20, 28)).toEqual(Uint8Array.of(7, 7, 8, 192, 0, 2, 1, 0));
  bench.layer.removeAddress(bench.link, ip("192.0.2.1"));
  bench.link.deliver(passing({ options }));
  expect(out.take()[0].bytes.slice(20, 28)).toEqual(options);
});

test("a strict source route that has gone astray is refused with code 5, a loose one passes", () => {
  const { bench, out } = router();
  bench.link.deliver(passing({ options: Uint8Array.of(137, 7, 4, 203, 0, 113, 7, 0) }));
  expect(bench.takeDrops()).toEqual(["source-route-refused"]);
  expect(icmpOf(bench.link.take()[0])).toMatchObject({ type: 3, code: 5 });
  bench.link.deliver(passing({ options: Uint8Array.of(131, 7, 4, 203, 0, 113, 7, 0) }));
  expect(out.take()).toHaveLength(1);
});

test("1812-5.2.1-2: local delivery leaves the header alone", () => {
  const { bench } = router();
  const packet = datagram({ destination: "198.51.100.1", timeToLive: 1, options: Uint8Array.of(7, 7, 4, 0, 0, 0, 0, 0) });
  bench.udp.answer = "port-unreachable";
  bench.link.deliver(packet);
  expect(icmpOf(bench.link.take()[0]).body).toEqual(packet.slice());
});

test("an echo request to any address of the router is answered through the interface it came by", () => {
  const { bench } = router();
  bench.link.deliver(icmp({ type: 8, code: 0, rest: 1 }, octets(4), { destination: "198.51.100.1" }));
  expect(bench.link.take()).toMatchObject([{ header: { source: ip("198.51.100.1"), destination: ip("192.0.2.2") } }]);
});
