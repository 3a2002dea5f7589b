// The real world behind the same interface: the process's clock, unpredictable chance, and wires in memory all the same.
import { type Milliseconds, SeededRandom } from "@netstrata/core";
import { RealTimeClock, WebRandom } from "@netstrata/socket";
import { DEFAULT_RUN_LIMIT, type RunOptions, World } from "./world.ts";

export interface RealWorldOptions {
  /** Repeats what chance decides, but not when things happen. @default unpredictable */
  readonly seed?: number;
}

/** How often `settle` looks. */
const SETTLE_INTERVAL: Milliseconds = 5;

export function realWorld(options: RealWorldOptions = {}): RealWorld {
  return new RealWorld(options);
}

export class RealWorld extends World {
  declare readonly clock: RealTimeClock;

  constructor(options: RealWorldOptions = {}) {
    const seed = options.seed ?? new WebRandom().uint32();
    const seeded = new SeededRandom(seed);
    super(seed, new RealTimeClock(), (label) => (options.seed === undefined ? new WebRandom() : seeded.fork(label)));
  }

  async run<T>(program: () => Promise<T>, options: RunOptions = {}): Promise<T> {
    this.prepare();
    const { limit = DEFAULT_RUN_LIMIT } = options;
    let watchdog: ReturnType<RealTimeClock["timer"]> | undefined;
    const late = new Promise<never>((_, reject) => {
      watchdog = this.clock.timer(() => reject(new Error(`the program is not done after ${limit} ms`)));
      watchdog.arm(limit);
    });
    // A program that runs keeps the process alive.
    this.clock.hold();
    try {
      return await Promise.race([program(), late]);
    } finally {
      watchdog?.disarm();
      this.clock.release();
    }
  }

  async advance(duration: Milliseconds): Promise<void> {
    await this.run(() => this.sleep(duration));
  }

  async settle(limit: Milliseconds = DEFAULT_RUN_LIMIT): Promise<boolean> {
    const end = this.now + limit;
    while (this.clock.armedTimers > 0 && this.now < end) await this.advance(SETTLE_INTERVAL);
    return this.clock.armedTimers === 0;
  }

  outside<T>(promise: Promise<T>): Promise<T> {
    return promise;
  }
}
