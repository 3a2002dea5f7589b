// The simulated world: seeded chance, virtual time. A program waits in no time, and the same seed gives the same packets.
import { type Milliseconds, SeededRandom, VirtualClock } from "@netstrata/core";
import { nextTurn } from "@netstrata/socket";
import { DEFAULT_RUN_LIMIT, type RunOptions, World } from "./world.ts";

export interface SimulationOptions {
  /** @default 1 */
  readonly seed?: number;
  /** What the clock says in the beginning. @default 0 */
  readonly start?: Milliseconds;
}

export function simulate(options: SimulationOptions = {}): SimulatedWorld {
  return new SimulatedWorld(options);
}

/** What the driver does next: let a timer expire, wait for the outer world, or stop. */
type Step = "again" | "outside" | "done";

const STUCK = "nothing can happen any more (no timer is armed), and the program still waits";
const HINT = "files, subprocesses and setTimeout are waited for with `world.outside(promise)`";

export class SimulatedWorld extends World {
  declare readonly clock: VirtualClock;
  private isDriven = false;
  private readonly outsiders: Set<Promise<unknown>> = new Set();

  constructor(options: SimulationOptions = {}) {
    const { seed = 1, start = 0 } = options;
    const random = new SeededRandom(seed);
    super(seed, new VirtualClock(start), (label) => random.fork(label));
  }

  /**
   * Lets the program run until it waits, lets the next timer expire, and so on. A program that waits while no timer is armed
   * waits for ever: that is an error, and says where and when.
   */
  async run<T>(program: () => Promise<T>, options: RunOptions = {}): Promise<T> {
    const end = this.now + (options.limit ?? DEFAULT_RUN_LIMIT);
    let isSettled = false;
    const start = (): Promise<T> => {
      const outcome = program();
      const settle = (): void => {
        isSettled = true;
      };
      outcome.then(settle, settle);
      return outcome;
    };
    return this.drive(start, () => {
      if (isSettled) return "done";
      if (this.outsiders.size > 0) return "outside";
      const next = this.clock.next();
      if (next === undefined) throw new Error(`${this.complaint(STUCK)}; ${HINT}`);
      if (next > end) throw new Error(this.complaint(`the program is not done, and nothing happens before ${next} ms`));
      this.clock.step();
      return "again";
    });
  }

  advance(duration: Milliseconds): Promise<void> {
    const end = this.now + duration;
    return this.drive(undefined, () => {
      const next = this.clock.next();
      if (next === undefined || next > end) {
        this.clock.runUntil(end);
        return "done";
      }
      this.clock.step();
      return "again";
    });
  }

  async settle(limit: Milliseconds = DEFAULT_RUN_LIMIT): Promise<boolean> {
    const end = this.now + limit;
    await this.drive(undefined, () => {
      const next = this.clock.next();
      if (next === undefined || next > end) return "done";
      this.clock.step();
      return "again";
    });
    return this.clock.armedTimers === 0;
  }

  outside<T>(promise: Promise<T>): Promise<T> {
    const forget = (): void => {
      this.outsiders.delete(promise);
    };
    this.outsiders.add(promise);
    promise.then(forget, forget);
    return promise;
  }

  /** A turn of the event loop between two steps lets every promise job run that a step has caused. */
  private drive<T>(start: (() => Promise<T>) | undefined, step: () => Step): Promise<T> {
    if (this.isDriven) throw new Error("the world is running already: inside a program, wait with `sleep`");
    this.prepare();
    this.isDriven = true;
    let outcome: Promise<T> | undefined;
    return new Promise<T>((resolve, reject) => {
      // A turn of the event loop, for the promise jobs of what has come from outside as well.
      const again = (): void => nextTurn(tick);
      const tick = (): void => {
        try {
          const next = step();
          if (next === "again") again();
          else if (next === "outside") Promise.race([...this.outsiders, outcome]).then(again, again);
          else resolve(outcome as Promise<T>);
        } catch (error) {
          reject(error);
        }
      };
      outcome = start?.();
      again();
    }).finally(() => {
      this.isDriven = false;
      // What this program did not wait for, the next one has not either.
      this.outsiders.clear();
    });
  }

  private complaint(what: string): string {
    const left = this.leaks();
    return `at ${this.now} ms, seed ${this.seed}: ${what}${left.length === 0 ? "" : `; left: ${left.join(", ")}`}`;
  }
}
