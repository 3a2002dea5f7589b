// Time, the first of the three doors through which the world enters. Everything below the socket package asks this clock.

/** A duration or a point in time, in milliseconds; fractions are allowed. */
export type Milliseconds = number;

export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back. */
  now(): Milliseconds;
  /** A timer that is not armed. Create it once and arm it again and again. */
  timer(onExpiry: () => void): Timer;
}

export interface Timer {
  readonly armed: boolean;
  /** When an armed timer expires, on the clock's scale; meaningless while it is not armed. */
  readonly deadline: Milliseconds;
  /** Arms it to expire once, `delay` from now; a timer that is armed already forgets its former deadline. */
  arm(delay: Milliseconds): void;
  disarm(): void;
}
