// CUBIC against the formulas of RFC 9438, worked out here once more from the RFC's text.
import { describe, expect, test } from "vitest";
import { Cubic } from "../../src/index.ts";
import { LinuxCubic } from "../../src/tcp/congestion/linux-cubic.ts";
import { acknowledgment, congestionSettings, start } from "./congestion-fixtures.ts";

const SMSS = 1000;
const C = 0.4;
const BETA = 0.7;

/** In congestion avoidance after a loss at `segments`, from time 0 on. */
function afterLossAt(segments: number, changes = {}): Cubic {
  const control = new Cubic(congestionSettings(changes));
  control.established(start(SMSS, segments * SMSS));
  control.enterRecovery(segments * SMSS, 0);
  return control;
}

/** A window's worth of acknowledgments each round trip, until `until` ms. Answers the windows at the end of each round. */
function run(control: Cubic | LinuxCubic, roundTrip: number, until: number, from = 0): { at: number; window: number }[] {
  const rounds: { at: number; window: number }[] = [];
  for (let now = from; now < until; now += roundTrip) {
    const segments = Math.floor(control.window / SMSS);
    for (let index = 0; index < segments; index += 1) {
      const at = now + (roundTrip * index) / segments;
      control.acknowledged(acknowledgment({ now: at, octets: SMSS, roundTrip, smoothedRoundTrip: roundTrip }));
    }
    rounds.push({ at: now + roundTrip, window: control.window / SMSS });
  }
  return rounds;
}

describe("multiplicative decrease", () => {
  test("RFC 9438 §4.6: a loss leaves seven tenths of what was in flight", () => {
    const control = afterLossAt(100);
    expect(control).toMatchObject({ window: 70 * SMSS, threshold: 70 * SMSS });
  });

  test("RFC 9438 §4.6: never less than two segments", () => {
    expect(afterLossAt(1)).toMatchObject({ window: 2 * SMSS, threshold: 2 * SMSS });
  });

  test("RFC 8511 §3: a mark leaves 0.85", () => {
    const control = new Cubic(congestionSettings());
    control.established(start(SMSS, 100 * SMSS));
    control.congestionExperienced(100 * SMSS, 0);
    expect(control.threshold).toBe(85 * SMSS);
  });
});

describe("the curve", () => {
  // §4.2: W_cubic(t) = C (t - K)³ + W_max, K = ∛((W_max - cwnd_epoch) / C).
  test.each([300, 1000])("RFC 9438 §4.2: after a loss at %i segments concave to the plateau, then convex", (segments) => {
    const roundTrip = 100;
    const k = Math.cbrt((segments * (1 - BETA)) / C);
    const curve = (t: number): number => C * (t - k) ** 3 + segments;
    const rounds = run(afterLossAt(segments), roundTrip, 1.9 * k * 1000);
    for (const { at, window } of rounds) {
      if (at < 500) continue;
      // The window is on the way to where the curve will be after a round trip.
      const least = curve(at / 1000 - roundTrip / 1000);
      const most = Math.max(curve(at / 1000 + roundTrip / 1000), segments);
      expect(window, `at ${at}`).toBeGreaterThan(least - 2);
      expect(window, `at ${at}`).toBeLessThan(most + 2);
    }
    const growth = rounds.slice(1).map(({ window }, index) => window - rounds[index].window);
    const middle = Math.floor((k * 1000) / roundTrip);
    // Flat in the middle, steep at both ends.
    expect(growth[middle]).toBeLessThan(growth[Math.floor(middle / 3)] / 2);
    expect(growth[middle]).toBeLessThan(growth[growth.length - 2] / 2);
  });

  test("RFC 9438 §3.3: the window does not depend on the round trip, once it follows the curve", () => {
    const at20 = run(afterLossAt(1000), 20, 12_000).at(-1)?.window ?? 0;
    const at200 = run(afterLossAt(1000), 200, 12_000).at(-1)?.window ?? 0;
    expect(Math.abs(at20 - at200) / at200).toBeLessThan(0.03);
  });

  test("RFC 9438 §4.3: where Reno would have more, the window is Reno's with the same average: α = 3 (1 - β) / (1 + β) a round trip", () => {
    const alpha = (3 * (1 - BETA)) / (1 + BETA);
    const [first] = run(afterLossAt(100), 5, 200).filter(({ at }) => at >= 100);
    expect(first.window).toBeGreaterThan(70 + 20 * alpha * 0.9);
    expect(first.window).toBeLessThan(70 + 20 * alpha * 1.1);
  });

  test("RFC 9438 §4.3: beyond the window before the loss α is 1", () => {
    const rounds = run(afterLossAt(20), 5, 600);
    const beyond = rounds.filter(({ window }) => window > 21);
    const growth = (beyond[20].window - beyond[0].window) / 20;
    expect(growth).toBeGreaterThan(0.9);
    expect(growth).toBeLessThan(1.1);
  });

  test("RFC 9438 §4.2: at most half a window more in a round trip", () => {
    const control = afterLossAt(100);
    run(control, 100, 8000);
    const before = control.window;
    run(control, 100, 60_100, 60_000);
    expect(control.window / before).toBeGreaterThan(1.4);
    expect(control.window / before).toBeLessThan(1.65);
  });
});

