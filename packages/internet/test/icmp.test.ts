// ICMP: answers, errors sent and not sent, errors received (RFC 792, RFC 1122 §3.2.2).
import { ip, ipToBytes, PacketBuffer, prefix } from "@netstrata/core";
import { expect, test } from "vitest";
import { Bench, type DatagramFields, datagram, icmp, icmpBytes, icmpOf, octets, RecordingHandler } from "./bench-host.ts";

const ECHO = { type: 8, code: 0, rest: 0x12345678 };

/** What the bench once sent to 203.0.113.9, from the IP header on: the start of it is what errors quote. */
function ours(fields: DatagramFields = {}, payload: Uint8Array = octets(64)): Uint8Array {
  return datagram({ source: "192.0.2.1", destination: "203.0.113.9", ...fields }, payload).slice();
}

function error(type: number, code: number, quoted: Uint8Array, rest = 0): PacketBuffer {
  return icmp({ type, code, rest }, quoted.slice(0, 548), { source: "198.51.100.1" });
}

test("1122-3.2.2.6-1, 1122-3.2.2.6-4, 1122-3.2.2.6-5, 1812-4.3.3.6-1: an echo request is answered with all its data, from the address that was asked", () => {
  const bench = new Bench();
  bench.layer.addAddress(bench.link, prefix("192.0.2.77/24"));
  bench.link.deliver(icmp(ECHO, octets(1000), { destination: "192.0.2.77", timeToLive: 2, trafficClass: 0x20 }));
  const [reply] = bench.link.take();
  expect(reply.header).toMatchObject({ source: ip("192.0.2.77"), destination: ip("192.0.2.2"), timeToLive: 64, trafficClass: 0x20 });
  expect(icmpOf(reply)).toEqual({ type: 0, code: 0, rest: 0x12345678, body: octets(1000) });
  expect(bench.layer.icmp.counters).toMatchObject({ InMsgs: 1, InEchos: 1, OutMsgs: 1, OutEchoReps: 1 });
});

test("an echo of the largest datagram there is comes back whole, in fragments", () => {
  const bench = new Bench();
  const message = icmpBytes(ECHO, octets(65507));
  for (let at = 0; at < message.length; at += 1480) {
    const piece = message.slice(at, at + 1480);
    bench.link.deliver(datagram({ protocol: 1, fragmentOffset: at, moreFragments: at + 1480 < message.length }, piece));
  }
  const reply = Uint8Array.from(bench.link.take().flatMap(({ payload }) => [...payload]));
  expect(icmpOf({ payload: reply } as never).body).toEqual(octets(65507));
});

test("1122-3.2.2.6-3: an echo request to a broadcast or multicast is ignored", () => {
  const bench = new Bench();
  bench.link.deliver(icmp(ECHO, octets(8), { destination: "192.0.2.255" }), "broadcast");
  bench.link.deliver(icmp(ECHO, octets(8), { destination: "224.0.0.1" }), "multicast");
  expect(bench.takeDrops()).toEqual(["echo-to-broadcast", "echo-to-broadcast"]);
  expect(bench.link.take()).toEqual([]);
});

test("1122-3.2.2.6-7: a record route comes back with our address in it", () => {
  const bench = new Bench();
  const options = Uint8Array.of(7, 11, 8, 198, 51, 100, 1, 0, 0, 0, 0, 0);
  bench.link.deliver(icmp(ECHO, octets(8), { options }));
  const [{ bytes }] = bench.link.take();
  expect(bytes.slice(20, 32)).toEqual(Uint8Array.of(7, 11, 12, 198, 51, 100, 1, 192, 0, 2, 1, 0));
});

test("1122-3.2.2-7: no error about a broadcast in any of its forms, whatever is wrong with its options", () => {
  const bench = new Bench();
  for (const destination of ["255.255.255.255", "192.0.2.255", "192.0.2.0", "0.0.0.0"]) {
    bench.link.deliver(datagram({ destination, options: Uint8Array.of(7, 2, 0, 0) }));
    bench.link.deliver(datagram({ destination, protocol: 200 }));
    expect([destination, bench.link.take()]).toEqual([destination, []]);
  }
});

