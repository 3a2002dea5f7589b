// Goodput of one flow over loss × reordering × delay × bandwidth × congestion control.
import type { CongestionControlName } from "@netstrata/transport";
import { Dumbbell } from "./dumbbell.ts";

export interface Case {
  /** Mbit/s */
  readonly bandwidth: number;
  /** There and back, in ms. */
  readonly roundTrip: number;
  /** Of the packets, in percent. */
  readonly loss: number;
  /** Overtaken by up to ten others, in percent of the packets. */
  readonly reordering: number;
}

export const CONTROLS: readonly CongestionControlName[] = ["newreno", "cubic", "bbr"];

const BANDWIDTHS = [1, 10, 100];
const ROUND_TRIPS = [10, 50, 200];
const LOSSES = [0, 0.1, 1, 5];
const REORDERINGS = [0, 2];
/** As many segments as make figures that mean something, in so many round trips. */
const SECONDS = 10;

export const CASES: readonly Case[] = REORDERINGS.flatMap((reordering) =>
  LOSSES.flatMap((loss) => ROUND_TRIPS.flatMap((roundTrip) => BANDWIDTHS.map((bandwidth) => ({ bandwidth, roundTrip, loss, reordering })))),
);

/** Goodput in percent of the bottleneck's rate, from the SYN on. The queue holds one bandwidth-delay product, at least twenty packets. */
export function goodput({ bandwidth, roundTrip, loss, reordering }: Case, congestionControl: CongestionControlName): number {
  const rate = bandwidth * 1e6;
  const pipe = (rate / 8 / 1500) * (roundTrip / 1000);
  const faults = { drop: loss / 100, reorder: reordering / 100, reorderDistance: 10, reorderTime: roundTrip / 4 };
  const world = new Dumbbell(1, { rate, queue: Math.max(20, Math.ceil(pipe)), faults }, [{ roundTrip, congestionControl }]);
  world.run(SECONDS * 1000, SECONDS * 1000, () => {});
  return (100 * 8 * world.flows[0].received) / (rate * SECONDS);
}

/** A line of the table in docs/goodput.md. */
export function goodputRow(row: Case): string {
  const { bandwidth, roundTrip, loss, reordering } = row;
  const cells = CONTROLS.map((control) => goodput(row, control).toFixed(1));
  return `| ${[`${loss} %`, `${reordering} %`, `${roundTrip} ms`, `${bandwidth} Mbit/s`, ...cells].join(" | ")} |`;
}
