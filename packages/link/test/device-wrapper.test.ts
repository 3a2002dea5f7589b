import { SeededRandom, VirtualClock } from "@netstrata/core";
import { CaptureWriter, createWire, type Direction, FaultInjector, type LinkDevice, Tracer } from "@netstrata/link";
import { describe, expect, test } from "vitest";
import { type DeviceUnderTest, describeLinkDevice, samplePacket } from "./link-device-compliance.ts";

function wrapped(wrap: (inner: LinkDevice, clock: VirtualClock) => LinkDevice): DeviceUnderTest {
  const clock = new VirtualClock();
  const { a, b } = createWire(clock, { latency: 1 });
  const arrived: Uint8Array[] = [];
  b.attach({ receive: (packet) => void arrived.push(packet.slice()) });
  return {
    device: wrap(a, clock),
    arrived: () => arrived,
    inject: () => {
      const packet = samplePacket("ethernet", 80, 0x33);
      const octets = packet.slice();
      b.transmit(packet);
      return octets;
    },
    settle: () => void clock.runUntilIdle(),
  };
}

describeLinkDevice("a tracer", () => wrapped((inner) => new Tracer(inner, () => {})));
describeLinkDevice("a capture writer", () => wrapped((inner, clock) => new CaptureWriter(inner, clock, { packet: () => {} })));
describeLinkDevice("a fault injector without faults", () =>
  wrapped((inner, clock) => new FaultInjector(inner, { clock, random: new SeededRandom(1) })),
);
describeLinkDevice("a stack of wrappers", () =>
  wrapped((inner, clock) => {
    const injector = new FaultInjector(inner, { clock, random: new SeededRandom(1) });
    return new Tracer(new CaptureWriter(injector, clock, { packet: () => {} }), () => {});
  }),
);

describe("a tracer", () => {
  test("sees every packet whole, before whoever gets it narrows its window", () => {
    const clock = new VirtualClock();
    const { a, b } = createWire(clock, { names: ["eth0", "eth1"] });
    const seen: [number, Direction, string][] = [];
    const tracer = new Tracer(a, (packet, direction, device) => void seen.push([packet.length, direction, device.name]));
    tracer.attach({ receive: (packet) => packet.consume(14) });
    b.transmit(samplePacket("ethernet", 80));
    tracer.transmit(samplePacket("ethernet", 40));
    clock.runUntilIdle();
    expect(seen).toEqual([
      [54, "out", "eth0"],
      [94, "in", "eth0"],
    ]);
  });
});

describe("a capture writer", () => {
  test("hands each packet with its time and direction to the sink", () => {
    const clock = new VirtualClock(1000);
    const { a, b } = createWire(clock, { latency: 5 });
    const captured: [Uint8Array, number, Direction][] = [];
    const writer = new CaptureWriter(a, clock, {
      packet: (bytes, time, direction) => void captured.push([bytes.slice(), time, direction]),
    });
    writer.attach({ receive: (packet) => packet.consume(14) });
    const there = samplePacket("ethernet", 40, 1);
    const back = samplePacket("ethernet", 60, 2);
    const expected = [there.slice(), back.slice()];
    writer.transmit(there);
    b.transmit(back);
    clock.runUntilIdle();
    expect(captured).toEqual([
      [expected[0], 1000, "out"],
      [expected[1], 1005, "in"],
    ]);
  });
});
