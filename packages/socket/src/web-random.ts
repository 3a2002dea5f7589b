// Unpredictable chance for real networks: the Web Crypto generator.
import type { Random } from "@netstrata/core";

/** Numbers drawn at once: a call of the generator costs far more than a number. */
const POOL_SIZE = 64;

export class WebRandom implements Random {
  private readonly pool = new Uint32Array(POOL_SIZE);
  private used: number = POOL_SIZE;

  uint32(): number {
    if (this.used === POOL_SIZE) {
      crypto.getRandomValues(this.pool);
      this.used = 0;
    }
    const value = this.pool[this.used];
    // What has been handed out is not kept: a later look at the memory tells nothing about it.
    this.pool[this.used] = 0;
    this.used += 1;
    return value;
  }
}
