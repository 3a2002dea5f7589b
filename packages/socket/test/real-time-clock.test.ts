// The real clock: order and turns, never how long something takes.
import { afterEach, describe, expect, test, vi } from "vitest";
import { RealTimeClock, turn, WebRandom } from "../src/index.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("timers", () => {
  test("run in the order of their deadlines, not before them, and not when disarmed", async () => {
    const clock = new RealTimeClock();
    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      const start = clock.now();
      const timer = (name: string, delay: number): { disarm(): void } => {
        const made = clock.timer(() => seen.push(clock.now() - start >= delay ? name : `${name} too early`));
        made.arm(delay);
        return made;
      };
      timer("c", 8);
      timer("b", 2.5);
      timer("a", 0);
      timer("never", 5).disarm();
      clock.timer(() => resolve()).arm(9);
    });
    expect(seen).toEqual(["a", "b", "c"]);
    expect(clock.armedTimers).toBe(0);
  });

  test("what is due at once does not wait for a timeout of the event loop", async () => {
    const clock = new RealTimeClock();
    let hops = 0;
    const timer = clock.timer(() => {
      hops += 1;
      if (hops < 1000) timer.arm(0);
    });
    let timeouts = 0;
    const original = globalThis.setTimeout;
    globalThis.setTimeout = ((...parameters: Parameters<typeof setTimeout>) => {
      timeouts += 1;
      return original(...parameters);
    }) as typeof setTimeout;
    try {
      timer.arm(0);
      while (hops < 1000) await turn();
    } finally {
      globalThis.setTimeout = original;
    }
    expect(timeouts).toBe(0);
  });

  test("a chain that never ends lets the rest of the process run", async () => {
    const clock = new RealTimeClock();
    const timer = clock.timer(() => timer.arm(0));
    timer.arm(0);
    for (let count = 0; count < 5; count += 1) await turn();
    await new Promise((resolve) => setTimeout(resolve, 1));
    timer.disarm();
    expect(clock.armedTimers).toBe(0);
  });

  test("a callback that throws does not stop the others", async () => {
    vi.useFakeTimers();
    const clock = new RealTimeClock();
    const seen: string[] = [];
    clock
      .timer(() => {
        throw new Error("a bug");
      })
      .arm(10);
    clock.timer(() => seen.push("next")).arm(10);
    expect(() => vi.advanceTimersByTime(10)).toThrow("a bug");
    await turn();
    expect(seen).toEqual(["next"]);
  });
});

describe("one timeout of the event loop", () => {
  test("for any number of timers; none when nothing is armed and nobody holds the clock", () => {
    vi.useFakeTimers();
    const clock = new RealTimeClock();
    const timers = Array.from({ length: 100 }, () => clock.timer(() => {}));
    for (const [index, timer] of timers.entries()) timer.arm(1000 - index);
    expect(vi.getTimerCount()).toBe(1);
    for (const timer of timers) timer.disarm();
    clock.hold();
    clock.release();
    expect(vi.getTimerCount()).toBe(0);
    clock.hold();
    expect(vi.getTimerCount()).toBe(1);
    timers[0].arm(50);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(60);
    expect([clock.armedTimers, vi.getTimerCount()]).toEqual([0, 1]);
    clock.release();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is referenced only while the clock is held", () => {
    const handles: NodeJS.Timeout[] = [];
    const original = globalThis.setTimeout;
    globalThis.setTimeout = ((...parameters: Parameters<typeof setTimeout>) => {
      const handle = original(...parameters);
      handles.push(handle);
      return handle;
    }) as typeof setTimeout;
    try {
      const clock = new RealTimeClock();
      const timer = clock.timer(() => {});
      timer.arm(100_000);
      expect(handles.at(-1)?.hasRef()).toBe(false);
      clock.hold();
      expect(handles.at(-1)?.hasRef()).toBe(true);
      timer.arm(50_000);
      expect(handles.at(-1)?.hasRef()).toBe(true);
      clock.release();
      expect(handles.at(-1)?.hasRef()).toBe(false);
      timer.disarm();
      clock.hold();
      clock.release();
    } finally {
      globalThis.setTimeout = original;
      for (const handle of handles) clearTimeout(handle);
    }
  });

  test("a delay beyond what setTimeout takes is waited for in parts", () => {
    vi.useFakeTimers();
    const clock = new RealTimeClock();
    let expired = 0;
    clock.timer(() => (expired += 1)).arm(2 ** 31 + 1000);
    vi.advanceTimersByTime(2 ** 31);
    expect(expired).toBe(0);
    vi.advanceTimersByTime(1001);
    expect(expired).toBe(1);
  });
});

test("unpredictable numbers are not repeated, and use all 32 bits", () => {
  const random = new WebRandom();
  const drawn = new Set<number>();
  let union = 0;
  for (let count = 0; count < 1000; count += 1) {
    const value = random.uint32();
    drawn.add(value);
    union |= value;
  }
  expect(drawn.size).toBeGreaterThan(990);
  expect(union >>> 0).toBe(0xffffffff);
});
