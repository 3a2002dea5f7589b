// Queues that mark or drop before they are full: which packets, when, and what is left of the header.
import { foldChecksum, PacketBuffer, sumBytes, VirtualClock } from "@netstrata/core";
import {
  codel,
  createWire,
  markCongestion,
  type QueueDiscipline,
  type QueueDisciplineFactory,
  type QueueVerdict,
  thresholdMarking,
} from "@netstrata/link";
import fc from "fast-check";
import { expect, test } from "vitest";

const NOT_ECT = 0;
const ECT_1 = 1;
const ECT_0 = 2;
const CE = 3;

function ipv4(trafficClass: number, length = 100): PacketBuffer {
  const packet = PacketBuffer.allocate(0, length);
  packet.setU8(0, 0x45);
  packet.setU8(1, trafficClass);
  packet.setU16(2, length);
  packet.setU8(8, 64);
  packet.setU32(12, 0x0a000001);
  packet.setU32(16, 0x0a000002);
  packet.setU16(10, foldChecksum(sumBytes(packet.bytes, packet.start, packet.start + 20)));
  return packet;
}

function ipv6(trafficClass: number): PacketBuffer {
  const packet = PacketBuffer.allocate(0, 60);
  packet.setU32(0, ((6 << 28) | (trafficClass << 20) | 0x12345) >>> 0);
  return packet;
}

test("RFC 3168 §5: only ECN-capable packets are marked, and their DS field stays (RFC 1624: the checksum is right by the difference)", () => {
  fc.assert(
    fc.property(fc.nat(255), (trafficClass) => {
      const packet = ipv4(trafficClass);
      const isCapable = (trafficClass & CE) !== NOT_ECT;
      expect(markCongestion(packet, "ip")).toBe(isCapable);
      expect(packet.u8(1)).toBe(isCapable ? trafficClass | CE : trafficClass);
      expect(foldChecksum(sumBytes(packet.bytes, packet.start, packet.start + 20))).toBe(0);
    }),
  );
});

test("RFC 1624: a checksum that was wrong stays wrong", () => {
  const packet = ipv4(ECT_0);
  packet.setU16(10, packet.u16(10) ^ 0x0100);
  markCongestion(packet, "ip");
  expect(foldChecksum(sumBytes(packet.bytes, packet.start, packet.start + 20))).not.toBe(0);
});

test("RFC 3168 §5: in IPv6 the flow label and the DS field stay", () => {
  fc.assert(
    fc.property(fc.nat(255), (trafficClass) => {
      const packet = ipv6(trafficClass);
      const isCapable = (trafficClass & CE) !== NOT_ECT;
      expect(markCongestion(packet, "ip")).toBe(isCapable);
      expect(packet.u32(0)).toBe(((6 << 28) | ((isCapable ? trafficClass | CE : trafficClass) << 20) | 0x12345) >>> 0);
    }),
  );
});

test("in Ethernet frames the header is found behind tags; what is not IP, or cut off, is left alone", () => {
  const types = (...words: number[]): PacketBuffer => {
    const inner = ipv4(ECT_1);
    const frame = PacketBuffer.allocate(0, 12 + 2 * words.length + inner.length);
    for (const [index, word] of words.entries()) frame.setU16(12 + 2 * index, word);
    frame.set(inner.view(), 12 + 2 * words.length);
    return frame;
  };
  expect(markCongestion(types(0x0800), "ethernet")).toBe(true);
  expect(markCongestion(types(0x8100, 5, 0x0800), "ethernet")).toBe(true);
  expect(markCongestion(types(0x88a8, 5, 0x8100, 5, 0x0800), "ethernet")).toBe(true);
  expect(markCongestion(types(0x0806), "ethernet")).toBe(false);
  for (let length = 0; length < 34; length += 1) {
    const frame = types(0x0800);
    frame.truncate(length);
    expect(markCongestion(frame, "ethernet")).toBe(false);
  }
});

