// A host: what all layers of one stack have in common.
import type { Clock } from "./clock.ts";
import type { Observer } from "./observer.ts";
import type { Random } from "./random.ts";

export interface Host {
  /** For traces and messages; unique in a simulated world. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Nobody listening costs one comparison an event. May be set and taken away at any time. */
  observer?: Observer;
}
