// Bad input: nothing throws, nothing grows without bound, and the host goes on serving.
import { ip, PacketBuffer, SeededRandom } from "@netstrata/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Bench, type DatagramFields, datagram, icmp, icmpBytes, octets } from "./bench-host.ts";

const ECHO = { type: 8, code: 0, rest: 1 };

/** A router, so that every path is open to the attacker. */
function target(): Bench {
  const bench = new Bench({ forwarding: true, directedBroadcasts: true });
  bench.addLink("eth1", "198.51.100.1/24", 600);
  bench.udp.answer = "port-unreachable";
  return bench;
}

function expectAlive(bench: Bench): void {
  bench.link.take();
  bench.link.deliver(icmp(ECHO, octets(8)));
  expect(bench.link.take()).toHaveLength(1);
}

const specimens: readonly Uint8Array[] = [
  datagram({ options: Uint8Array.of(131, 11, 12, 198, 51, 100, 1, 192, 0, 2, 254, 148, 4, 0, 0, 0) }, octets(40)),
  datagram({ destination: "198.51.100.9", options: Uint8Array.of(7, 7, 4, 0, 0, 0, 0, 68, 8, 5, 0, 0, 0, 0, 0, 0) }),
  datagram({ moreFragments: true }, octets(64)),
  datagram({ destination: "198.51.100.255" }),
  icmp(ECHO, octets(32)),
  icmp({ type: 3, code: 4, rest: 1300 }, datagram({ source: "192.0.2.1", destination: "192.0.2.2" }).slice()),
  icmp({ type: 11, code: 0, rest: 0 }, datagram({ source: "192.0.2.1", protocol: 1 }, icmpBytes(ECHO, octets(9))).slice()),
].map((packet) => packet.slice());

test("each specimen cut off at every octet, with the lengths as they were and with the lengths made right", () => {
  const bench = target();
  for (const specimen of specimens) {
    for (let length = 0; length < specimen.length; length += 1) {
      const cut = specimen.slice(0, length);
      bench.link.deliver(cut);
      if (length < 20) continue;
      const right = PacketBuffer.wrap(cut.slice());
      right.setU16(2, length);
      bench.link.deliver(withChecksum(right));
    }
  }
  expectAlive(bench);
});

function withChecksum(packet: PacketBuffer): PacketBuffer {
  const headerLength = Math.min(packet.length, (packet.u8(0) & 0xf) * 4) & ~1;
  packet.setU16(10, 0);
  let sum = 0;
  for (let at = 0; at < headerLength; at += 2) sum += packet.u16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  packet.setU16(10, ~sum & 0xffff);
  return packet;
}

test("specimens with any octets of them changed, and the header checksum right so that they get far", () => {
  const change = fc.record({ at: fc.nat(90), value: fc.nat(255) });
  const bench = target();
  fc.assert(
    fc.property(
      fc.constantFrom(...specimens),
      fc.array(change, { minLength: 1, maxLength: 8 }),
      fc.constantFrom("unicast", "broadcast"),
      (specimen, changes, cast) => {
        const bytes = specimen.slice();
        for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
        bench.link.deliver(withChecksum(PacketBuffer.wrap(bytes)), cast as "unicast" | "broadcast");
        bench.link.take();
      },
    ),
    { numRuns: 3000 },
  );
  bench.clock.runUntilIdle();
  expect(bench.layer.ipv4.reassembler.size).toBe(0);
  expectAlive(bench);
});

test("random octets", () => {
  const bench = target();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => bench.link.deliver(bytes)),
    { numRuns: 1000 },
  );
  expectAlive(bench);
});

test("every datagram that arrives is delivered, forwarded, kept for reassembly or dropped for a reason", () => {
  const bench = target();
  const random = new SeededRandom(7);
  for (let count = 0; count < 3000; count += 1) {
    const specimen = specimens[random.uint32() % specimens.length].slice();
    specimen[random.uint32() % specimen.length] = random.uint32();
    bench.link.deliver(random.uint32() % 2 === 0 ? specimen : withChecksum(PacketBuffer.wrap(specimen)));
  }
  const { counters, drops } = bench.layer.ipv4;
  const dropped = Object.values(drops.counters).reduce((sum, count) => sum + count, 0);
  const kept = bench.layer.ipv4.reassembler.size;
  // A directed broadcast is delivered and forwarded both; fragments of one datagram may share a record.
  expect(counters.InDelivers + counters.ForwDatagrams + dropped + kept).toBeGreaterThanOrEqual(counters.InReceives - counters.ReasmReqds);
  const told = bench.drops.filter(({ layer }) => layer === "ipv4").length;
  expect(told).toBe(dropped);
});

test("a flood of each kind leaves memory within its limits, and the host answers at once", () => {
  const kinds: Readonly<Record<string, (count: number) => PacketBuffer>> = {
    "first fragments": (count) => datagram({ ...spoofed(count), moreFragments: true }, octets(1480)),
    "tiny fragments": (count) => datagram({ ...spoofed(count >> 6), moreFragments: true, fragmentOffset: 8 * (count & 63) }, octets(8)),
    "overlapping fragments": (count) =>
      datagram({ ...spoofed(count >> 1), moreFragments: true, fragmentOffset: 8 * (count & 1) }, octets(16)),
    "last fragments at the far end": (count) => datagram({ ...spoofed(count), fragmentOffset: 65496 }, octets(8)),
    "echo requests": (count) => icmp(ECHO, octets(8), spoofed(count)),
    "closed ports": (count) => datagram(spoofed(count)),
    "unknown protocols": (count) => datagram({ ...spoofed(count), protocol: 100 + (count % 100) }),
    "spent TTLs": (count) => datagram({ ...spoofed(count), destination: "198.51.100.9", timeToLive: 1 }),
    "path MTU lies": (count) => {
      const quoted = datagram({ ...spoofed(count), source: "192.0.2.1", destination: `10.0.${(count >> 8) & 255}.${count & 255}` }).slice();
      return icmp({ type: 3, code: 4, rest: 68 }, quoted, spoofed(count));
    },
    redirects: (count) => icmp({ type: 5, code: 1, rest: 0xc0000202 }, octets(28), spoofed(count)),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    const bench = target();
    bench.layer.routes.add({ prefix: { address: ip("0.0.0.0"), length: 0 }, interface: bench.link, nextHop: ip("192.0.2.254") });
    for (let count = 0; count < 6000; count += 1) {
      bench.layer.receive(make(count), bench.link, "unicast");
      bench.link.sent.length = 0;
      bench.drops.length = 0;
    }
    const { reassembler } = bench.layer.ipv4;
    expect(reassembler.octets, kind).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(reassembler.size, kind).toBeLessThanOrEqual(1024);
    expect(bench.layer.destinations.size, kind).toBeLessThanOrEqual(4096);
    expect(bench.clock.armedTimers, kind).toBeLessThanOrEqual(1);
    expectAlive(bench);
    bench.clock.advance(60_000);
    expect(reassembler, kind).toMatchObject({ size: 0, octets: 0 });
    expect(bench.clock.armedTimers, kind).toBe(0);
  }
});

/** Another neighbour far away each time. */
function spoofed(count: number): DatagramFields {
  return { source: `203.${(count >> 16) & 255}.${(count >> 8) & 255}.${count & 255}`, identification: count & 0xffff };
}
