// Source and destination translation on a router (RFC 3022, RFC 4787, RFC 5382, RFC 5508).
import { PacketBuffer } from "@netstrata/core";
import { expect, test } from "vitest";
import { readUncheckedIpv4Header } from "../../src/index.ts";
import { datagram, icmp, icmpBytes, icmpOf, octets } from "../bench-host.ts";
import { ACK, checksumOf, endsOf, FIN, gatewayBench, INNER, OUTER, RST, SERVER, SYN, tcp, udp } from "./gateway-bench.ts";

const INBOUND = { from: SERVER, fromPort: 80, to: OUTER, toPort: 5000 };

test("RFC 4787 §4.2.1: an inner endpoint speaks as the outside's address, with its own port when that is free", () => {
  const { inside, outside, gateway } = gatewayBench();
  inside.deliver(udp());
  const [sent] = outside.take();
  expect(endsOf(sent)).toBe("192.0.2.1:5000 > 203.0.113.9:80");
  expect(checksumOf(sent)).toBe(0);
  expect(sent.header.timeToLive).toBe(63);
  outside.deliver(udp(INBOUND));
  const [back] = inside.take();
  expect(endsOf(back)).toBe("203.0.113.9:80 > 10.0.0.2:5000");
  expect(checksumOf(back)).toBe(0);
  expect(gateway.tracking.size).toBe(1);
});

test("RFC 4787 REQ-1: one mapping for all whom an endpoint speaks to; another endpoint with the same port gets another", () => {
  const { inside, outside } = gatewayBench();
  inside.deliver(udp());
  inside.deliver(udp({ to: "198.51.100.7", toPort: 53 }));
  inside.deliver(udp({ from: "10.0.0.3" }));
  inside.deliver(udp({ from: "10.0.0.3", to: "198.51.100.7" }));
  const ends = outside.take().map(endsOf);
  expect(ends.slice(0, 2)).toEqual(["192.0.2.1:5000 > 203.0.113.9:80", "192.0.2.1:5000 > 198.51.100.7:53"]);
  const [other, again] = ends.slice(2).map((each) => Number(/:(\d+) >/.exec(each)?.[1]));
  expect(other).not.toBe(5000);
  expect(again).toBe(other);
  expect(other).toBeGreaterThanOrEqual(1024);
});

test("RFC 4787 REQ-8: who has not been spoken to is not let in, or with endpoint-independent filtering he is", () => {
  const stranger = { ...INBOUND, from: "198.51.100.66" };
  const strict = gatewayBench();
  strict.inside.deliver(udp());
  strict.outside.deliver(udp(stranger));
  expect(strict.inside.take()).toEqual([]);
  const open = gatewayBench({ nat: { outside: "eth0", filtering: "endpoint-independent" } });
  open.inside.deliver(udp());
  open.outside.deliver(udp(stranger));
  expect(open.inside.take().map(endsOf)).toEqual(["198.51.100.66:80 > 10.0.0.2:5000"]);
});

test("RFC 4787 REQ-5: a mapping is kept for two minutes unanswered, five when answered, and its port is free afterwards", () => {
  const { bench, inside, outside, gateway } = gatewayBench();
  inside.deliver(udp());
  bench.clock.advance(119_999);
  outside.deliver(udp(INBOUND));
  expect(inside.take()).toHaveLength(1);
  bench.clock.advance(299_999);
  outside.deliver(udp(INBOUND));
  expect(inside.take()).toHaveLength(1);
  bench.clock.advance(300_001);
  expect([gateway.tracking.size, gateway.nat?.mappings.size]).toEqual([0, 0]);
  outside.deliver(udp(INBOUND));
  expect(inside.take()).toEqual([]);
  outside.take();
  inside.deliver(udp({ from: "10.0.0.9" }));
  expect(outside.take().map(endsOf)).toEqual(["192.0.2.1:5000 > 203.0.113.9:80"]);
});

