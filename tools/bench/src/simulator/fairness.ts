// How two flows share a bottleneck: the same and different controls, the same and different round trips.
import type { CongestionControlName } from "@netstrata/transport";
import { Dumbbell } from "./dumbbell.ts";

export interface Pair {
  readonly controls: readonly [CongestionControlName, CongestionControlName];
  /** There and back, in ms. */
  readonly roundTrips: readonly [number, number];
}

export const PAIRS: readonly Pair[] = [
  { controls: ["newreno", "newreno"], roundTrips: [40, 40] },
  { controls: ["cubic", "cubic"], roundTrips: [40, 40] },
  { controls: ["bbr", "bbr"], roundTrips: [40, 40] },
  { controls: ["newreno", "newreno"], roundTrips: [20, 80] },
  { controls: ["cubic", "cubic"], roundTrips: [20, 80] },
  { controls: ["bbr", "bbr"], roundTrips: [20, 80] },
  { controls: ["cubic", "newreno"], roundTrips: [40, 40] },
  { controls: ["bbr", "newreno"], roundTrips: [40, 40] },
  { controls: ["bbr", "cubic"], roundTrips: [40, 40] },
];

const RATE = 1e7;
/** One bandwidth-delay product of 40 ms and 10 Mbit/s, in packets of 1500 octets. */
const QUEUE = 34;
/** The first seconds are not counted. The second flow begins a little later, so that they do not run in step. */
const SETTLING = 20_000;
const SECONDS = 60;
const SECOND_START = 1000;

export interface Shares {
  /** Mbit/s of each flow. */
  readonly goodput: readonly [number, number];
  /** Jain's index: 1 when both get the same, 0.5 when one gets nothing. */
  readonly fairness: number;
}

export function share({ controls, roundTrips }: Pair): Shares {
  const world = new Dumbbell(
    1,
    { rate: RATE, queue: QUEUE },
    controls.map((congestionControl, index) => ({ congestionControl, roundTrip: roundTrips[index], start: index * SECOND_START })),
  );
  const before = [0, 0];
  world.run(SETTLING, SETTLING, () => {
    for (const [index, flow] of world.flows.entries()) before[index] = flow.received;
  });
  world.clock.runUntil(SETTLING + SECONDS * 1000);
  const [a, b] = world.flows.map((flow, index) => ((flow.received - before[index]) * 8) / SECONDS / 1e6);
  return { goodput: [a, b], fairness: (a + b) ** 2 / (2 * (a * a + b * b)) };
}

/** A line of the table in docs/goodput.md. */
export function fairnessRow(pair: Pair): string {
  const { goodput, fairness } = share(pair);
  const side = (index: 0 | 1): string => `${pair.controls[index]}, ${pair.roundTrips[index]} ms`;
  return `| ${[side(0), side(1), ...goodput.map((rate) => rate.toFixed(2)), fairness.toFixed(3)].join(" | ")} |`;
}
