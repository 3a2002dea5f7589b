import { type DropEvent, PacketBuffer, type StackEvent, VirtualClock } from "@netstrata/core";
import { createWire, type Medium, type Wire, type WireOptions } from "@netstrata/link";
import fc from "fast-check";
import { expect, test } from "vitest";
import { describeLinkDevice, samplePacket } from "./link-device-compliance.ts";

for (const medium of ["ethernet", "ip"] satisfies Medium[]) {
  for (const options of [{}, { latency: 5, rate: 1_000_000 }]) {
    describeLinkDevice(`an end of a wire (${medium}, ${JSON.stringify(options)})`, () => {
      const clock = new VirtualClock();
      const { a, b } = createWire(clock, { ...options, medium });
      const arrived: Uint8Array[] = [];
      b.attach({ receive: (packet) => void arrived.push(packet.slice()) });
      return {
        device: a,
        arrived: () => arrived,
        inject: () => {
          const packet = samplePacket(medium, 80, 0x11);
          const octets = packet.slice();
          b.transmit(packet);
          return octets;
        },
        settle: () => void clock.runUntilIdle(),
      };
    });
  }
}

interface Bench {
  readonly clock: VirtualClock;
  readonly wire: Wire;
  /** Arrival times at b. */
  readonly times: number[];
  /** First octets of what arrived at b. */
  readonly marks: number[];
}

function bench(options: WireOptions): Bench {
  const clock = new VirtualClock();
  const wire = createWire(clock, { medium: "ip", ...options });
  const times: number[] = [];
  const marks: number[] = [];
  wire.b.attach({
    receive: (packet) => {
      times.push(clock.now());
      marks.push(packet.u8(0));
    },
  });
  return { clock, wire, times, marks };
}

function datagram(length: number, mark = 0): PacketBuffer {
  const packet = PacketBuffer.allocate(0, length);
  packet.setU8(0, mark);
  return packet;
}

test("without a rate every packet arrives after the latency", () => {
  const { clock, wire, times } = bench({ latency: 30 });
  wire.a.transmit(datagram(100));
  clock.advance(10);
  wire.a.transmit(datagram(1500));
  clock.runUntilIdle();
  expect(times).toEqual([30, 40]);
});

test("a rate puts packets one behind the other, and the transmitter rests between bursts", () => {
  // 1000 octets at 1 Mbit/s take 8 ms.
  const { clock, wire, times } = bench({ latency: 10, rate: 1_000_000 });
  for (let count = 0; count < 3; count += 1) wire.a.transmit(datagram(1000));
  clock.advance(100);
  wire.a.transmit(datagram(500));
  clock.runUntilIdle();
  expect(times).toEqual([18, 26, 34, 114]);
});

test("the queue of a transmitter is limited, and what is on its way does not count", () => {
  const { clock, wire, times } = bench({ latency: 1000, rate: 1_000_000, queueLimit: 2 });
  for (let count = 0; count < 3; count += 1) wire.a.transmit(datagram(1000));
  expect(wire.a.counters.txDropped).toBe(1);
  clock.advance(7);
  wire.a.transmit(datagram(1000));
  expect(wire.a.counters.txDropped).toBe(2);
  clock.advance(1); // The first packet has left the transmitter.
  wire.a.transmit(datagram(1000));
  expect(wire.a.counters).toMatchObject({ txDropped: 2, txPackets: 3 });
  clock.runUntilIdle();
  expect(times).toEqual([1008, 1016, 1024]);
});

test("what is on its way is limited too", () => {
  const { clock, wire, times } = bench({ latency: 5, flightLimit: 3 });
  for (let count = 0; count < 5; count += 1) wire.a.transmit(datagram(100));
  expect(wire.a.counters).toMatchObject({ txPackets: 3, txDropped: 2 });
  clock.runUntilIdle();
  expect(times).toHaveLength(3);
});

test("the two directions may differ, and do not disturb each other", () => {
  const { clock, wire, times } = bench({ latency: 5, aToB: { latency: 20 }, bToA: { rate: 8000 } });
  const back: number[] = [];
  wire.a.attach({ receive: () => void back.push(clock.now()) });
  wire.a.transmit(datagram(100));
  wire.b.transmit(datagram(100));
  clock.runUntilIdle();
  expect(times).toEqual([20]);
  expect(back).toEqual([105]);
});

test("one timer a direction serves any number of packets, and none is armed when all have arrived", () => {
  const { clock, wire } = bench({ latency: 5 });
  for (let count = 0; count < 100; count += 1) wire.a.transmit(datagram(100));
  wire.b.transmit(datagram(100));
  expect(clock.armedTimers).toBe(2);
  clock.runUntilIdle();
  expect(clock.armedTimers).toBe(0);
});

