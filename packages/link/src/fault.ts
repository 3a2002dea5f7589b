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