describe("fast convergence", () => {
  test("RFC 9438 §4.7: a second loss at a smaller window makes the plateau lower, at a larger one it does not", () => {
    const plateau = (second: number): number => {
      const control = afterLossAt(100);
      control.window = second * SMSS;
      control.enterRecovery(second * SMSS, 0);
      const rounds = run(control, 100, 12_000);
      const growth = rounds.slice(1).map(({ window }, index) => window - rounds[index].window);
      return rounds[growth.indexOf(Math.min(...growth))].window;
    };
    // W_max = 90 (1 + β) / 2.
    expect(Math.abs(plateau(90) - 76.5)).toBeLessThan(2);
    expect(Math.abs(plateau(120) - 120)).toBeLessThan(2);
  });
});

test("RFC 9438 §4.8: after a timeout the curve begins at its plateau, where slow start ended", () => {
  const control = new Cubic(congestionSettings());
  control.established(start(SMSS, 100 * SMSS));
  control.timedOut(100 * SMSS, false, 0);
  expect(control).toMatchObject({ window: SMSS, threshold: 70 * SMSS });
  for (let index = 0; index < 69; index += 1) control.acknowledged(acknowledgment({ now: 1000, octets: SMSS }));
  expect(control.window).toBe(70 * SMSS);
  const rounds = run(control, 100, 3000, 1000);
  // C (1 s)³ is less than a segment, so it is Reno's growth that shows, and W_max was not remembered: nothing concave.
  expect(rounds[9].window).toBeLessThan(78);
  expect(rounds.at(-1)?.window).toBeLessThan(90);
});

test("RFC 9438 §4.9: what a spurious loss changed is restored, the curve with it", () => {
  const disturbed = afterLossAt(100);
  const undisturbed = afterLossAt(100);
  run(disturbed, 100, 2000);
  run(undisturbed, 100, 2000);
  disturbed.enterRecovery(50 * SMSS, 2000);
  expect(disturbed.window).toBe(35 * SMSS);
  disturbed.undo();
  expect(disturbed.window).toBe(undisturbed.window);
  run(disturbed, 100, 6000, 2000);
  run(undisturbed, 100, 6000, 2000);
  expect(disturbed.window).toBe(undisturbed.window);
});

test("RFC 9438 §5.8: time in which the user did not fill the window is no time on the curve", () => {
  const paused = afterLossAt(100);
  const busy = afterLossAt(100);
  run(paused, 100, 2000);
  run(busy, 100, 2000);
  for (let now = 2000; now < 12_000; now += 100) paused.acknowledged(acknowledgment({ now, octets: SMSS, limited: false }));
  run(paused, 100, 14_000, 12_000);
  run(busy, 100, 4000, 2000);
  expect(Math.abs(paused.window - busy.window)).toBeLessThan(2 * SMSS);
});

