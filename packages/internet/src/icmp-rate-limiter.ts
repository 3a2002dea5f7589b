// How many ICMP errors a host sends (RFC 1812 §4.3.2.8): a token bucket.
import { type Host, type Milliseconds, randomFraction, resolveLimits } from "@netstrata/core";

export interface IcmpRateLimits {
  /** Tokens that come back in a second. @default 1000 */
  readonly errorsPerSecond: number;
  /** Tokens when nothing has been sent for a while. @default 100 */
  readonly errorBurst: number;
}

export const DEFAULT_ICMP_RATE_LIMITS: IcmpRateLimits = { errorsPerSecond: 1000, errorBurst: 100 };

export class IcmpRateLimiter {
  private readonly host: Host;
  private readonly limits: IcmpRateLimits;
  private tokens: number;
  private filledAt: Milliseconds;

  constructor(host: Host, limits: Partial<IcmpRateLimits> = {}) {
    this.host = host;
    this.limits = resolveLimits(DEFAULT_ICMP_RATE_LIMITS, limits);
    this.tokens = this.limits.errorBurst;
    this.filledAt = host.clock.now();
  }

  /**
   * Takes the tokens for one error; false when there are not enough. An error costs one token and a random part of a
   * second one: were the price exact, somebody who provokes errors under forged addresses could count from the ones he
   * still receives himself which of his guesses (an open port, say) were answered with silence.
   */
  allows(): boolean {
    const now = this.host.clock.now();
    this.tokens = Math.min(this.limits.errorBurst, this.tokens + ((now - this.filledAt) * this.limits.errorsPerSecond) / 1000);
    this.filledAt = now;
    if (this.tokens < 1) return false;
    this.tokens -= 1 + randomFraction(this.host.random);
    return true;
  }
}
