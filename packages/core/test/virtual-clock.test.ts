import { VirtualClock } from "@netstrata/core";
import { describe, expect, test } from "vitest";

describe("a virtual clock", () => {
  test("moves only when told to", () => {
    const clock = new VirtualClock(1000);
    expect(clock.now()).toBe(1000);
    clock.advance(5);
    expect(clock.now()).toBe(1005);
    clock.runUntil(900); // Time never goes back.
    expect(clock.now()).toBe(1005);
  });

  test("stands at each timer's deadline while the timer runs", () => {
    const clock = new VirtualClock();
    const times: number[] = [];
    for (const delay of [30, 10, 20]) clock.timer(() => void times.push(clock.now())).arm(delay);
    clock.advance(25);
    expect(times).toEqual([10, 20]);
    expect(clock.now()).toBe(25);
    expect(clock.next()).toBe(30);
  });

  test("runBefore stands in front of the timers of that moment", () => {
    const clock = new VirtualClock();
    const times: number[] = [];
    for (const delay of [10, 20]) clock.timer(() => void times.push(clock.now())).arm(delay);
    clock.runBefore(20);
    expect([times, clock.now()]).toEqual([[10], 20]);
    clock.runBefore(5); // Time never goes back.
    clock.runUntil(20);
    expect([times, clock.now()]).toEqual([[10, 20], 20]);
  });

  test("runs a timer that another one arms within the same stretch of time", () => {
    const clock = new VirtualClock();
    const times: number[] = [];
    const second = clock.timer(() => void times.push(clock.now()));
    clock.timer(() => second.arm(10)).arm(10);
    clock.advance(20);
    expect(times).toEqual([20]);
  });

  test("steps from one timer to the next", () => {
    const clock = new VirtualClock();
    const names: string[] = [];
    clock.timer(() => void names.push("a")).arm(10);
    clock.timer(() => void names.push("b")).arm(10);
    expect(clock.step()).toBe(true);
    expect([names, clock.now(), clock.armedTimers]).toEqual([["a"], 10, 1]);
    expect(clock.step()).toBe(true);
    expect(clock.step()).toBe(false);
    expect([names, clock.now(), clock.armedTimers]).toEqual([["a", "b"], 10, 0]);
  });

  test("runs until nothing is left to happen, or until it has run as many timers as it may", () => {
    const clock = new VirtualClock();
    let left = 5;
    const timer = clock.timer(() => {
      left -= 1;
      if (left > 0) timer.arm(1000);
    });
    timer.arm(1000);
    expect(clock.runUntilIdle(3)).toBe(false);
    expect([left, clock.now()]).toEqual([2, 3000]);
    expect(clock.runUntilIdle()).toBe(true);
    expect([left, clock.now()]).toEqual([0, 5000]);
  });

  test("a timer that never comes does not take it to the end of time", () => {
    const clock = new VirtualClock();
    clock.timer(() => {}).arm(Number.POSITIVE_INFINITY);
    expect(clock.step()).toBe(false);
    clock.advance(10);
    expect([clock.now(), clock.next(), clock.armedTimers]).toEqual([10, undefined, 1]);
  });
});
