// A point-to-point wire between two devices in memory.
import type { Clock, Observer } from "@netstrata/core";
import type { LinkDevice, LinkOffload, Medium } from "./link-device.ts";
import { MemoryDevice } from "./memory-device.ts";
import type { LineOptions } from "./transmission-line.ts";

export const ETHERNET_MTU = 1500;

export interface WireOptions extends LineOptions {
  /** @default "ethernet" */
  readonly medium?: Medium;
  /** Largest link payload, in octets. @default 1500 */
  readonly mtu?: number;
  /** A wire corrupts nothing, so both ends may leave work undone. @default NO_OFFLOAD */
  readonly offload?: LinkOffload;
  /** Names of the two ends. @default ["a", "b"] */
  readonly names?: readonly [string, string];
  /** What is different from a to b. */
  readonly aToB?: LineOptions;
  /** What is different from b to a. */
  readonly bToA?: LineOptions;
  /** Told of every packet that is lost at either end. */
  readonly observer?: Observer;
}

export interface Wire {
  readonly a: LinkDevice;
  readonly b: LinkDevice;
  /** Closes both ends. */
  close(): void;
}

/**
 * Two devices of which each receives what the other transmits, after the time its transmission and its way take.
 * Misuse (a negative latency, a rate or MTU of zero) throws a RangeError.
 */
export function createWire(clock: Clock, options: WireOptions = {}): Wire {
  const { medium = "ethernet", mtu = ETHERNET_MTU, names = ["a", "b"], aToB, bToA, ...rest } = options;
  const a = new MemoryDevice(clock, { ...rest, ...bToA, medium, mtu, name: names[0] });
  const b = new MemoryDevice(clock, { ...rest, ...aToB, medium, mtu, name: names[1] });
  a.connect(b.inbound);
  b.connect(a.inbound);
  return {
    a,
    b,
    close: () => {
      a.close();
      b.close();
    },
  };
}
