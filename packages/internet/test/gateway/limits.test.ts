// Nothing that comes in makes a gateway throw, grow beyond its limits, or confuse one conversation with another.
import { PacketBuffer } from "@netstrata/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readUncheckedIpv4Header } from "../../src/index.ts";
import { datagram, icmp, octets, type Sent } from "../bench-host.ts";
import { ACK, checksumOf, endsOf, type GatewayBench, gatewayBench, INNER, OUTER, SERVER, SYN, tcp, udp } from "./gateway-bench.ts";

const LIMIT = 500;

function quad(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join(".");
}

test("100,000 spoofed SYNs: no more conversations than may be, short chains, and an established one goes on", () => {
  const { inside, outside, gateway } = gatewayBench({ nat: { outside: "eth0" }, filter: {}, tracking: { connections: LIMIT } });
  const back = { from: SERVER, fromPort: 80, to: OUTER, toPort: 5000 };
  inside.deliver(tcp(SYN));
  outside.deliver(tcp(SYN | ACK, back));
  inside.deliver(tcp(ACK));
  for (let count = 0; count < 100_000; count += 1) {
    outside.deliver(tcp(SYN, { from: quad(0x0b000000 + count * 7), fromPort: 1 + (count % 60_000), to: OUTER, toPort: 80 }));
    if (count % 1000 === 0) expect(gateway.tracking.size).toBeLessThanOrEqual(LIMIT);
  }
  expect(gateway.tracking.size).toBe(LIMIT);
  expect(gateway.tracking.evictions).toBe(100_000 + 1 - LIMIT);
  expect(gateway.tracking.longestChain).toBeLessThan(12);
  inside.take();
  outside.deliver(tcp(ACK, back));
  expect(inside.take().map(endsOf)).toEqual(["203.0.113.9:80 > 10.0.0.2:5000"]);
});

test("100,000 spoofed datagrams from inside: ports and conversations stay within the limit and are free when time is up", () => {
  const { bench, inside, outside, gateway } = gatewayBench({ nat: { outside: "eth0" }, tracking: { connections: LIMIT } });
  for (let count = 0; count < 100_000; count += 1) {
    inside.deliver(udp({ from: quad(0x0a000002 + (count % 200)), fromPort: 1 + ((count * 31) % 65_535) }, octets(0)));
    if (count % 100 === 0) outside.take();
  }
  expect(gateway.tracking.size).toBe(LIMIT);
  expect(gateway.nat?.mappings.size).toBe(LIMIT);
  bench.clock.advance(120_001);
  expect([gateway.tracking.size, gateway.nat?.mappings.size]).toEqual([0, 0]);
  expect(bench.clock.armedTimers).toBe(0);
});

test("100,000 errors about nothing, and echo replies to nobody: nothing is remembered", () => {
  const { outside, inside, gateway } = gatewayBench({ nat: { outside: "eth0" }, filter: {} });
  const quoted = udp({ from: OUTER }).slice();
  const error = icmp({ type: 3, code: 1, rest: 0 }, quoted, { source: SERVER, destination: OUTER }).slice();
  const reply = icmp({ type: 0, code: 0, rest: 0x00010001 }, octets(8), { source: SERVER, destination: OUTER }).slice();
  for (let count = 0; count < 50_000; count += 1) {
    outside.deliver(error);
    outside.deliver(reply);
  }
  expect([gateway.tracking.size, inside.take()]).toEqual([0, []]);
});

test("fragment floods stay within the limits of reassembly", () => {
  const { bench, inside } = gatewayBench({ nat: { outside: "eth0" }, reassembly: { datagrams: 64 } });
  for (let identification = 0; identification < 10_000; identification += 1) {
    inside.deliver(datagram({ source: INNER, destination: SERVER, identification, moreFragments: true }, octets(64)));
  }
  expect(bench.layer.ipv4.reassembler.size).toBeLessThanOrEqual(64);
});

test("port mappings: when all tried are taken there is none, and the work is bounded", () => {
  const { gateway } = gatewayBench({ nat: { outside: "eth0" } });
  const mappings = gateway.nat?.mappings;
  if (mappings === undefined) throw new Error("no mappings");
  let refused = 0;
  for (let host = 0; host < 70_000; host += 1) {
    if (mappings.mapTo(0xc0000201 as never, 17, (0x0a000002 + host) as never, 5000) === undefined) refused += 1;
  }
  expect(mappings.size + refused).toBe(70_000);
  expect(mappings.size).toBeLessThanOrEqual(64_512);
  expect(mappings.size).toBeGreaterThan(55_000);
});

