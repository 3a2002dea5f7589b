import { type Timer, TimerQueue } from "@netstrata/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

function bench() {
  let now = 0;
  let earlier = 0;
  const queue = new TimerQueue(
    () => now,
    () => void (earlier += 1),
  );
  const expired: string[] = [];
  const timer = (name: string): Timer => queue.timer(() => void expired.push(name));
  const runTo = (time: number): void => {
    now = time;
    while (queue.expireOne(now));
  };
  return { queue, timer, expired, runTo, earlier: () => earlier };
}

describe("a timer queue", () => {
  test("runs timers by deadline, and those of one moment in the order in which they were armed", () => {
    const { timer, expired, runTo } = bench();
    const [a, b, c, d] = ["a", "b", "c", "d"].map(timer);
    d.arm(10);
    c.arm(5);
    b.arm(10);
    a.arm(5);
    runTo(10);
    expect(expired).toEqual(["c", "a", "d", "b"]);
  });

  test("a timer expires once, and can be armed again, also from its own expiry", () => {
    let now = 0;
    const queue = new TimerQueue(() => now);
    const times: number[] = [];
    const timer = queue.timer(() => {
      times.push(now);
      expect(timer.armed).toBe(false);
      if (times.length < 3) timer.arm(5);
    });
    timer.arm(5);
    for (now = 0; now <= 30; now += 1) while (queue.expireOne(now));
    expect(times).toEqual([5, 10, 15]);
    expect(queue.size).toBe(0);
  });

  test("armed again, a timer forgets its former deadline: later, earlier, or the same", () => {
    const { queue, timer, expired, runTo } = bench();
    const [later, earlier, same, other] = ["later", "earlier", "same", "other"].map(timer);
    later.arm(10);
    earlier.arm(20);
    same.arm(15);
    other.arm(15);
    later.arm(30);
    earlier.arm(5);
    same.arm(15); // Armed anew, it is now behind the other one.
    expect(later.deadline).toBe(30);
    expect(queue.next()).toBe(5);
    runTo(40);
    expect(expired).toEqual(["earlier", "other", "same", "later"]);
  });

  test("armed anew for the same moment, the first timer goes behind those that were armed for it meanwhile", () => {
    const { timer, expired, runTo } = bench();
    const [a, b, c] = ["a", "b", "c"].map(timer);
    for (const each of [a, b, c, a]) each.arm(10);
    runTo(10);
    expect(expired).toEqual(["b", "c", "a"]);
  });

  test("a disarmed timer does not expire, and disarming it twice is harmless", () => {
    const { queue, timer, expired, runTo } = bench();
    const a = timer("a");
    a.arm(5);
    expect(a.armed).toBe(true);
    a.disarm();
    a.disarm();
    expect(a.armed).toBe(false);
    expect([queue.size, queue.next()]).toEqual([0, undefined]);
    runTo(10);
    expect(expired).toEqual([]);
  });

  test("a delay below zero, or one that is not a number, means now", () => {
    const { queue, timer, expired, runTo } = bench();
    timer("a").arm(-5);
    timer("b").arm(Number.NaN);
    expect(queue.next()).toBe(0);
    runTo(0);
    expect(expired).toEqual(["a", "b"]);
  });

  test("an infinite delay never comes: nothing is due next, and the timer can still be disarmed", () => {
    const { queue, timer, expired, runTo } = bench();
    const never = timer("never");
    never.arm(Number.POSITIVE_INFINITY);
    expect([never.armed, queue.size, queue.next()]).toEqual([true, 1, undefined]);
    runTo(1e9);
    expect(expired).toEqual([]);
    never.disarm();
    expect(queue.size).toBe(0);
  });

  test("tells whoever set an alarm when a timer comes before all others, and only then", () => {
    const { timer, earlier } = bench();
    const [a, b] = ["a", "b"].map(timer);
    a.arm(10);
    expect(earlier()).toBe(1);
    b.arm(20);
    a.arm(15); // Postponed: the alarm rings once in vain.
    expect(earlier()).toBe(1);
    b.arm(5);
    expect(earlier()).toBe(2);
  });

  const action = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("arm" as const), timer: fc.nat(29), delay: fc.nat(8) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("disarm" as const), timer: fc.nat(29) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("advance" as const), time: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("next" as const) }) },
  );

  test("does what a sorted list would do, whatever is armed, postponed and disarmed", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200, size: "max" }), (actions) => {
        let now = 0;
        let order = 0;
        const queue = new TimerQueue(() => now);
        const expired: number[] = [];
        const timers = Array.from({ length: 30 }, (_, index) => queue.timer(() => void expired.push(index)));
        // The model: what is armed, with its deadline and a number that counts the armings.
        const armed = new Map<number, { deadline: number; order: number }>();
        const first = (): number | undefined =>
          [...armed.entries()].sort(([, a], [, b]) => a.deadline - b.deadline || a.order - b.order)[0]?.[0];
        for (const step of actions) {
          if (step.do === "arm") {
            timers[step.timer].arm(step.delay);
            armed.set(step.timer, { deadline: now + step.delay, order: order++ });
          } else if (step.do === "disarm") {
            timers[step.timer].disarm();
            armed.delete(step.timer);
          } else if (step.do === "advance") {
            now += step.time;
            for (let due = first(); due !== undefined && (armed.get(due)?.deadline as number) <= now; due = first()) {
              expect(queue.expireOne(now)).toBe(true);
              expect(expired.pop()).toBe(due);
              armed.delete(due);
            }
            expect(queue.expireOne(now)).toBe(false);
          } else {
            const due = first();
            expect(queue.next()).toBe(due === undefined ? undefined : armed.get(due)?.deadline);
          }
          expect(queue.size).toBe(armed.size);
        }
        for (const [index, timer] of timers.entries()) {
          expect(timer.armed).toBe(armed.has(index));
          if (timer.armed) expect(timer.deadline).toBe(armed.get(index)?.deadline);
        }
      }),
      { numRuns: 300 },
    );
  });
});