/** Sends `count` packets of 1250 octets, one each `interval` ms, over 1 Mbit/s: 10 ms each. Returns what arrived, by its ECN field. */
function run(
  queue: QueueDisciplineFactory | undefined,
  count: number,
  interval: number,
  field: number,
): { arrived: number[]; times: number[] } {
  const clock = new VirtualClock();
  const wire = createWire(clock, { medium: "ip", mtu: 1500, rate: 1_000_000, queue });
  const arrived: number[] = [];
  const times: number[] = [];
  wire.b.attach({
    receive: (packet) => {
      arrived.push(packet.u8(1) & CE);
      times.push(clock.now());
    },
  });
  for (let index = 0; index < count; index += 1) {
    wire.a.transmit(ipv4(field, 1250));
    clock.advance(interval);
  }
  clock.runUntilIdle();
  return { arrived, times };
}

test("threshold marking: what finds K packets before it is marked, or dropped (RFC 8257 §3.1)", () => {
  expect(run(thresholdMarking(3), 6, 0, ECT_0).arrived).toEqual([ECT_0, ECT_0, ECT_0, CE, CE, CE]);
  expect(run(thresholdMarking(3), 6, 0, NOT_ECT).arrived).toEqual([NOT_ECT, NOT_ECT, NOT_ECT]);
  expect(run(undefined, 6, 0, ECT_0).arrived).toEqual(new Array(6).fill(ECT_0));
});

test("CoDel: a burst that is gone within an interval is left alone (RFC 8289 §4.2)", () => {
  expect(run(codel(), 10, 0, ECT_0).arrived.filter((field) => field === CE)).toHaveLength(0);
});

test("CoDel: a standing queue is marked from one interval on, ever more often (RFC 8289 §4.1)", () => {
  // Arrivals at 10/9 of the rate: the queue grows by one packet in ninety ms.
  const { arrived, times } = run(codel({ target: 20, interval: 100 }), 300, 9, ECT_0);
  expect(arrived).toHaveLength(300);
  const marks = times.filter((_, index) => arrived[index] === CE);
  expect(marks.length).toBeGreaterThan(20);
  const gaps = marks.slice(1).map((time, index) => time - marks[index]);
  // interval / sqrt(n), rounded to whole packets of 10 ms.
  for (let n = 1; n <= 6; n += 1) expect(Math.abs(gaps[n - 1] - 100 / Math.sqrt(n))).toBeLessThanOrEqual(10);
  const early = times[arrived.indexOf(CE)];
  expect(early).toBeGreaterThan(100);
});

test("CoDel: what cannot be marked is dropped, and the queue stays near the target (RFC 8289 §5.5)", () => {
  const { arrived, times } = run(codel({ target: 20, interval: 100 }), 2000, 9, NOT_ECT);
  expect(arrived.length).toBeLessThan(2000);
  expect(arrived.length).toBeGreaterThan(1700);
  // The last packet that arrived had been sent at most so long before.
  expect((times.at(-1) as number) - 2000 * 9).toBeLessThan(150);
});

test("CoDel: a link too slow for the target keeps one packet (RFC 8289 §4.4)", () => {
  // 10 ms a packet against a target of 1 ms; one waits while one is sent.
  expect(run(codel({ target: 1, interval: 50 }), 100, 10, NOT_ECT).arrived).toHaveLength(100);
});

test("a discipline of one's own sees how long the packet will wait, and how many are before it", () => {
  const seen: number[][] = [];
  const spy: QueueDiscipline = {
    judge: ({ now, sojourn, packets, transmission }): QueueVerdict => {
      seen.push([now, sojourn, packets, transmission]);
      return packets === 2 ? "drop" : "pass";
    },
  };
  expect(run(() => spy, 4, 5, ECT_0).arrived).toHaveLength(3);
  expect(seen).toEqual([
    [0, 0, 0, 10],
    [5, 5, 1, 10],
    [10, 10, 1, 10],
    [15, 15, 2, 10],
  ]);
});

test("misuse throws at once", () => {
  expect(() => codel({ target: 0 })).toThrow(RangeError);
  expect(() => codel({ target: 100, interval: 100 })).toThrow(RangeError);
  expect(() => thresholdMarking(Number.NaN)).toThrow(RangeError);
});
