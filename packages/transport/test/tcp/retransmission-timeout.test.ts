// The arithmetic of the retransmission timeout: figures worked out by hand from RFC 6298 §2 and §5.
import fc from "fast-check";
import { expect, test } from "vitest";
import { RetransmissionTimeout } from "../../src/tcp/retransmission-timeout.ts";

/** After these round trips, with this lower bound. */
function after(roundTrips: readonly number[], minimum = 1): RetransmissionTimeout {
  const timeout = new RetransmissionTimeout();
  for (const roundTrip of roundTrips) timeout.measured(roundTrip, minimum);
  return timeout;
}

test("§2.1: one second before anything is measured", () => {
  expect(new RetransmissionTimeout().value).toBe(1000);
});

test("MUST-18: §2.2, the first measurement R gives SRTT = R, RTTVAR = R/2 and RTO = SRTT + 4 RTTVAR", () => {
  expect(after([500])).toMatchObject({ smoothed: 500, variation: 250, value: 1500 });
});

test("MUST-18: §2.3, later ones move RTTVAR by a quarter before SRTT by an eighth", () => {
  // RTTVAR = 3/4·250 + 1/4·|500 - 1300| = 387.5; SRTT = 7/8·500 + 1/8·1300 = 600.
  expect(after([500, 1300])).toMatchObject({ smoothed: 600, variation: 387.5, value: 2150 });
});

test("§2.3: a variation below the clock's granularity counts as one millisecond", () => {
  const steady = after(new Array(200).fill(100));
  expect(steady.variation).toBeLessThan(0.1);
  expect(steady.value).toBeCloseTo(101, 0);
});

test("§2.4, §2.5: the value lies between the lower bound and 60 seconds", () => {
  expect(after([10], 1000).value).toBe(1000);
  expect(after([10], 200).value).toBe(200);
  expect(after([100_000]).value).toBe(60_000);
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), fc.nat(5), (roundTrips, times) => {
      const timeout = after(roundTrips, 1000);
      for (let time = 0; time < times; time += 1) timeout.backOff();
      expect(timeout.value).toBeGreaterThanOrEqual(1000);
      expect(timeout.value).toBeLessThanOrEqual(60_000);
    }),
  );
});

test("MUST-18: §5.5, each expiry doubles it, up to 60 seconds", () => {
  const timeout = new RetransmissionTimeout();
  const values = Array.from({ length: 8 }, () => {
    timeout.backOff();
    return timeout.value;
  });
  expect(values).toEqual([2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test("§5, note: a new measurement ends the back-off", () => {
  const timeout = after([500]);
  timeout.backOff();
  timeout.backOff();
  expect(timeout.value).toBe(6000);
  timeout.measured(500, 1);
  // RTTVAR = 3/4·250
  expect(timeout.value).toBe(500 + 4 * 187.5);
});

test("an acknowledgment of what was sent twice ends the back-off only where it comes a round trip after the second sending", () => {
  const after100 = (elapsed: number): number => {
    const timeout = after(new Array(20).fill(100), 1000);
    timeout.backOff();
    timeout.retransmissionAcknowledged(elapsed);
    return timeout.value;
  };
  expect(after100(100)).toBe(1000);
  // Sooner or later than that it may have been the first copy, so the path may be slower than was thought.
  expect(after100(10)).toBe(2000);
  expect(after100(700)).toBe(2000);
  const unmeasured = new RetransmissionTimeout();
  unmeasured.backOff();
  unmeasured.retransmissionAcknowledged(100);
  expect(unmeasured.value).toBe(2000);
});

test("§5.7: three seconds after a handshake whose SYN had to be sent again", () => {
  const timeout = new RetransmissionTimeout();
  timeout.backOff();
  timeout.handshakeWithoutMeasurement();
  expect(timeout.value).toBe(3000);
});

/** Linux's timeout after these round trips, each of which is a flight of its own. */
function linuxAfter(roundTrips: readonly number[], minimum = 200): RetransmissionTimeout {
  const timeout = new RetransmissionTimeout(1000, 120_000, "linux");
  for (const [index, roundTrip] of roundTrips.entries()) timeout.measured(roundTrip, minimum, 2 * index + 1, 2 * index + 2);
  return timeout;
}

test("Linux bounds the variation, not the timeout: R + max(2 R, 200 ms) at first", () => {
  expect(linuxAfter([50])).toMatchObject({ smoothed: 50, variation: 25, value: 250 });
  expect(linuxAfter([100]).value).toBe(300);
  expect(linuxAfter([150]).value).toBe(450);
  // Timers count in milliseconds, so it is rounded up.
  expect(linuxAfter([50.0625]).value).toBe(251);
});

test("Linux: a steady path comes down to the round trip and the least variation, by a quarter of the excess for each flight", () => {
  // 300 is the variation of 150 ms, four times reckoned; 200 the least of it.
  expect(linuxAfter([150, 150]).value).toBe(150 + 300);
  expect(linuxAfter([150, 150, 150]).value).toBe(150 + 275);
  expect(linuxAfter([150, 150, 150, 150]).value).toBe(150 + 257);
  // In whole microseconds a quarter of three is nothing, and the rest makes one more millisecond: the 201 ms of a short path.
  expect(linuxAfter(new Array(60).fill(150)).value).toBe(351);
  expect(linuxAfter(new Array(60).fill(0.5)).value).toBe(201);
});

test("Linux: a longer round trip raises the variation by a quarter, a shorter one hardly", () => {
  const longer = linuxAfter([100, 200]);
  // SRTT = 112.5; four times the deviation: 200 + (100 - 50) = 250.
  expect(longer).toMatchObject({ smoothed: 112.5, variation: 62.5, value: 363 });
  const shorter = linuxAfter([100, 20]);
  // SRTT = 90; 200 + (80 - 50) / 8 = 203.75.
  expect(shorter.smoothed).toBe(90);
  expect(shorter.variation).toBeCloseTo(50.94, 1);
});

test("Linux: only a measurement ends the back-off (Karn)", () => {
  const timeout = linuxAfter([100]);
  timeout.backOff();
  timeout.retransmissionAcknowledged(100);
  expect(timeout.value).toBe(600);
  timeout.measured(100, 200, 10, 11);
  expect(timeout.value).toBe(300);
});
