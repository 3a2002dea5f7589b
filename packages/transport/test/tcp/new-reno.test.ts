// The congestion window of NewReno: figures worked out by hand from RFC 5681, RFC 6582 and RFC 6928.
import { describe, expect, test } from "vitest";
import { FixedWindow, NewReno } from "../../src/index.ts";
import { initialWindow, windowAfterHandshake } from "../../src/tcp/congestion/initial-window.ts";
import { acknowledgment, congestionSettings, start } from "./congestion-fixtures.ts";

const SMSS = 1000;

function established(changes = {}): NewReno {
  const control = new NewReno(congestionSettings(changes));
  control.established(start(SMSS));
  return control;
}

describe("the initial window", () => {
  test.each([
    [536, 5360],
    [1000, 10_000],
    [1460, 14_600],
    [2000, 14_600],
    [8960, 17_920],
  ])("with segments of %i octets is %i (RFC 6928 §2)", (segmentSize, window) => {
    expect(initialWindow(segmentSize, undefined)).toBe(window);
  });

  test("is what the user says, but at least a segment", () => {
    expect([initialWindow(1460, 3), initialWindow(1460, 0), initialWindow(2000, 10)]).toEqual([4380, 1460, 20_000]);
  });

  test.each([
    [1, 10_000],
    [2, 10_000],
    [3, SMSS],
  ])("when the SYN was sent %i times is %i (RFC 6928 §2)", (synTransmissions, window) => {
    expect(windowAfterHandshake(SMSS, undefined, synTransmissions)).toBe(window);
  });
});

test("MUST-19: slow start grows by what is acknowledged, at most a segment for each acknowledgment (RFC 5681 equation 2)", () => {
  const control = established();
  control.acknowledged(acknowledgment({ octets: 400, limited: true }));
  expect(control.window).toBe(10_400);
  control.acknowledged(acknowledgment({ octets: 5000, limited: true }));
  expect(control.window).toBe(11_400);
});

test("MUST-19: congestion avoidance grows by a segment for each window that is acknowledged (RFC 5681 §3.1)", () => {
  const control = established();
  control.timedOut(20_000, false, 0);
  for (let index = 0; index < 9; index += 1) control.acknowledged(acknowledgment({ octets: SMSS, limited: true }));
  expect(control).toMatchObject({ window: 10_000, threshold: 10_000 });
  for (let index = 0; index < 9; index += 1) control.acknowledged(acknowledgment({ octets: SMSS, limited: true }));
  expect(control.window).toBe(10_000);
  control.acknowledged(acknowledgment({ octets: SMSS, limited: true }));
  expect(control.window).toBe(11_000);
  for (let index = 0; index < 11; index += 1) control.acknowledged(acknowledgment({ octets: SMSS, limited: true }));
  expect(control.window).toBe(12_000);
});

test("a window that the user does not fill does not grow (RFC 7661 §1)", () => {
  const control = established();
  for (let index = 0; index < 100; index += 1) control.acknowledged(acknowledgment({ octets: SMSS, limited: false }));
  expect(control.window).toBe(10_000);
});

test("MUST-19: a timeout halves the threshold and leaves one segment (RFC 5681 equation 4); a second one for the same segment leaves the threshold", () => {
  const control = established();
  control.timedOut(10_000, false, 0);
  expect(control).toMatchObject({ threshold: 5000, window: SMSS });
  control.timedOut(1000, true, 0);
  expect(control).toMatchObject({ threshold: 5000, window: SMSS });
});

test("the threshold is never below two segments (RFC 5681 equation 4)", () => {
  const control = established();
  control.timedOut(500, false, 0);
  expect(control.threshold).toBe(2 * SMSS);
});

test("recovery halves what was in flight, and ends without a burst (RFC 5681 §3.2, RFC 6582 §3.2 step 3)", () => {
  const control = established();
  control.enterRecovery(10_000, 0);
  expect(control).toMatchObject({ threshold: 5000, window: 5000 });
  control.leaveRecovery(1500);
  expect(control.window).toBe(2500);
  control.enterRecovery(10_000, 0);
  control.leaveRecovery(8000);
  expect(control.window).toBe(5000);
});

test("a restriction lowers the window, never below a segment, and never raises it", () => {
  const control = established();
  control.restrict(4000, 7000);
  expect(control).toMatchObject({ window: 4000, threshold: 7000 });
  control.restrict(9000, 7000);
  expect(control.window).toBe(4000);
  control.restrict(10, 7000);
  expect(control.window).toBe(SMSS);
});

test("RFC 8511 §3: a mark takes a fifth, a loss a half", () => {
  const control = established();
  control.congestionExperienced(10_000, 0);
  expect(control).toMatchObject({ threshold: 8000, window: 8000 });
});

test("RFC 4015: what was for nothing is undone, but what has grown since stays", () => {
  const control = established();
  control.enterRecovery(10_000, 0);
  control.undo();
  expect(control).toMatchObject({ window: 10_000, threshold: Number.POSITIVE_INFINITY });
  control.timedOut(10_000, false, 0);
  control.timedOut(1000, true, 0);
  control.undo();
  expect(control).toMatchObject({ window: 10_000, threshold: Number.POSITIVE_INFINITY });
});

describe("in segments, as Linux reckons", () => {
  const linux = { accounting: "segments", slowStartLimit: Number.POSITIVE_INFINITY } as const;

  test("slow start grows by all that is acknowledged (RFC 3465 with an unlimited L)", () => {
    const control = established(linux);
    control.acknowledged(acknowledgment({ octets: 4 * SMSS }));
    expect(control.window).toBe(14 * SMSS);
  });

  test("RFC 3465 §2.3: L bounds what one acknowledgment adds", () => {
    const control = established({ slowStartLimit: 2 });
    control.acknowledged(acknowledgment({ octets: 10 * SMSS }));
    expect(control.window).toBe(12 * SMSS);
  });

  test("what crosses the threshold counts for congestion avoidance", () => {
    const control = established(linux);
    control.timedOut(0, false, 0);
    expect(control).toMatchObject({ threshold: 5 * SMSS, window: SMSS });
    // Four end slow start, six are more than a window of five.
    control.acknowledged(acknowledgment({ octets: 10 * SMSS }));
    expect(control.window).toBe(6 * SMSS);
    // One was left over.
    control.acknowledged(acknowledgment({ octets: 4 * SMSS }));
    expect(control.window).toBe(6 * SMSS);
    control.acknowledged(acknowledgment({ octets: SMSS }));
    expect(control.window).toBe(7 * SMSS);
  });

  test("a loss halves the window, rounded down to whole segments", () => {
    const control = established(linux);
    control.acknowledged(acknowledgment({ octets: SMSS }));
    control.enterRecovery(2 * SMSS, 0);
    expect(control).toMatchObject({ threshold: 5 * SMSS, window: 5 * SMSS });
  });
});

test("a fixed window is never moved", () => {
  const control = new FixedWindow();
  control.established(start(SMSS, 7 * SMSS));
  control.acknowledged();
  control.enterRecovery();
  control.timedOut();
  control.congestionExperienced();
  expect(control.window).toBe(7 * SMSS);
});
