// Super-segments: cut by the device, or here when the device does not (RFC 9293 §3.1, RFC 3168 §6.1.2).
import { foldChecksum, ip, PacketBuffer, prefix, sumBytes } from "@netstrata/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { segmentTcp, sumPseudoHeader } from "../src/index.ts";
import { Bench, datagram, icmpOf, octets, RecordingInterface, type Sent } from "./bench-host.ts";

const ALL_FLAGS = 0xff;

/** A TCP message with `seq` near the end of the circle and 12 octets of options. */
function message(length: number): Uint8Array {
  const bytes = new Uint8Array(32 + length);
  bytes.set([0, 80, 0, 81, 0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 1, 0x80, ALL_FLAGS, 0x10, 0]);
  bytes.fill(1, 20, 32);
  bytes.set(octets(length), 32);
  return bytes;
}

function superSegment(length: number, segmentSize: number): PacketBuffer {
  const bytes = message(length);
  const packet = PacketBuffer.allocate(80, bytes.length);
  packet.set(bytes);
  packet.segmentSize = segmentSize;
  packet.checksum = "partial";
  return packet;
}

const TO = { source: ip("192.0.2.1"), destination: ip("192.0.2.2"), protocol: 6, dontFragment: true };

function expectSegments(sent: readonly Sent[], length: number, segmentSize: number): void {
  expect(sent).toHaveLength(Math.ceil(length / segmentSize));
  const stream: number[] = [];
  for (const [index, { header, payload }] of sent.entries()) {
    const segment = PacketBuffer.wrap(payload.slice());
    expect(segment.u32(4)).toBe((0xfffffff0 + stream.length) >>> 0);
    const isLast = index === sent.length - 1;
    expect(segment.u8(13)).toBe(ALL_FLAGS & ~(index === 0 ? 0 : 0x80) & ~(isLast ? 0 : 0x09));
    const pseudo = sumPseudoHeader(header.source, header.destination, 6, payload.length);
    expect(foldChecksum(sumBytes(payload, 0, payload.length, pseudo))).toBe(0);
    expect(payload.slice(20, 32)).toEqual(new Uint8Array(12).fill(1));
    stream.push(...payload.slice(32));
  }
  expect(Uint8Array.from(stream)).toEqual(octets(length));
}

test("where the device takes none, a super-segment leaves as segments: numbers, flags, checksums and octets are right", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 1448 }), (length, segmentSize) => {
      fc.pre(length / segmentSize < 500);
      const bench = new Bench();
      expect(bench.layer.send(superSegment(length, segmentSize), TO)).toBe("sent");
      expectSegments(bench.link.take(), length, segmentSize);
    }),
    { numRuns: 50 },
  );
});

test("each segment has an identification of its own, modulo 2^16", () => {
  const packet = datagram({ protocol: 6, identification: 0xfffe }, message(30));
  packet.segmentSize = 10;
  expect(segmentTcp(packet, 1500, 0)?.map((segment) => segment.u16(4))).toEqual([0xfffe, 0xffff, 0]);
});

test("a router between a wire that carries super-segments and one that does not cuts them", () => {
  const bench = new Bench({ forwarding: true });
  const out = bench.addLink("eth1", "198.51.100.1/24");
  const packet = datagram({ source: "192.0.2.2", destination: "198.51.100.2", protocol: 6, dontFragment: true }, message(5000));
  packet.segmentSize = 1000;
  bench.layer.receive(packet, bench.link, "unicast");
  expectSegments(out.take(), 5000, 1000);
});

test("segments that would not fit the MTU are not made: the sender is told", () => {
  const bench = new Bench({ forwarding: true });
  bench.addLink("eth1", "198.51.100.1/24", 600);
  const packet = datagram({ source: "192.0.2.2", destination: "198.51.100.2", protocol: 6, dontFragment: true }, message(5000));
  packet.segmentSize = 1000;
  bench.layer.receive(packet, bench.link, "unicast");
  expect(icmpOf(bench.link.take()[0])).toMatchObject({ type: 3, code: 4, rest: 600 });
  expect(bench.layer.send(superSegment(5000, 1449), TO)).toBe("message-too-long");
});

test("what is no TCP segment, or a broken one, is not cut", () => {
  const cut = (protocol: number, change: (bytes: Uint8Array) => void, length = 100): unknown => {
    const bytes = message(length);
    change(bytes);
    const packet = datagram({ protocol }, bytes);
    packet.segmentSize = 10;
    return segmentTcp(packet, 1500, 0);
  };
  expect(cut(6, () => {})).toHaveLength(10);
  expect(cut(17, () => {})).toBeUndefined();
  expect(cut(6, (bytes) => bytes.fill(0x40, 12, 13))).toBeUndefined();
  expect(cut(6, (bytes) => bytes.fill(0xf0, 12, 13), 4)).toBeUndefined();
  const short = datagram({ protocol: 6 }, octets(19));
  short.segmentSize = 10;
  expect(segmentTcp(short, 1500, 0)).toBeUndefined();
});

test("a partial checksum is finished on its way to a device that will not do it", () => {
  const bench = new Bench({ forwarding: true }, new RecordingInterface("eth0", 1500, { checksum: true, segmentation: 0 }));
  const out = bench.addLink("eth1", "198.51.100.1/24");
  bench.layer.addAddress(out, prefix("203.0.113.1/24"));
  const udp = Uint8Array.of(0, 1, 0, 2, 0, 8, 0x12, 0x34);
  const packet = datagram({ destination: "198.51.100.2" }, udp);
  packet.checksum = "partial";
  bench.layer.receive(packet, bench.link, "unicast");
  expect(out.take()[0].payload.slice(6)).toEqual(Uint8Array.of(0xed, 0xc0));
  // Pseudo-header and message sum to nothing: UDP writes the other zero.
  const zero = datagram({ destination: "198.51.100.2" }, Uint8Array.of(0, 1, 0, 2, 0, 8, 0xff, 0xf4));
  zero.checksum = "partial";
  bench.layer.receive(zero, bench.link, "unicast");
  expect(out.take()[0].payload.slice(6)).toEqual(Uint8Array.of(0xff, 0xff));
});