test("RFC 5382 REQ-5: established TCP is kept for two hours and four minutes, a half-open or closed one for four minutes", () => {
  const { bench, inside, outside, gateway } = gatewayBench();
  const open = (fromPort: number): void => {
    inside.deliver(tcp(SYN, { fromPort }));
    outside.deliver(tcp(SYN | ACK, { ...INBOUND, toPort: fromPort }));
    inside.deliver(tcp(ACK, { fromPort }));
  };
  open(5000);
  open(6000);
  inside.deliver(tcp(SYN, { fromPort: 7000 }));
  inside.deliver(tcp(FIN | ACK, { fromPort: 6000 }));
  outside.deliver(tcp(FIN | ACK, { ...INBOUND, toPort: 6000 }));
  expect(outside.take().every((sent) => checksumOf(sent) === 0)).toBe(true);
  expect(gateway.tracking.size).toBe(3);
  bench.clock.advance(240_001);
  expect(gateway.tracking.size).toBe(1);
  bench.clock.advance(7_440_000 - 240_001 - 1);
  expect(gateway.tracking.size).toBe(1);
  bench.clock.advance(2);
  expect(gateway.tracking.size).toBe(0);
});

test("RFC 7857 §2.2: after a reset four minutes, unless somebody speaks on", () => {
  const { bench, inside, outside, gateway } = gatewayBench();
  inside.deliver(tcp(SYN));
  outside.deliver(tcp(SYN | ACK, INBOUND));
  inside.deliver(tcp(ACK));
  outside.deliver(tcp(RST, INBOUND));
  inside.deliver(tcp(ACK));
  bench.clock.advance(300_000);
  expect(gateway.tracking.size).toBe(1);
  outside.deliver(tcp(RST, INBOUND));
  bench.clock.advance(240_001);
  expect(gateway.tracking.size).toBe(0);
});

test("RFC 3022 §2: a segment in the middle of nothing stays inside, for its address means nothing outside", () => {
  const { bench, inside, outside } = gatewayBench();
  inside.deliver(tcp(ACK));
  inside.deliver(tcp(RST));
  inside.deliver(icmp({ type: 0, code: 0, rest: 0x00070001 }, octets(8), { source: INNER, destination: SERVER }));
  expect(outside.take()).toEqual([]);
  expect(bench.takeDrops()).toEqual(["untranslatable", "untranslatable", "untranslatable"]);
});

test("RFC 5508 REQ-1, REQ-2: echoes are told apart by their identifier, and are remembered for a minute", () => {
  const { bench, inside, outside, gateway } = gatewayBench();
  const request = { type: 8, code: 0, rest: 0x00070001 };
  inside.deliver(icmp(request, octets(12), { source: INNER, destination: SERVER }));
  inside.deliver(icmp(request, octets(12), { source: "10.0.0.3", destination: SERVER }));
  const identifiers = outside.take().map((sent) => {
    expect(checksumOf(sent)).toBe(0);
    return icmpOf(sent).rest >>> 16;
  });
  expect(identifiers[0]).toBe(7);
  expect(identifiers[1]).not.toBe(7);
  for (const identifier of identifiers) {
    const rest = ((identifier << 16) | 1) >>> 0;
    outside.deliver(icmp({ type: 0, code: 0, rest }, octets(12), { source: SERVER, destination: OUTER }));
  }
  const back = inside.take();
  expect(back.map((sent) => [sent.nextHop, icmpOf(sent).rest])).toEqual([
    [INNER, 0x00070001],
    ["10.0.0.3", 0x00070001],
  ]);
  bench.clock.advance(60_001);
  expect(gateway.tracking.size).toBe(0);
});

test("RFC 5508 REQ-4: an error about what went out comes back to its sender, quoting what he has sent", () => {
  const { inside, outside } = gatewayBench();
  inside.deliver(udp({ from: "10.0.0.3" }));
  inside.deliver(udp());
  const [, sent] = outside.take();
  expect(endsOf(sent)).not.toContain(":5000 >");
  outside.deliver(icmp({ type: 3, code: 4, rest: 1280 }, sent.bytes, { source: "198.51.100.254", destination: OUTER }));
  const [error] = inside.take();
  expect(error.nextHop).toBe(INNER);
  expect(checksumOf(error)).toBe(0);
  const { type, code, rest, body } = icmpOf(error);
  expect({ type, code, rest }).toEqual({ type: 3, code: 4, rest: 1280 });
  const quoted = PacketBuffer.wrap(body);
  const header = readUncheckedIpv4Header(quoted);
  if (typeof header === "string") throw new Error(header);
  expect(endsOf({ header, payload: body.subarray(20) })).toBe("10.0.0.2:5000 > 203.0.113.9:80");
  // The quotation is whole: its checksums, too, are those of what was sent, but for the router's hop.
  expect(checksumOf({ header, payload: body.subarray(20) })).toBe(0);
  expect(header.timeToLive).toBe(63);
});

