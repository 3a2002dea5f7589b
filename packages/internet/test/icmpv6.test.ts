// ICMPv6 (RFC 4443): echoes, the rules of errors, and what received ones mean.
import { formatIp, ip, prefix } from "@netstrata/core";
import { describe, expect, test } from "vitest";
import type { IcmpErrorKind } from "../src/index.ts";
import { octets } from "./bench-host.ts";
import { bytesOf, datagramV6, fragmentHeader, Ipv6Bench, icmpv6, icmpv6Of } from "./ipv6-bench.ts";

/** What we once sent to 2001:db8::2. */
const ours = () => datagramV6({ source: "2001:db8::1", destination: "2001:db8::2" }, octets(24)).slice();

test("RFC 4443 §4.2: an echo request is answered with all its data, from the address that was asked", () => {
  const bench = new Ipv6Bench();
  bench.eth.deliver(icmpv6({ type: 128, code: 0, rest: 0x12345678 }, octets(100)));
  const [sent] = bench.eth.takeV6();
  expect([formatIp(sent.header.source), formatIp(sent.header.destination)]).toEqual(["2001:db8::1", "2001:db8::2"]);
  expect(icmpv6Of(sent)).toEqual({ type: 129, code: 0, rest: 0x12345678, body: octets(100) });
  expect(bench.layer.icmpv6.counters).toMatchObject({ InEchos: 1, OutEchoReplies: 1 });
});

test("RFC 4443 §4.2: an echo request to a group is answered from one address of the interface, at a limited rate", () => {
  const bench = new Ipv6Bench({ icmp: { errorBurst: 1, errorsPerSecond: 0 } });
  for (let count = 0; count < 3; count += 1)
    bench.eth.deliver(icmpv6({ type: 128, code: 0, rest: 1 }, octets(8), { destination: "ff02::1" }), "multicast");
  expect(bench.eth.takeV6().map(({ header }) => formatIp(header.source))).toEqual(["2001:db8::1"]);
  expect(bench.takeDrops()).toEqual(["rate-limited", "rate-limited"]);
});

test("RFC 4443 §2.3: a wrong checksum is dropped; it covers the addresses", () => {
  const bench = new Ipv6Bench();
  bench.layer.addAddress(bench.eth, prefix("2001:db8::5/64"));
  const packet = icmpv6({ type: 128, code: 0, rest: 1 });
  packet.setU8(39, 5);
  bench.eth.deliver(packet);
  expect(bench.takeDrops()).toEqual(["bad-checksum"]);
});

test("our own echoes: the reply and the error find who asked", () => {
  const bench = new Ipv6Bench();
  const heard: unknown[] = [];
  const client = bench.layer.echo.open({
    reply: (sequence, payload) => heard.push([sequence, payload.length]),
    error: (error, sequence) => heard.push([error.kind, sequence]),
  });
  expect(client.send({ destination: ip("2001:db8::2"), sequence: 3, payload: octets(32), timeToLive: 9 })).toBe("sent");
  const [sent] = bench.eth.takeV6();
  expect(sent.header.timeToLive).toBe(9);
  const request = icmpv6Of(sent);
  expect(request.type).toBe(128);
  bench.eth.deliver(icmpv6({ type: 129, code: 0, rest: request.rest }, octets(32)));
  bench.eth.deliver(icmpv6({ type: 3, code: 0, rest: 0 }, sent.bytes, { source: "2001:db8:9::1" }));
  expect(heard).toEqual([
    [3, 32],
    ["time-exceeded", 3],
  ]);
});

describe("RFC 4443 §2.4 (e): no error is sent", () => {
  const unknown = 253;

  test.each([
    ["(e.1) about an error", icmpv6({ type: 1, code: 99, rest: 0 }, octets(8)), "bad-quotation"],
    ["(e.3) about what was sent to a group", datagramV6({ protocol: unknown, destination: "ff02::1" }), "error-about-group"],
    ["(e.6) to nobody", datagramV6({ protocol: unknown, source: "::", destination: "ff02::1" }), "error-about-group"],
  ])("%s", (_, packet, reason) => {
    const bench = new Ipv6Bench();
    bench.eth.deliver(packet);
    expect(bench.takeDrops()).toContain(reason);
    expect(bench.eth.takeV6()).toEqual([]);
  });

  test("(e.1) about an error that lies behind extension headers, or that cannot be seen in a later fragment", () => {
    const bench = new Ipv6Bench({ forwarding: true });
    const fields = { destination: "2001:db8:77::1", protocol: 44 };
    bench.eth.deliver(datagramV6(fields, bytesOf(fragmentHeader(58, 0, true), [1, 0, 0, 0], octets(12))));
    bench.eth.deliver(datagramV6(fields, bytesOf(fragmentHeader(58, 16, false), octets(16))));
    expect(bench.takeDrops()).toEqual(["no-route", "error-about-error", "no-route", "error-about-error"]);
    // An echo request is none.
    bench.eth.deliver(icmpv6({ type: 128, code: 0, rest: 0 }, octets(8), { destination: "2001:db8:77::1" }));
    expect(icmpv6Of(bench.eth.takeV6()[0])).toMatchObject({ type: 1, code: 0 });
  });

  test("(e.5) about what came in a frame for many", () => {
    const bench = new Ipv6Bench();
    bench.eth.deliver(datagramV6({ protocol: unknown }), "multicast");
    expect(bench.takeDrops()).toEqual(["unknown-protocol", "error-about-group"]);
  });

  test("(f) beyond a rate", () => {
    const bench = new Ipv6Bench({ icmp: { errorBurst: 4, errorsPerSecond: 0 } });
    for (let count = 0; count < 100; count += 1) bench.eth.deliver(datagramV6({ protocol: unknown }));
    expect(bench.eth.takeV6().length).toBeLessThanOrEqual(4);
    expect(bench.layer.icmpv6.counters.OutRateLimitHost).toBeGreaterThanOrEqual(96);
  });
});

