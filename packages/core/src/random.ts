// Chance, the second door. A host draws everything it must not be guessed by (ISNs, ports, keys) from here.

export interface Random {
  /** A uniformly distributed integer in [0, 2^32). */
  uint32(): number;
}

/** A uniformly distributed integer in [0, bound), bound from 1 to 2^32; another bound throws a RangeError. */
export function randomBelow(random: Random, bound: number): number {
  if (!(bound >= 1 && bound <= 0x100000000)) throw new RangeError(`bound ${bound}: not 1 to 2^32`);
  // Rejecting the incomplete last stretch of the range keeps the result free of bias.
  const limit = 0x100000000 - (0x100000000 % bound);
  let value = random.uint32();
  while (value >= limit) value = random.uint32();
  return value % bound;
}

/** A uniformly distributed number in [0, 1), of 32 bits' precision. */
export function randomFraction(random: Random): number {
  return random.uint32() / 0x100000000;
}
