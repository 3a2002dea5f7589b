// A host in the real world: the process's clock and unpredictable chance.
import type { Host, Observer } from "@netstrata/core";
import { RealTimeClock } from "./real-time-clock.ts";
import { WebRandom } from "./web-random.ts";

export interface RealTimeHostOptions {
  /** @default "host" */
  readonly name?: string;
  /** Hosts on one in-memory wire share a clock. @default a clock of its own */
  readonly clock?: RealTimeClock;
  readonly observer?: Observer;
}

export function createRealTimeHost(options: RealTimeHostOptions = {}): Host {
  const { name = "host", clock = new RealTimeClock(), observer } = options;
  return { name, clock, random: new WebRandom(), observer };
}