test("RFC 4443 §2.4 (c): an error quotes as much as fits in 1,280 octets", () => {
  const bench = new Ipv6Bench();
  bench.eth.deliver(datagramV6({ protocol: 253 }, octets(1400)));
  const [sent] = bench.eth.takeV6();
  expect(sent.bytes.length).toBe(1280);
  expect(icmpv6Of(sent).body).toEqual(datagramV6({ protocol: 253 }, octets(1400)).slice(0, 1232));
});

test.each<[number, number, IcmpErrorKind]>([
  [1, 0, "network-unreachable"],
  [1, 1, "prohibited"],
  [1, 2, "host-unreachable"],
  [1, 3, "host-unreachable"],
  [1, 4, "port-unreachable"],
  [1, 5, "prohibited"],
  [1, 6, "prohibited"],
  [1, 99, "network-unreachable"],
  [3, 0, "time-exceeded"],
  [4, 0, "parameter-problem"],
  [4, 1, "protocol-unreachable"],
  [100, 0, "unknown"],
])("RFC 4443 §2.4 (a, d): type %i code %i is told to the transport as %s", (type, code, kind) => {
  const bench = new Ipv6Bench();
  bench.eth.deliver(icmpv6({ type, code, rest: 0 }, ours(), { source: "2001:db8:9::1" }));
  expect(bench.udp.errors).toMatchObject([{ error: { kind, from: ip("2001:db8:9::1"), mtu: 0 }, quoted: octets(24) }]);
});

test("RFC 8201 §4: a packet too big tells the MTU; one below 1,280 is discarded", () => {
  const bench = new Ipv6Bench();
  bench.eth.deliver(icmpv6({ type: 2, code: 0, rest: 1400 }, ours()));
  expect(bench.udp.errors).toMatchObject([{ error: { kind: "packet-too-big", mtu: 1400 } }]);
  bench.eth.deliver(icmpv6({ type: 2, code: 0, rest: 1279 }, ours()));
  expect(bench.takeDrops()).toEqual(["mtu-too-small"]);
  bench.layer.pathMtuReduced(ip("2001:db8::2"), 1400);
  expect(bench.layer.maxSendSize(ip("2001:db8::2"))).toBe(1360);
  bench.layer.pathMtuReduced(ip("2001:db8::2"), 100);
  expect(bench.layer.maxSendSize(ip("2001:db8::2"))).toBe(1240);
});

test("RFC 5927 §4: an error about what we cannot have sent is dropped", () => {
  const bench = new Ipv6Bench();
  const error = (quoted: Uint8Array) => bench.eth.deliver(icmpv6({ type: 1, code: 4, rest: 0 }, quoted));
  error(datagramV6({ source: "2001:db8::7", destination: "2001:db8::2" }).slice());
  error(ours().subarray(0, 47));
  error(datagramV6({ source: "2001:db8::1", protocol: 253 }, octets(24)).slice());
  bench.eth.deliver(icmpv6({ type: 1, code: 4, rest: 0 }, ours(), { destination: "ff02::1" }));
  expect(bench.takeDrops()).toEqual(["quotation-not-ours", "bad-quotation", "quotation-of-unknown-protocol", "error-to-group"]);
  expect(bench.udp.errors).toEqual([]);
});

test("RFC 4443 §2.4 (b): an informational message that is not known is dropped in silence", () => {
  const bench = new Ipv6Bench();
  bench.eth.deliver(icmpv6({ type: 200, code: 0, rest: 0 }));
  expect(bench.takeDrops()).toEqual(["unknown-type"]);
  expect(bench.eth.takeV6()).toEqual([]);
});
