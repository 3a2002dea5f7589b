// What everything hostile draws its luck from.
import { randomBelow, type SeededRandom } from "@netstrata/core";

export class Chance {
  readonly random: SeededRandom;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  below(bound: number): number {
    return randomBelow(this.random, bound);
  }

  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }

  /** A choice out of lists, of which each is as likely as it occurs. */
  pickFrom<T>(...lists: readonly (readonly T[])[]): T {
    return this.pick(this.pick(lists));
  }

  octets(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}
