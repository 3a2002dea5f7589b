import { expect, test } from "vitest";
import type { Work } from "../src/contender.ts";
import { warmUp } from "../src/warm-up.ts";

const WORK: Work = { title: "counting", unit: "octets", quantum: 1000 };

test("durations of 0 are content with one run of the least amount", async () => {
  const amounts: number[] = [];
  const contender = { run: (amount: number) => void amounts.push(amount), close: () => {} };
  expect(await warmUp(contender, WORK, { warmUpTime: 0, sampleTime: 0 })).toBe(1000);
  expect(amounts).toEqual([1000]);
});

test("the amount grows step by step, always in whole quanta", async () => {
  const amounts: number[] = [];
  let sum = 0;
  const contender = {
    run: (amount: number) => {
      amounts.push(amount);
      for (let count = 0; count < amount; count += 1) sum += count;
    },
    close: () => {},
  };
  const amount = await warmUp(contender, WORK, { warmUpTime: 5, sampleTime: 1 });
  expect(sum).toBeGreaterThan(0);
  expect(amounts[0]).toBe(1000);
  for (const [index, each] of amounts.entries()) {
    expect(each % 1000).toBe(0);
    if (index > 0) expect(each).toBeLessThanOrEqual(4 * amounts[index - 1] + 1000);
  }
  expect(amount % 1000).toBe(0);
  expect(amount).toBeGreaterThan(0);
});
