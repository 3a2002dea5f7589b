// Two hosts on one wire in virtual time, and a way to let a promise's program run on them.

import type { StackEvent } from "@netstrata/core";
import { type Observer, SeededRandom, VirtualClock } from "@netstrata/core";
import { createWire, type Wire, type WireOptions } from "@netstrata/link";
import { createStack, type Stack, type StackOptions, turn } from "../src/index.ts";

export interface TwoStacks {
  readonly clock: VirtualClock;
  readonly wire: Wire;
  /** 10.0.0.1 */
  readonly client: Stack;
  /** 10.0.0.2 */
  readonly server: Stack;
  /** Everything that both observers were told. */
  readonly events: { readonly host: string; readonly event: StackEvent }[];
  /** Drives the clock until `program` has settled; fails when nothing can happen any more. */
  run<T>(program: () => Promise<T>): Promise<T>;
  sleep(duration: number): Promise<void>;
}

export interface TwoStacksOptions {
  readonly seed?: number;
  readonly wire?: WireOptions;
  readonly client?: StackOptions;
  readonly server?: StackOptions;
  readonly observe?: boolean;
}

export function twoStacks(options: TwoStacksOptions = {}): TwoStacks {
  const clock = new VirtualClock();
  const random = new SeededRandom(options.seed ?? 1);
  const wire = createWire(clock, { medium: "ip", latency: 5, ...options.wire });
  const events: TwoStacks["events"] = [];
  const stack = (name: string, address: string, device: Wire["a"], extra: StackOptions = {}): Stack => {
    const observer: Observer | undefined = options.observe ? { observe: (event) => events.push({ host: name, event }) } : undefined;
    return createStack({ host: { name, clock, random: random.fork(name), observer }, interfaces: [{ device, address }], ...extra });
  };
  return {
    clock,
    wire,
    events,
    client: stack("client", "10.0.0.1/24", wire.a, options.client),
    server: stack("server", "10.0.0.2/24", wire.b, options.server),
    async run(program) {
      let isSettled = false;
      const outcome = program().finally(() => {
        isSettled = true;
      });
      outcome.catch(() => {});
      for (;;) {
        await turn();
        if (isSettled) return outcome;
        if (!clock.step()) throw new Error(`at ${clock.now()} ms nothing is left to happen, and the program waits`);
      }
    },
    sleep: (duration) => new Promise((resolve) => clock.timer(resolve).arm(duration)),
  };
}

/** Octets that are easy to compare: 0, 1, 2 … with a step that shows misplaced pieces. */
export function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = (index * 7 + (index >> 8) * 13) & 255;
  return bytes;
}

/** The rejection of a promise; fails when it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it was expected to reject");
}
