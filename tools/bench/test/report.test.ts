import { expect, test } from "vitest";
import { resultOf } from "../src/comparison.ts";
import { comparisonTable, formatRate } from "../src/report.ts";
import { findSubject } from "../src/subjects.ts";
import { textTable } from "../src/text-table.ts";

test.each([
  [0.5, "round trips", "0.500 /s"],
  [999, "connections", "999 /s"],
  [999.9, "connections", "1.00 k/s"],
  [49_123, "round trips", "49.1 k/s"],
  [123_456, "datagrams", "123 k/s"],
  [1_520_000_000, "octets", "1.52 GB/s"],
  [2e13, "octets", "20000 GB/s"],
] as const)("%d %s a second are %s", (rate, unit, text) => {
  expect(formatRate(rate, unit)).toBe(text);
});

test("columns stand under their headings, numbers to the right", () => {
  const rows = [
    ["name", "count"],
    ["a", "1"],
    ["longer", "20"],
  ];
  expect(textTable(rows, "<>")).toBe("name    count\n──────  ─────\na           1\nlonger     20\n");
});

test("the table has one line a comparison, with rates and ratios", () => {
  const sample = { amount: 1000, wall: 1, cpu: 2 };
  const table = comparisonTable([resultOf(findSubject("udp-64-core-1500"), [sample], [{ ...sample, wall: 10 }])]);
  const lines = table.trimEnd().split("\n");
  expect(lines).toHaveLength(3);
  expect(lines[2]).toMatch(/^UDP, 64 bytes +core API, MTU 1500 +1\.00 M\/s +node:dgram +100 k\/s +10\.0 +10\.0 – 10\.0 +1\.00$/);
});