test("closing an end loses what was on its way to it, and disarms its timer", () => {
  const { clock, wire, times } = bench({ latency: 5 });
  wire.a.transmit(datagram(100));
  wire.a.transmit(datagram(100));
  wire.b.close();
  expect(clock.armedTimers).toBe(0);
  expect(wire.b.counters.rxDropped).toBe(2);
  expect(times).toEqual([]);
});

test("two hosts that answer each other over a wire without latency leave the clock in control", () => {
  const { clock, wire } = bench({});
  let answers = 0;
  const answer = (end: "a" | "b") => ({
    receive: () => {
      answers += 1;
      wire[end].transmit(datagram(100));
    },
  });
  wire.a.attach(answer("a"));
  wire.b.attach(answer("b"));
  wire.a.transmit(datagram(100));
  for (let count = 0; count < 10; count += 1) clock.step();
  expect(answers).toBe(10);
});

test("a receiver that throws does not hold up the packets behind", () => {
  const clock = new VirtualClock();
  const { a, b } = createWire(clock, { medium: "ip" });
  const marks: number[] = [];
  b.attach({
    receive: (packet) => {
      marks.push(packet.u8(0));
      if (marks.length === 1) throw new Error("a bug above");
    },
  });
  a.transmit(datagram(10, 1));
  a.transmit(datagram(10, 2));
  expect(() => clock.runUntilIdle()).toThrow("a bug above");
  clock.runUntilIdle();
  expect(marks).toEqual([1, 2]);
});

test("an observer is told of every packet that is lost", () => {
  const events: StackEvent[] = [];
  const observer = { observe: (event: StackEvent) => void events.push(event) };
  const clock = new VirtualClock();
  const { a } = createWire(clock, { medium: "ip", flightLimit: 1, observer });
  a.transmit(datagram(100));
  a.transmit(datagram(100));
  a.transmit(datagram(2000));
  clock.runUntilIdle();
  expect(events.map((event) => (event as DropEvent).reason)).toEqual(["txDropped", "txErrors", "rxDropped"]);
});

test("super-segments pass where both ends agreed on it, up to the size agreed", () => {
  const { clock, wire, times } = bench({ offload: { checksum: true, segmentation: 65535 } });
  const superSegment = datagram(60_000);
  superSegment.segmentSize = 1460;
  wire.a.transmit(superSegment);
  wire.a.transmit(datagram(60_000)); // Nobody said where to cut it.
  clock.runUntilIdle();
  expect(times).toHaveLength(1);
  expect(wire.a.counters.txErrors).toBe(1);
});

test("misuse throws: a negative latency, a rate or MTU of zero, a limit that is none", () => {
  const clock = new VirtualClock();
  expect(() => createWire(clock, { latency: -1 })).toThrow(RangeError);
  expect(() => createWire(clock, { latency: Number.NaN })).toThrow(RangeError);
  expect(() => createWire(clock, { latency: Number.POSITIVE_INFINITY })).toThrow(RangeError);
  expect(() => createWire(clock, { rate: 0 })).toThrow(RangeError);
  expect(() => createWire(clock, { mtu: 0 })).toThrow(RangeError);
  expect(() => createWire(clock, { queueLimit: Number.NaN })).toThrow(RangeError);
  expect(() => createWire(clock, { flightLimit: -1 })).toThrow(RangeError);
});

test("whatever is sent arrives in order, as late as rate and latency say, and the queue holds no more than its limit", () => {
  const step = fc.record({ wait: fc.integer({ min: 0, max: 20 }), length: fc.integer({ min: 1, max: 1500 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), fc.integer({ min: 1, max: 5 }), (steps, queueLimit) => {
      const rate = 1_000_000;
      const latency = 7;
      const { clock, wire, times, marks } = bench({ rate, latency, queueLimit });
      // A naive model: every packet with the time at which it has left the transmitter.
      const leaves: number[] = [];
      const expected: number[] = [];
      for (const [index, { wait, length }] of steps.entries()) {
        clock.advance(wait);
        const now = clock.now();
        const queued = leaves.filter((time) => time > now).length;
        wire.a.transmit(datagram(length, index));
        if (queued >= queueLimit) continue;
        leaves.push(Math.max(now, leaves.at(-1) ?? 0) + (length * 8000) / rate);
        expected.push(index);
      }
      clock.runUntilIdle();
      expect(marks).toEqual(expected);
      expect(wire.a.counters.txDropped).toBe(steps.length - expected.length);
      for (const [index, time] of times.entries()) expect(time).toBeCloseTo(leaves[index] + latency, 6);
    }),
  );
});