const step = fc.record({
  host: fc.integer({ min: 2, max: 5 }),
  port: fc.constantFrom(0, 1, 80, 1024, 5000, 5001, 65535),
  server: fc.integer({ min: 1, max: 3 }),
  serverPort: fc.constantFrom(53, 80, 5000),
  protocol: fc.constantFrom("udp", "tcp", "echo"),
});

test("property: mapping is injective, checksums are right, and every answer finds its way back", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { inside, outside } = gatewayBench();
      const outer = new Map<string, string>();
      for (const { host, port, server, serverPort, protocol } of steps) {
        const from = `10.0.0.${host}`;
        const to = `203.0.113.${server}`;
        if (protocol === "echo") inside.deliver(icmp({ type: 8, code: 0, rest: port << 16 }, octets(4), { source: from, destination: to }));
        else
          inside.deliver((protocol === "udp" ? udp : (ends: object) => tcp(SYN, ends))({ from, fromPort: port, to, toPort: serverPort }));
        const [sent] = outside.take();
        expect(checksumOf(sent)).toBe(0);
        const inner = `${protocol} ${from}:${port} > ${to}:${protocol === "echo" ? "" : serverPort}`;
        const wire = `${protocol} ${to} ${protocol === "echo" ? identifierOf(sent) : endsOf(sent)}`;
        expect(outer.get(wire) ?? inner).toBe(inner);
        outer.set(wire, inner);
        outside.deliver(answerTo(sent));
        const [back] = inside.take();
        expect(back.nextHop).toBe(from);
        expect(checksumOf(back)).toBe(0);
        if (protocol === "echo") expect(identifierOf(back)).toBe(port);
        else expect(endsOf(back)).toBe(`${to}:${serverPort} > ${from}:${port}`);
      }
    }),
  );
});

function identifierOf({ payload }: Sent): number {
  return (payload[4] << 8) | payload[5];
}

/** What the other end would say to it, checksum and all. */
function answerTo({ header, payload }: Sent): PacketBuffer {
  const ends = { from: quad(header.destination), fromPort: word(payload, 2), to: quad(header.source), toPort: word(payload, 0) };
  if (header.protocol === 17) return udp(ends);
  if (header.protocol === 6) return tcp(SYN | ACK, ends);
  return icmp({ type: 0, code: 0, rest: word(payload, 4) << 16 }, octets(4), { source: ends.from, destination: ends.to });
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

const hostile = fc.record({
  side: fc.boolean(),
  protocol: fc.constantFrom(1, 6, 17, 47, 58),
  source: fc.constantFrom(INNER, "10.0.0.3", SERVER, OUTER, "198.51.100.1"),
  destination: fc.constantFrom(INNER, OUTER, SERVER, "192.0.2.255", "224.0.0.1"),
  payload: fc.uint8Array({ maxLength: 80 }),
  fragmentOffset: fc.constantFrom(0, 0, 0, 8, 65_528),
  moreFragments: fc.boolean(),
  quote: fc.boolean(),
});

test("property: random packets never throw, and what leaves is a datagram", () => {
  const benches: GatewayBench[] = [
    gatewayBench({
      nat: { outside: "eth0", filtering: "endpoint-independent", forward: [{ port: 80, to: INNER }] },
      tracking: { connections: 50 },
    }),
    gatewayBench({
      filter: { forward: ["reject state invalid", "reject tcp", "accept"], input: ["reject"] },
      mssClamping: true,
      reversePathCheck: "strict",
    }),
  ];
  fc.assert(
    fc.property(hostile, ({ side, quote, payload, ...fields }) => {
      const inner = datagram({ ...fields, protocol: 17, fragmentOffset: 0, moreFragments: false }, payload).slice();
      for (const { bench, inside, outside, gateway } of benches) {
        const packet = quote
          ? icmp({ type: 3, code: 1, rest: 0 }, inner, { source: fields.source, destination: fields.destination })
          : datagram(fields, payload);
        (side ? inside : outside).deliver(packet);
        for (const sent of [...inside.take(), ...outside.take()])
          expect(typeof readUncheckedIpv4Header(PacketBuffer.wrap(sent.bytes))).toBe("object");
        expect(gateway.tracking.size).toBeLessThanOrEqual(50_000);
        bench.clock.advance(1);
      }
      expect(benches[0].gateway.tracking.size).toBeLessThanOrEqual(50);
    }),
    { numRuns: 2000 },
  );
});