describe("slow start", () => {
  test("RFC 9406 §4.3: one acknowledgment adds at most eight segments; with pacing there is no limit", () => {
    const window = (changes: object): number => {
      const control = new Cubic(congestionSettings(changes));
      control.established(start(SMSS));
      control.acknowledged(acknowledgment({ octets: 20 * SMSS }));
      return control.window / SMSS;
    };
    expect([window({}), window({ paced: true }), window({ hystart: false }), window({ slowStartLimit: 2 })]).toEqual([18, 30, 11, 12]);
  });

  test("hystart: round trips that grow end it before there is a loss; without it it goes on", () => {
    const threshold = (hystart: boolean): number => {
      const control = new Cubic(congestionSettings({ hystart }));
      control.established(start(SMSS));
      let [una, now] = [0, 0];
      for (let round = 0; round < 12; round += 1) {
        const nxt = una + control.window;
        const roundTrip = 40 + 10 * round;
        now += roundTrip;
        const segments = Math.min(100, Math.floor(control.window / SMSS));
        for (let index = 0; index < segments; index += 1) {
          una += SMSS;
          control.acknowledged(acknowledgment({ now, octets: SMSS, una, nxt, roundTrip }));
        }
        una = nxt;
      }
      return control.threshold;
    };
    expect(threshold(false)).toBe(Number.POSITIVE_INFINITY);
    expect(threshold(true)).toBeLessThan(1e6);
  });
});

describe("in segments, as Linux reckons", () => {
  const linux = { accounting: "segments", hystart: false } as const;

  function linuxAfterLossAt(segments: number): LinuxCubic {
    const control = new LinuxCubic(congestionSettings(linux));
    control.established(start(SMSS, segments * SMSS));
    control.enterRecovery(0, 0);
    return control;
  }

  test("a loss leaves 717/1024 of the window, in whole segments", () => {
    expect(linuxAfterLossAt(10)).toMatchObject({ window: 7 * SMSS, threshold: 7 * SMSS });
    expect(linuxAfterLossAt(100).window).toBe(70 * SMSS);
    expect(linuxAfterLossAt(2).window).toBe(2 * SMSS);
  });

  test("the window is always whole segments, and follows the same curve", () => {
    const k = Math.cbrt((1000 * 0.3) / C);
    for (const { at, window } of run(linuxAfterLossAt(1000), 100, 1.8 * k * 1000)) {
      expect(Number.isInteger(window)).toBe(true);
      if (at >= 1000) expect(Math.abs(window - (C * (at / 1000 - k) ** 3 + 1000))).toBeLessThan(40);
    }
  });

  test("before the first loss congestion avoidance grows by a segment for each twenty that are acknowledged", () => {
    const control = new LinuxCubic(congestionSettings(linux));
    control.established({ ...start(SMSS, 100 * SMSS), threshold: 50 * SMSS });
    for (let index = 0; index < 40; index += 1) control.acknowledged(acknowledgment({ now: 100, octets: SMSS }));
    expect(control.window).toBe(102 * SMSS);
  });

  test("slow start grows by all that is acknowledged", () => {
    const control = new LinuxCubic(congestionSettings(linux));
    control.established(start(SMSS));
    control.acknowledged(acknowledgment({ octets: 10 * SMSS }));
    expect(control.window).toBe(20 * SMSS);
  });

  test("hystart: a round trip longer by an eighth ends slow start from sixteen segments on", () => {
    const ended = (window: number, longer: number): boolean => {
      const control = new LinuxCubic(congestionSettings({ ...linux, hystart: true }));
      control.established(start(SMSS, window * SMSS));
      control.acknowledged(acknowledgment({ octets: SMSS, roundTrip: 100, nxt: 1e6 }));
      for (let index = 1; index <= 10; index += 1) {
        control.acknowledged(acknowledgment({ now: 5 * index, octets: 0, roundTrip: longer, una: 1e6 + 1, nxt: 2e6 }));
      }
      return control.threshold === window * SMSS + SMSS;
    };
    expect([ended(20, 113), ended(20, 112), ended(14, 200)]).toEqual([true, false, false]);
  });

  test("hystart: a train of acknowledgments longer than half the shortest round trip ends it, too", () => {
    const control = new LinuxCubic(congestionSettings({ ...linux, hystart: true }));
    control.established(start(SMSS, 40 * SMSS));
    for (let now = 0; now <= 50; now += 2) control.acknowledged(acknowledgment({ now, octets: SMSS, roundTrip: 100, nxt: 1e6 }));
    expect(control.threshold).toBe(Number.POSITIVE_INFINITY);
    control.acknowledged(acknowledgment({ now: 52, octets: SMSS, roundTrip: 100, nxt: 1e6 }));
    expect(control.threshold).toBe((40 + 26) * SMSS);
  });
});
