// What can go wrong on a link: by chance, with a probability for each fault, or to packets that a test names.
import type { Milliseconds, PacketBuffer, StackEvent } from "@netstrata/core";
import type { Direction } from "./device-wrapper.ts";

export const FAULTS = ["drop", "corrupt", "duplicate", "reorder", "delay"] as const;
export type Fault = (typeof FAULTS)[number];

/** Probabilities from 0 to 1, each drawn on its own for each packet; 0 when absent. */
export interface FaultRates extends Partial<Readonly<Record<Fault, number>>> {
  /** How many bits of a corrupted packet flip. The Internet checksum sees every single one, but not every two. @default 1 */
  readonly corruptBits?: number;
  /** A delayed packet waits for so long, at least and at most, while others overtake it. @default [1, 100] */
  readonly delayTime?: readonly [Milliseconds, Milliseconds];
  /** A reordered packet is overtaken by one packet, or by up to so many. @default 3 */
  readonly reorderDistance?: number;
  /** A reordered packet that nobody overtakes goes on after so long. @default 100 */
  readonly reorderTime?: Milliseconds;
  /** Faults by chance hit only packets for which it answers true. @default all */
  readonly matches?: PacketPredicate;
}

/** Says whether a packet is meant. The packet begins with its link header; its window must stay as it is. */
export type PacketPredicate = (packet: PacketBuffer) => boolean;

/** A fault that hits certain packets and no others. */
export interface NamedFault {
  readonly fault: Fault;
  readonly direction: Direction;
  /** @default every packet of the direction */
  readonly matches?: PacketPredicate;
  /** The first packet to hit among those that match, counted from 1. @default 1 */
  readonly nth?: number;
  /** How many matching packets in a row are hit. @default 1 */
  readonly count?: number;
  /** For "delay": how long. @default 100 */
  readonly delayTime?: Milliseconds;
  /** For "reorder": by how many packets it is overtaken. @default 1 */
  readonly distance?: number;
  /** For "corrupt": the bit that flips, 0 being the highest of the first octet. @default a random one */
  readonly bit?: number;
}

/** A fault was injected; `packet` is lent for the duration of the call. */
export interface FaultEvent extends StackEvent {
  readonly layer: "link";
  readonly kind: "fault";
  readonly fault: Fault;
  readonly direction: Direction;
  /** The device's name. */
  readonly interface: string;
  readonly packet: PacketBuffer;
}

/** @throws RangeError for a probability, time or number that makes no sense: found out later, it would stop the clock or throw in mid-packet. */
export function checkFaultRates(rates: FaultRates): void {
  for (const fault of FAULTS) check(fault, rates[fault], 0, 1);
  check("corruptBits", rates.corruptBits, 0, Number.MAX_SAFE_INTEGER);
  for (const time of rates.delayTime ?? []) check("delayTime", time, 0, Number.MAX_SAFE_INTEGER);
  check("reorderDistance", rates.reorderDistance, 1, 2 ** 32);
  check("reorderTime", rates.reorderTime, 0);
}

/** @throws RangeError */
export function checkNamedFault({ delayTime, distance, nth, count, bit }: NamedFault): void {
  check("delayTime", delayTime, 0);
  check("distance", distance, 1);
  check("nth", nth, 1);
  check("count", count, 1);
  check("bit", bit, 0, Number.MAX_SAFE_INTEGER);
}

function check(name: string, value: number | undefined, least: number, most: number = Number.POSITIVE_INFINITY): void {
  if (value !== undefined && !(value >= least && value <= most)) throw new RangeError(`${name} ${value}: not ${least} to ${most}`);
}