test("a rate limit given as undefined is the default; one that would limit nothing throws", () => {
  const bench = new Bench({ icmp: { errorsPerSecond: undefined, errorBurst: undefined } });
  for (let count = 0; count < 200; count += 1) bench.link.deliver(datagram({ protocol: 200 }));
  expect(bench.link.take().length).toBeLessThanOrEqual(100);
  expect(() => new Bench({ icmp: { errorBurst: Number.NaN } })).toThrow(RangeError);
});

test("an error goes back in one piece: it quotes less where the path is narrow, but header and 8 octets at least", () => {
  for (const [mtu, quoted] of [
    [1500, 548],
    [300, 272],
    [68, 40],
  ]) {
    const bench = new Bench();
    bench.layer.pathMtuReduced(ip("192.0.2.2"), mtu);
    bench.link.deliver(datagram({ protocol: 200 }, octets(1000)));
    expect(bench.link.take().map(({ payload }) => payload.length)).toEqual([8 + quoted]);
    // Of a header with 40 octets of options, 68 are quoted: they cannot but be cut where nothing larger passes.
    bench.link.deliver(datagram({ protocol: 200, options: Uint8Array.of(130, 40, ...octets(38)) }, octets(1000)));
    expect(bench.link.take().reduce((sum, { payload }) => sum + payload.length, 0)).toBe(8 + Math.max(quoted, 68));
  }
});

