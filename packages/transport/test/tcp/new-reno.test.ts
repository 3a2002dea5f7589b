// The congestion window of NewReno: figures worked out by hand from RFC 5681, RFC 6582 and RFC 6928.
import { describe, expect, test } from "vitest";
import { NewReno } from "../../src/index.ts";

const SMSS = 1000;

function established(segmentSize = SMSS, synLost = false): NewReno {
  const control = new NewReno();
  control.established(segmentSize, synLost);
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
    expect(established(segmentSize)).toMatchObject({ window, threshold: Number.POSITIVE_INFINITY });
  });

  test("is one segment when the SYN was lost (RFC 5681 §3.1)", () => {
    expect(established(SMSS, true).window).toBe(SMSS);
  });
});

test("MUST-19: slow start grows by what is acknowledged, at most a segment for each acknowledgment (RFC 5681 equation 2)", () => {
  const control = established();
  control.acknowledged(400, true);
  expect(control.window).toBe(10_400);
  control.acknowledged(5000, true);
  expect(control.window).toBe(11_400);
});

test("MUST-19: congestion avoidance grows by a segment for each window that is acknowledged (RFC 5681 §3.1)", () => {
  const control = established();
  control.timedOut(20_000, false);
  for (let index = 0; index < 9; index += 1) control.acknowledged(SMSS, true);
  expect(control).toMatchObject({ window: 10_000, threshold: 10_000 });
  for (let index = 0; index < 9; index += 1) control.acknowledged(SMSS, true);
  expect(control.window).toBe(10_000);
  control.acknowledged(SMSS, true);
  expect(control.window).toBe(11_000);
  for (let index = 0; index < 11; index += 1) control.acknowledged(SMSS, true);
  expect(control.window).toBe(12_000);
});

test("a window that the user does not fill does not grow (RFC 7661 §1)", () => {
  const control = established();
  for (let index = 0; index < 100; index += 1) control.acknowledged(SMSS, false);
  expect(control.window).toBe(10_000);
});

test("MUST-19: a timeout halves the threshold and leaves one segment (RFC 5681 equation 4); a second one for the same segment leaves the threshold", () => {
  const control = established();
  control.timedOut(10_000, false);
  expect(control).toMatchObject({ threshold: 5000, window: SMSS });
  control.timedOut(1000, true);
  expect(control).toMatchObject({ threshold: 5000, window: SMSS });
});

test("the threshold is never below two segments (RFC 5681 equation 4)", () => {
  const control = established();
  control.timedOut(500, false);
  expect(control.threshold).toBe(2 * SMSS);
});

test("recovery halves what was in flight, and ends without a burst (RFC 5681 §3.2, RFC 6582 §3.2 step 3)", () => {
  const control = established();
  control.enterRecovery(10_000);
  expect(control).toMatchObject({ threshold: 5000, window: 5000 });
  control.leaveRecovery(1500);
  expect(control.window).toBe(2500);
  control.enterRecovery(10_000);
  control.leaveRecovery(8000);
  expect(control.window).toBe(5000);
});

test("after a pause the window is at most the initial one again (RFC 5681 §4.1)", () => {
  const control = established();
  for (let index = 0; index < 20; index += 1) control.acknowledged(SMSS, true);
  expect(control.window).toBe(30_000);
  control.idled();
  expect(control.window).toBe(10_000);
  control.timedOut(4000, false);
  control.idled();
  expect(control.window).toBe(SMSS);
});