test("RFC 5508 REQ-3, REQ-4: a damaged error, or one about nothing that was sent, is not let in", () => {
  const { bench, inside, outside } = gatewayBench();
  inside.deliver(udp());
  const [sent] = outside.take();
  const damaged = icmpBytes({ type: 3, code: 1, rest: 0 }, sent.bytes);
  damaged[30] ^= 1;
  outside.deliver(datagram({ source: "198.51.100.254", destination: OUTER, protocol: 1 }, damaged));
  outside.deliver(
    icmp({ type: 3, code: 1, rest: 0 }, udp({ from: OUTER, fromPort: 5001 }).slice(), { source: "198.51.100.254", destination: OUTER }),
  );
  expect(inside.take()).toEqual([]);
  expect(bench.layer.icmp.counters.InMsgs).toBe(2);
});

test("RFC 5508 REQ-5 (c): a router inside speaks with the outside's address, as its hosts do", () => {
  const { inside, outside } = gatewayBench();
  inside.deliver(udp());
  outside.take();
  outside.deliver(udp(INBOUND));
  const [received] = inside.take();
  inside.deliver(icmp({ type: 3, code: 1, rest: 0 }, received.bytes, { source: "10.0.0.77", destination: SERVER }));
  const [error] = outside.take();
  expect(checksumOf(error)).toBe(0);
  const { body } = icmpOf(error);
  const header = readUncheckedIpv4Header(PacketBuffer.wrap(body));
  if (typeof header === "string") throw new Error(header);
  expect(endsOf({ header: error.header, payload: octets(4) })).toMatch(/^192\.0\.2\.1:.* > 203\.0\.113\.9:/);
  expect(endsOf({ header, payload: body.subarray(20) })).toBe("203.0.113.9:80 > 192.0.2.1:5000");
});

test("our own errors quote what the inner host has sent: time exceeded, fragmentation needed", () => {
  const { inside, bench } = gatewayBench();
  const expired = udp({}, octets(20), { timeToLive: 1 });
  inside.deliver(expired);
  const narrow = bench.addLink("eth2", "198.51.100.1/24", 576);
  inside.deliver(udp({ to: "198.51.100.9" }, octets(1000), { dontFragment: true }));
  expect(narrow.take()).toEqual([]);
  const errors = inside.take().map(icmpOf);
  expect(errors.map(({ type, code }) => [type, code])).toEqual([
    [11, 0],
    [3, 4],
  ]);
  expect(errors[0].body).toEqual(expired.slice());
});

test("RFC 2663 §4.1.2: what is sent to a port of the outside goes to an inner host; his answers come from that port", () => {
  const { bench, inside, outside } = gatewayBench({ nat: { outside: "eth0", forward: [{ port: 8080, to: `${INNER}:80` }] } });
  outside.deliver(tcp(SYN, { from: SERVER, fromPort: 4000, to: OUTER, toPort: 8080 }));
  const [forwarded] = inside.take();
  expect(endsOf(forwarded)).toBe("203.0.113.9:4000 > 10.0.0.2:80");
  expect(checksumOf(forwarded)).toBe(0);
  inside.deliver(tcp(SYN | ACK, { from: INNER, fromPort: 80, to: SERVER, toPort: 4000 }));
  const [answer] = outside.take();
  expect(endsOf(answer)).toBe("192.0.2.1:8080 > 203.0.113.9:4000");
  expect(checksumOf(answer)).toBe(0);
  // Another protocol, another port: the router's own.
  outside.deliver(udp({ from: SERVER, fromPort: 4000, to: OUTER, toPort: 8080 }));
  expect(bench.udp.received).toHaveLength(1);
  // Nobody inside is given a port that is forwarded.
  inside.deliver(tcp(SYN, { fromPort: 8080 }));
  expect(endsOf(outside.take()[0])).not.toContain("192.0.2.1:8080 >");
});

test("RFC 4787 REQ-9: inner hosts reach each other by the outside's address, and see each other by it", () => {
  const { inside, outside } = gatewayBench({ nat: { outside: "eth0", forward: [{ port: 8080, to: "10.0.0.3:80" }] } });
  inside.deliver(tcp(SYN, { to: OUTER, toPort: 8080 }));
  expect(inside.take().map(endsOf)).toEqual(["192.0.2.1:5000 > 10.0.0.3:80"]);
  inside.deliver(tcp(SYN | ACK, { from: "10.0.0.3", fromPort: 80, to: OUTER, toPort: 5000 }));
  expect(inside.take().map(endsOf)).toEqual(["192.0.2.1:8080 > 10.0.0.2:5000"]);
  // By a mapping, too: 10.0.0.4 has spoken to the outside from port 9000.
  inside.deliver(udp({ from: "10.0.0.4", fromPort: 9000 }));
  inside.deliver(udp({ to: OUTER, toPort: 9000 }));
  expect(inside.take().map(endsOf)).toEqual(["192.0.2.1:5000 > 10.0.0.4:9000"]);
  expect(outside.take()).toHaveLength(1);
});

