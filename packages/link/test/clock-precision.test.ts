// Times that no number holds exactly, on clocks far from zero: no timer is armed again and again for a remainder that is lost in rounding.
import {
  type IpAddress,
  ip,
  type MacAddress,
  PacketBuffer,
  randomBelow,
  randomFraction,
  SeededRandom,
  VirtualClock,
} from "@netstrata/core";
import { createWire, FaultInjector, NeighbourCache } from "@netstrata/link";
import { describe, expect, test } from "vitest";

const STARTS = [0, 1000 / 3, 1e9 + 0.1, 1e12 + 1 / 3, 2 ** 45 / 7, 2 ** 52];
const PACKETS = 100;

describe.each(STARTS)("a clock that starts at %d", (start) => {
  test.each([1, 2, 3, 4, 5])(
    "a wire and a fault injector deliver everything in as many steps as there are packets and faults, seed %i",
    (seed) => {
      const random = new SeededRandom(seed);
      const clock = new VirtualClock(start);
      const wire = createWire(clock, {
        medium: "ip",
        latency: randomFraction(random) * [1e-9, 1, 50][seed % 3],
        rate: 1000 + randomFraction(random) * 10 ** (2 * seed),
      });
      const faults = { delay: 0.3, delayTime: [1e-7, 10 / 3], reorder: 0.3, reorderTime: 1 / 3 } as const;
      const injector = new FaultInjector(wire.b, { clock, random }, { in: faults });
      let received = 0;
      injector.attach({ receive: () => void (received += 1) });
      for (let count = 0; count < PACKETS; count += 1) {
        wire.a.transmit(PacketBuffer.allocate(0, 1 + randomBelow(random, 100)));
        if (randomBelow(random, 3) === 0) clock.advance(randomFraction(random));
      }
      expect(clock.runUntilIdle(4 * PACKETS)).toBe(true);
      expect(received).toBe(PACKETS);
    },
  );

  test.each([1, 2, 3, 4, 5])("a neighbour cache comes to rest, seed %i", (seed) => {
    const random = new SeededRandom(seed);
    const clock = new VirtualClock(start);
    const link = { transmitDatagram: () => {}, unresolved: () => {} };
    const times = { reachableTime: 1 / 3, delayFirstProbeTime: 1 / 7, retransmitTime: 1e-9, failureTime: 1 / 3 };
    const cache = new NeighbourCache({ name: "host", clock, random }, link, { solicit: () => {} }, times);
    const calls: readonly ((address: IpAddress) => unknown)[] = [
      (address) => cache.answered(address, 1 as MacAddress),
      (address) => cache.heard(address, randomBelow(random, 3) as MacAddress, true),
      (address) => cache.confirm(address),
      (address) => cache.send(PacketBuffer.allocate(0, 1), address),
    ];
    for (let count = 0; count < 200; count += 1) {
      calls[randomBelow(random, calls.length)](ip(`10.0.0.${randomBelow(random, 8)}`));
      clock.advance(randomFraction(random) / 5);
    }
    expect(clock.runUntilIdle(1000)).toBe(true);
    expect(cache.waiting).toBe(0);
  });
});
