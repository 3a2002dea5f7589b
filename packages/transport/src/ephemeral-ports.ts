// Random ephemeral ports (RFC 6056), for TCP and UDP: who cannot guess a port cannot easily inject into its conversation.
import { type Random, randomBelow } from "@netstrata/core";

/** Ports from `first` to `last`, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/**
 * RFC 6056 §3.2 asks for as wide a range as possible above 1023. Linux's range is narrower on purpose: it stays clear of nearly
 * all registered ports, so that a client does not sit on the port of a server that starts later, and it is what captures of
 * real hosts show.
 */
export const DEFAULT_PORT_RANGE: PortRange = { first: 32768, last: 60999 };

/**
 * A port of the range for which `isFree` says true, or undefined when all are taken. Each port is asked about at most once.
 *
 * RFC 6056 §3.3.1, algorithm 1: a random start, then upward and around.
 */
export function chooseEphemeralPort(random: Random, range: PortRange, isFree: (port: number) => boolean): number | undefined {
  const count = range.last - range.first + 1;
  if (count < 1) return undefined;
  const offset = randomBelow(random, count);
  for (let step = 0; step < count; step += 1) {
    const port = range.first + ((offset + step) % count);
    if (isFree(port)) return port;
  }
  return undefined;
}