test("RFC 4787 REQ-14: fragments are put together, translated, and cut again under an identification of our own", () => {
  const { inside, outside } = gatewayBench();
  const whole = udp({}, octets(3000));
  const bytes = whole.slice(20);
  const piece = (from: number, to: number, moreFragments: boolean): PacketBuffer =>
    datagram({ source: INNER, destination: SERVER, identification: 77, fragmentOffset: from, moreFragments }, bytes.slice(from, to));
  // The last one first: RFC 4787 REQ-14 (a) asks for out of order.
  inside.deliver(piece(2048, bytes.length, false));
  inside.deliver(piece(0, 1024, true));
  expect(outside.take()).toEqual([]);
  inside.deliver(piece(1024, 2048, true));
  const pieces = outside.take();
  expect(pieces.length).toBeGreaterThan(2);
  const payload = new Uint8Array(bytes.length);
  for (const each of pieces) payload.set(each.payload, each.header.fragmentOffset);
  expect(endsOf({ header: pieces[0].header, payload })).toBe("192.0.2.1:5000 > 203.0.113.9:80");
  expect(checksumOf({ header: pieces[0].header, payload })).toBe(0);
  expect(new Set(pieces.map(({ header }) => header.identification)).size).toBe(1);
  expect(pieces[0].header.identification).not.toBe(77);
});

test("a UDP datagram without a checksum keeps having none (RFC 768)", () => {
  const { inside, outside } = gatewayBench();
  const packet = udp();
  packet.setU16(26, 0);
  inside.deliver(packet);
  const [sent] = outside.take();
  expect([sent.payload[6], sent.payload[7]]).toEqual([0, 0]);
});

test("what this host says itself takes part: its port is nobody else's", () => {
  const { bench, inside, outside } = gatewayBench();
  const send = (): void => {
    const packet = PacketBuffer.allocate(bench.layer.headroom, 16);
    packet.set(udp({ from: OUTER }).slice(20, 16));
    bench.layer.send(packet, { source: 0xc0000201 as never, destination: 0xcb007109 as never, protocol: 17 });
  };
  send();
  inside.deliver(udp());
  const [own, other] = outside.take().map(endsOf);
  expect(own).toBe("192.0.2.1:5000 > 203.0.113.9:80");
  expect(other).not.toBe(own);
  outside.deliver(udp(INBOUND));
  expect(inside.take()).toEqual([]);
  expect(bench.udp.received).toHaveLength(1);
});

test("RFC 5508 REQ-8: when no port is free the sender hears of it: prohibited", () => {
  const { inside, outside } = gatewayBench({ nat: { outside: "eth0" }, tracking: { connections: 1 } });
  inside.deliver(udp());
  outside.deliver(udp(INBOUND));
  inside.take();
  outside.take();
  // The one there is has been answered: it makes no room.
  inside.deliver(udp({ fromPort: 5001 }));
  expect(outside.take()).toEqual([]);
  expect(icmpOf(inside.take()[0])).toMatchObject({ type: 3, code: 13 });
});

test("a host outside that nobody answers for: the inner host hears of it in his own terms", () => {
  const { bench, inside, outside } = gatewayBench();
  inside.deliver(udp());
  const [sent] = outside.take();
  outside.receiver?.unresolved(PacketBuffer.wrap(sent.bytes.slice()), outside, 0xc00002fe as never);
  const { type, code, body } = icmpOf(inside.take()[0]);
  expect([type, code]).toEqual([3, 1]);
  expect(body[15]).toBe(2);
  expect(bench.udp.errors).toEqual([]);
});

test("forwards are checked when they are made", () => {
  expect(() => gatewayBench({ nat: { outside: "eth0", forward: [{ port: 0, to: INNER }] } })).toThrow(RangeError);
  expect(() => gatewayBench({ nat: { outside: "eth0", forward: [{ port: 80, to: "inner:80" }] } })).toThrow(RangeError);
  expect(() => gatewayBench({ nat: { outside: "eth0", forward: [{ port: 80, to: `${INNER}:http` }] } })).toThrow(RangeError);
});
