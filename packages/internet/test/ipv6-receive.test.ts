// What comes in over IPv6: the header and its addresses (RFC 8200 §3, RFC 4291 §2).
import { formatIp } from "@netstrata/core";
import { expect, test } from "vitest";
import { octets } from "./bench-host.ts";
import { bytesOf, datagramV6, Ipv6Bench, icmpv6Of } from "./ipv6-bench.ts";

/** Nothing heard above, nothing sent below, one drop for the reason. */
function expectSilence(bench: Ipv6Bench, reason: string): void {
  expect(bench.takeDrops()).toEqual([reason]);
  expect(bench.udp.received).toEqual([]);
  expect(bench.eth.takeV6()).toEqual([]);
}

test("RFC 8200 §3: a datagram for us reaches its transport, without link padding, with what its header says", () => {
  const bench = new Ipv6Bench();
  const packet = datagramV6({ trafficClass: 0xb9, flowLabel: 0xabcde, timeToLive: 7 });
  bench.eth.deliver(bytesOf(packet.view(), [1, 2, 3]));
  expect(bench.udp.received).toMatchObject([{ payload: octets(16), cast: "unicast", interface: "eth0" }]);
  expect(bench.udp.received[0].header).toMatchObject({
    version: 6,
    trafficClass: 0xb9,
    flowLabel: 0xabcde,
    timeToLive: 7,
    headerLength: 40,
  });
  expect(bench.layer.ipv6.counters).toMatchObject({ InReceives: 1, InDelivers: 1 });
});

test("RFC 8200 §3: a header cut short, or a payload shorter than it says, is dropped in silence at every length", () => {
  const whole = datagramV6().slice();
  for (let length = 1; length < whole.length; length += 1) {
    const bench = new Ipv6Bench();
    bench.eth.deliver(whole.subarray(0, length));
    expectSilence(bench, length < 40 ? "truncated" : "bad-payload-length");
  }
});

test.each([
  ["::1", "2001:db8::1", "martian-source"],
  ["ff02::1", "2001:db8::1", "martian-source"],
  ["2001:db8::1", "2001:db8::1", "martian-source"],
  ["::", "2001:db8::1", "martian-source"],
  ["2001:db8::2", "::1", "martian-destination"],
  ["2001:db8::2", "::", "martian-destination"],
  ["::ffff:192.0.2.2", "2001:db8::1", "mapped-address"],
  ["2001:db8::2", "::ffff:192.0.2.1", "mapped-address"],
  ["2001:db8::2", "ff00::1", "bad-multicast-scope"],
  ["2001:db8::2", "ff01::1", "bad-multicast-scope"],
  ["2001:db8::2", "ff02::2", "not-a-group-of-ours"],
  ["2001:db8::2", "2001:db8::3", "not-for-us"],
])("RFC 4291 §2: from %s to %s is dropped in silence: %s", (source, destination, reason) => {
  const bench = new Ipv6Bench();
  bench.eth.deliver(datagramV6({ source, destination }));
  expectSilence(bench, reason);
});

test("RFC 4291 §2.8: every host hears all nodes, and the solicited-node group of each of its addresses", () => {
  const bench = new Ipv6Bench();
  for (const destination of ["ff02::1", "ff02::1:ff00:1"]) {
    bench.eth.deliver(datagramV6({ destination }), "multicast");
    expect(bench.udp.received.pop()).toMatchObject({ cast: "multicast" });
  }
  bench.layer.removeAddress(bench.eth, datagramDestination(bench));
  bench.eth.deliver(datagramV6({ destination: "ff02::1:ff00:1" }), "multicast");
  expectSilence(bench, "not-a-group-of-ours");
});

function datagramDestination(bench: Ipv6Bench) {
  return bench.eth.addresses[1].address;
}

test("RFC 6085 §3: a datagram for one host may come in a frame for many", () => {
  const bench = new Ipv6Bench();
  bench.eth.deliver(datagramV6(), "multicast");
  expect(bench.udp.received).toHaveLength(1);
});

test("RFC 4443 §3.1: a port where nobody is: code 4 to the sender, from the address that was asked", () => {
  const bench = new Ipv6Bench();
  bench.udp.answer = "port-unreachable";
  const packet = datagramV6();
  bench.eth.deliver(packet.slice());
  const [sent] = bench.eth.takeV6();
  expect([formatIp(sent.header.source), formatIp(sent.header.destination), sent.nextHop]).toEqual([
    "2001:db8::1",
    "2001:db8::2",
    "2001:db8::2",
  ]);
  expect(icmpv6Of(sent)).toEqual({ type: 1, code: 4, rest: 0, body: packet.slice() });
});

test("RFC 4443 §3.4: a next header that nobody knows: code 1, and the pointer names the octet that names it", () => {
  const bench = new Ipv6Bench();
  bench.eth.deliver(datagramV6({ protocol: 253 }));
  expect(icmpv6Of(bench.eth.takeV6()[0])).toMatchObject({ type: 4, code: 1, rest: 6 });
  // ICMP for IPv4 means nothing here.
  bench.eth.deliver(datagramV6({ protocol: 1 }));
  expect(icmpv6Of(bench.eth.takeV6()[0])).toMatchObject({ type: 4, code: 1, rest: 6 });
  expect(bench.takeDrops()).toEqual(["unknown-protocol", "unknown-protocol"]);
});
