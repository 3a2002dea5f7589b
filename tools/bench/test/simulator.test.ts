// docs/goodput.md is what the simulator says, and its plots are what they claim to be.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Dumbbell } from "../src/simulator/dumbbell.ts";
import { fairnessRow, PAIRS } from "../src/simulator/fairness.ts";
import { CASES, goodput, goodputRow } from "../src/simulator/goodput-table.ts";
import { svgPlot } from "../src/simulator/svg-plot.ts";

const DOCUMENT = readFileSync(new URL("../../../docs/goodput.md", import.meta.url), "utf8").split("\n");
/** Made again here: those of 1 Mbit/s and 10 ms are quick, and every loss and reordering is among them. */
const QUICK = CASES.filter(({ bandwidth, roundTrip }) => bandwidth === 1 && roundTrip === 10);

describe("docs/goodput.md", () => {
  test.each(QUICK)("is up to date for $loss % loss, $reordering % reordered (else: npm run goodput --workspace tools/bench)", (row) => {
    expect(DOCUMENT).toContain(goodputRow(row));
  });

  test("is up to date for two flows of CUBIC", { timeout: 60_000 }, () => {
    expect(DOCUMENT).toContain(fairnessRow(PAIRS[1]));
  });

  test("has all rows", () => {
    expect(DOCUMENT.filter((line) => line.includes("Mbit/s |"))).toHaveLength(CASES.length);
  });
});

describe("the simulator", () => {
  const easy = { bandwidth: 10, roundTrip: 20, loss: 0, reordering: 0 };

  test("says the same each time", () => {
    expect(goodput(easy, "cubic")).toBe(goodput(easy, "cubic"));
  });

  test("a flow cannot get more than the bottleneck lets through, and loses when packets are lost", () => {
    const without = goodput(easy, "newreno");
    expect(without).toBeGreaterThan(90);
    expect(without).toBeLessThan(97.4);
    expect(goodput({ ...easy, loss: 5 }, "newreno")).toBeLessThan(without / 2);
  });

  test("two flows get nothing from nothing: what they get together is the bottleneck's", () => {
    const world = new Dumbbell(1, { rate: 1e6, queue: 20 }, [{ roundTrip: 10 }, { roundTrip: 10, start: 100 }]);
    world.run(5000, 5000, () => {});
    const together = world.flows.reduce((sum, { received }) => sum + received, 0);
    expect((together * 8) / 5e6).toBeGreaterThan(0.85);
    expect((together * 8) / 5e6).toBeLessThan(0.975);
  });
});

test("a plot is one well-formed file that knows light and dark", () => {
  const svg = svgPlot({
    title: 'a < b & "c"',
    subtitle: "s",
    unit: "seconds",
    panels: [
      {
        title: "p",
        unit: "u",
        series: [
          {
            name: "n",
            points: [
              [0, 0],
              [1, 2],
            ],
          },
        ],
      },
    ],
  });
  expect(svg).toContain("a &lt; b &amp; &quot;c&quot;");
  expect(svg).toContain("prefers-color-scheme: dark");
  // From the corner below to the right, at 100/108 of the panel's height.
  expect(svg).toContain('d="M64.00 258.00L876.00 91.33"');
  // Every element that is opened is closed, in order.
  const open: string[] = [];
  for (const [, close, name, empty] of svg.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
    if (close === "/") expect(open.pop()).toBe(name);
    else if (empty === "") open.push(name);
  }
  expect(open).toEqual([]);
});
