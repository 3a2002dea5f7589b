import { describe, expect, test } from "vitest";
import { compare } from "../src/comparison.ts";
import { comparisonJson } from "../src/report.ts";
import { openInSameProcess } from "../src/same-process.ts";
import { findSubject, SUBJECTS } from "../src/subjects.ts";

const TINY = { rounds: 1, warmUpTime: 0, sampleTime: 0 };

test("no two subjects have the same name", () => {
  expect(new Set(SUBJECTS.map(({ name }) => name)).size).toBe(SUBJECTS.length);
});

test("a name that nobody has is refused", () => {
  expect(() => findSubject("bulk-over-pigeon")).toThrow(RangeError);
});

describe.each(SUBJECTS)("$name", (subject) => {
  test("does its work, beside its peer, and can be told in JSON", async () => {
    const comparison = await compare(subject, { ...TINY, openStage: openInSameProcess });
    const { comparisons, machine } = JSON.parse(comparisonJson([comparison], TINY));
    expect(machine.cores).toBeGreaterThan(0);
    const spread = { median: expect.any(Number), low: expect.any(Number), high: expect.any(Number) };
    const contender = { title: expect.any(String), rate: spread, cpuRate: spread };
    const sample = { amount: subject.work.quantum, wall: expect.any(Number), cpu: expect.any(Number) };
    expect(comparisons).toMatchObject([
      {
        name: subject.name,
        work: { unit: subject.work.unit },
        subject: { ...contender, samples: [sample] },
        peer: { ...contender, samples: [sample] },
        ratio: spread,
        cpuRatio: spread,
      },
    ]);
  });

  test.each(["subject", "peer"] as const)("the %s can be asked again and again for any amount", async (role) => {
    const contender = await subject[role].open();
    try {
      // More than what is on its way at once, and amounts that do not divide evenly.
      for (const quanta of [1, 100, 7]) await contender.run(quanta * subject.work.quantum);
    } finally {
      await contender.close();
    }
  });
});