test("no answer goes back by a source route through what is not one host, or through ourselves", () => {
  const bench = new Bench();
  const hops = ["192.0.2.255", "192.0.2.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "0.0.0.1", "127.0.0.1", "192.0.2.1"];
  for (const hop of hops) {
    const bytes = ipToBytes(ip(hop));
    // As the last hop it would be the answer's first destination, as the first one somebody else's.
    bench.link.deliver(icmp(ECHO, octets(8), { options: Uint8Array.of(131, 11, 12, 198, 51, 100, 1, ...bytes, 0) }));
    bench.link.deliver(icmp(ECHO, octets(8), { options: Uint8Array.of(137, 11, 12, ...bytes, 198, 51, 100, 1, 0) }));
    bench.clock.advance(0);
    expect([hop, bench.link.take(), bench.takeDrops()]).toEqual([hop, [], ["martian-hop", "martian-hop"]]);
  }
});

test("1122-3.2.2.6-8, 1812-4.3.3.6-2: a source route comes back reversed", () => {
  const bench = new Bench();
  // By 198.51.100.1, then 192.0.2.254, to us; the pointer says that both have been passed.
  const options = Uint8Array.of(131, 11, 12, 198, 51, 100, 1, 192, 0, 2, 254, 0);
  bench.link.deliver(icmp(ECHO, octets(8), { source: "203.0.113.5", options }));
  const [{ header, bytes, nextHop }] = bench.link.take();
  expect([header.destination, nextHop]).toEqual([ip("192.0.2.254"), "192.0.2.254"]);
  expect(bytes.slice(20, 32)).toEqual(Uint8Array.of(131, 11, 4, 198, 51, 100, 1, 203, 0, 113, 5, 0));
});

test("1122-3.2.2-1, 1812-4.3.2.1-1, 1122-3.2.2.7-1, 1122-3.2.2.9-2: unknown types, information and mask requests are dropped in silence", () => {
  const bench = new Bench();
  for (const type of [1, 2, 7, 13, 15, 16, 17, 18, 30, 42, 255]) {
    bench.link.deliver(icmp({ type, code: 0, rest: 0 }, octets(20)));
    expect(bench.takeDrops(), `${type}`).toEqual(["unknown-type"]);
  }
  expect(bench.link.take()).toEqual([]);
});

test("a message that is damaged or cut short is dropped in silence", () => {
  const bench = new Bench();
  const message = icmpBytes(ECHO, octets(8));
  for (let length = 0; length < message.length; length += 1) {
    bench.link.deliver(datagram({ protocol: 1 }, message.slice(0, length)));
    expect(bench.takeDrops()).toEqual([length < 8 ? "truncated" : "bad-checksum"]);
  }
  for (let bit = 0; bit < message.length * 8; bit += 1) {
    const damaged = message.slice();
    damaged[bit >> 3] ^= 1 << (bit & 7);
    bench.link.deliver(datagram({ protocol: 1 }, damaged));
    expect(bench.takeDrops()).toEqual(["bad-checksum"]);
  }
  expect(bench.link.take()).toEqual([]);
  expect(bench.layer.icmp.counters).toMatchObject({
    InMsgs: message.length * 9,
    InErrors: 8,
    InCsumErrors: message.length * 9 - 8,
    InEchos: 0,
  });
});

// Errors that are sent

test("1122-3.2.2-2, 1812-4.3.2.3-1: an error quotes what fits into 576 octets, header as received", () => {
  const bench = new Bench();
  bench.udp.answer = "port-unreachable";
  const original = datagram({ timeToLive: 9, identification: 0xbeef }, octets(1000));
  bench.link.deliver(original.slice());
  const [sent] = bench.link.take();
  expect(sent.header.totalLength).toBe(576);
  expect(icmpOf(sent).body).toEqual(original.slice(0, 548));
});

test("1122-3.2.2-5, 1812-4.3.2.2-1, 1122-3.3.4.2-1, 1122-3.3.8-1: a host's error goes out with TOS 0 and a fresh TTL, from the address that was asked", () => {
  const bench = new Bench();
  bench.layer.addAddress(bench.link, prefix("192.0.2.77/24"));
  bench.link.deliver(datagram({ protocol: 99, destination: "192.0.2.77", trafficClass: 0xff, timeToLive: 1 }));
  expect(bench.link.take()).toMatchObject([{ header: { trafficClass: 0, timeToLive: 64, source: ip("192.0.2.77") } }]);
});

test("1122-3.2.2.5-1, 1812-4.3.3.5-1: an option that is wrong is reported, with the octet that is", () => {
  const cases: [Uint8Array, number][] = [
    [Uint8Array.of(1, 1, 7, 0), 23],
    [Uint8Array.of(1, 7, 8, 4), 22],
    [Uint8Array.of(131, 7, 5, 0, 0, 0, 0, 0), 22],
    [Uint8Array.of(1, 1, 1, 7), 23],
  ];
  for (const [options, pointer] of cases) {
    const bench = new Bench();
    bench.link.deliver(datagram({ options }));
    expect(bench.takeDrops()).toEqual(["bad-option"]);
    expect(icmpOf(bench.link.take()[0])).toMatchObject({ type: 12, code: 0, rest: pointer * 0x1000000 });
  }
});

test("1122-3.3.5-2: a host that is named in the middle of a source route answers unreachable, code 5", () => {
  const bench = new Bench();
  bench.link.deliver(datagram({ options: Uint8Array.of(131, 7, 4, 203, 0, 113, 7, 0) }));
  expect(bench.takeDrops()).toEqual(["source-route-refused"]);
  expect(icmpOf(bench.link.take()[0])).toMatchObject({ type: 3, code: 5 });
});

test("1122-3.2.1.8c-2, 1812-4.2.2.1-2: a finished source route is delivered", () => {
  const bench = new Bench();
  bench.link.deliver(datagram({ options: Uint8Array.of(131, 7, 8, 203, 0, 113, 7, 0) }));
  expect(bench.udp.received).toMatchObject([{ header: { headerLength: 28 } }]);
});

// Errors that are not sent

test("1122-3.2.2-6, 1812-4.3.2.7-1: no error about an ICMP error, nor about what might be one", () => {
  for (const type of [3, 4, 5, 11, 12, 200]) {
    const bench = new Bench({ forwarding: true });
    // A router's own errors about what it forwards are where the rule bites.
    bench.link.deliver(icmp({ type, code: 0, rest: 0 }, ours(), { destination: "203.0.113.9", timeToLive: 1 }));
    expect(bench.takeDrops()).toEqual(["no-route", "error-about-error"]);
    expect(bench.link.take()).toEqual([]);
  }
  const bench = new Bench({ forwarding: true });
  bench.link.deliver(icmp(ECHO, octets(8), { destination: "203.0.113.9" }));
  expect(bench.link.take()).toHaveLength(1);
});

test("1122-3.2.2-7: no error about a broadcast or multicast", () => {
  const bench = new Bench();
  bench.udp.answer = "port-unreachable";
  for (const destination of ["192.0.2.255", "255.255.255.255", "224.0.0.1"]) {
    bench.link.deliver(datagram({ destination }));
    expect(bench.takeDrops()).toEqual(["error-about-broadcast"]);
  }
  expect(bench.link.take()).toEqual([]);
});

test("1122-3.2.2-8: no error about a link broadcast", () => {
  const bench = new Bench();
  bench.udp.answer = "port-unreachable";
  bench.link.deliver(datagram({ destination: "192.0.2.255" }), "broadcast");
  bench.link.deliver(datagram({ destination: "224.0.0.1" }), "multicast");
  expect(bench.takeDrops()).toEqual(["error-about-broadcast", "error-about-broadcast"]);
  expect(bench.link.take()).toEqual([]);
});

test("1122-3.2.2-9: no error about a fragment other than the first", () => {
  const bench = new Bench({ forwarding: true });
  bench.link.deliver(datagram({ destination: "203.0.113.9", fragmentOffset: 8 }));
  expect(bench.takeDrops()).toEqual(["no-route", "error-about-fragment"]);
  bench.link.deliver(datagram({ destination: "203.0.113.9", moreFragments: true }));
  expect(bench.link.take()).toHaveLength(1);
});

test("1122-3.2.2-10: no error to a source that is no single host", () => {
  const bench = new Bench();
  bench.udp.answer = "port-unreachable";
  bench.link.deliver(datagram({ source: "0.0.0.0", destination: "224.0.0.1" }));
  expect(bench.takeDrops()).toEqual(["error-about-broadcast"]);
  expect(bench.link.take()).toEqual([]);
});

test("1812-4.3.2.8-1: errors are limited in rate, echo replies are not", () => {
  const bench = new Bench({ icmp: { errorsPerSecond: 10, errorBurst: 5 } });
  bench.udp.answer = "port-unreachable";
  for (let count = 0; count < 100; count += 1) bench.link.deliver(datagram());
  const burst = bench.link.take().length;
  expect(burst).toBeGreaterThanOrEqual(2);
  expect(burst).toBeLessThanOrEqual(5);
  expect(bench.layer.icmp.counters.OutRateLimitHost).toBe(100 - burst);
  expect(bench.layer.icmp.drops.counters["rate-limited"]).toBe(100 - burst);
  let later = 0;
  for (let tenth = 0; tenth < 100; tenth += 1) {
    bench.clock.advance(100);
    for (let count = 0; count < 3; count += 1) bench.link.deliver(datagram());
    later += bench.link.take().length;
  }
  // Ten seconds of ten tokens, an error at one to two of them.
  expect(later).toBeGreaterThanOrEqual(50);
  expect(later).toBeLessThanOrEqual(105);
  for (let count = 0; count < 100; count += 1) bench.link.deliver(icmp(ECHO));
  expect(bench.link.take()).toHaveLength(100);
});

// Errors that are received

test("1122-3.2.2-4, 1122-3.2.2.1-2, 1122-3.2.2.4-1, 1122-3.2.2.5-2: each error reaches the transport it is about, in terms of both IP versions", () => {
  const cases: [number, number, string][] = [
    [3, 0, "network-unreachable"],
    [3, 1, "host-unreachable"],
    [3, 2, "protocol-unreachable"],
    [3, 3, "port-unreachable"],
    [3, 4, "packet-too-big"],
    [3, 5, "source-route-failed"],
    [3, 6, "network-unreachable"],
    [3, 7, "host-unreachable"],
    [3, 8, "host-unreachable"],
    [3, 9, "prohibited"],
    [3, 10, "prohibited"],
    [3, 11, "network-unreachable"],
    [3, 12, "host-unreachable"],
    [3, 13, "prohibited"],
    [3, 14, "prohibited"],
    [3, 15, "prohibited"],
    [11, 0, "time-exceeded"],
    [11, 1, "time-exceeded"],
    [12, 0, "parameter-problem"],
  ];
  const bench = new Bench();
  const tcp = new RecordingHandler(6);
  bench.layer.register(tcp);
  for (const [type, code, kind] of cases) {
    bench.link.deliver(error(type, code, ours(), 1400));
    const mtu = kind === "packet-too-big" ? 1400 : 0;
    expect(bench.udp.errors.pop()).toMatchObject({
      error: { kind, mtu, from: ip("198.51.100.1") },
      header: { destination: ip("203.0.113.9") },
    });
  }
  expect(tcp.errors).toEqual([]);
  bench.link.deliver(error(3, 1, ours({ protocol: 6 })));
  expect(tcp.errors).toMatchObject([{ quoted: octets(64) }]);
});

test("the quoted header may have options and a spent TTL; behind it the transport finds its first 8 octets", () => {
  const bench = new Bench();
  const quoted = ours({ options: Uint8Array.of(148, 4, 0, 0), timeToLive: 0 }, octets(100)).slice(0, 32);
  bench.link.deliver(error(11, 0, quoted));
  expect(bench.udp.errors).toMatchObject([{ quoted: octets(8), header: { headerLength: 24 } }]);
});

test("errors with an impossible quotation are dropped", () => {
  const cases: [string, Uint8Array, number?][] = [
    ["bad-quotation", octets(0)],
    ["bad-quotation", ours().slice(0, 27)],
    ["bad-quotation", ours({ fragmentOffset: 8 })],
    ["bad-quotation", Uint8Array.of(0x65, ...ours().slice(1))],
    ["quotation-not-ours", ours({ source: "192.0.2.2" })],
    ["quotation-of-unknown-protocol", ours({ protocol: 200 })],
    ["unknown-code", ours(), 16],
    // About an ICMP message that is no echo request of a client of ours.
    ["error-unasked", ours({ protocol: 1 })],
  ];
  const bench = new Bench();
  for (const [reason, quoted, code = 1] of cases) {
    bench.link.deliver(error(3, code, quoted));
    expect(bench.takeDrops()).toEqual([reason]);
  }
  expect(bench.udp.errors).toEqual([]);
});

test("an error to everybody is about nobody", () => {
  const bench = new Bench();
  bench.link.deliver(icmp({ type: 3, code: 1, rest: 0 }, ours(), { destination: "192.0.2.255" }), "broadcast");
  expect(bench.takeDrops()).toEqual(["error-to-broadcast"]);
});

test("RFC 1191 §5: a router that does not give the MTU is taken to mean the next plateau", () => {
  const bench = new Bench();
  for (const [length, plateau] of [
    [1500, 1492],
    [1492, 1006],
    [577, 508],
    [28, 68],
  ]) {
    bench.link.deliver(error(3, 4, ours({}, octets(length - 20))));
    expect(bench.udp.errors.pop()?.error.mtu).toBe(plateau);
  }
});

test("redirects are ignored and counted", () => {
  const bench = new Bench();
  bench.link.deliver(icmp({ type: 5, code: 1, rest: ip("192.0.2.254") as number }, ours()));
  expect(bench.takeDrops()).toEqual(["redirect-ignored"]);
  expect(bench.layer.icmp.counters.InRedirects).toBe(1);
});

test("1122-3.2.2.3-1: source quench is ignored, and never sent", () => {
  const bench = new Bench();
  bench.link.deliver(icmp({ type: 4, code: 0, rest: 0 }, ours()));
  expect(bench.takeDrops()).toEqual(["source-quench-ignored"]);
  expect(bench.udp.errors).toEqual([]);
  expect(bench.layer.icmp.counters).toMatchObject({ InSrcQuenchs: 1, OutSrcQuenchs: 0 });
});

test("a datagram whose neighbour does not answer is reported to the transport that sent it", () => {
  const bench = new Bench();
  const sent = PacketBuffer.wrap(ours({ destination: "192.0.2.9" }));
  bench.layer.unresolved(sent, bench.link, ip("192.0.2.9"));
  expect(bench.udp.errors).toMatchObject([{ error: { kind: "host-unreachable", from: ip("192.0.2.1") }, quoted: octets(64) }]);
  expect(bench.takeDrops()).toEqual(["no-neighbour"]);
  expect(bench.link.take()).toEqual([]);
});
