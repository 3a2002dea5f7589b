// One entry of a neighbour cache and what its state means (RFC 4861 §7.3.2). For ARP as much as for neighbour discovery.
import { type IpAddress, type MacAddress, type Milliseconds, NULL_MAC, type PacketBuffer, type Timer } from "@netstrata/core";
import type { NeighbourLimits } from "./neighbour-limits.ts";

/** The five states of RFC 4861 §7.3.2, and one in which a failure is remembered, so that it is not found out anew for each datagram. */
export type NeighbourState = "INCOMPLETE" | "REACHABLE" | "STALE" | "DELAY" | "PROBE" | "FAILED";

export interface NeighbourEntry {
  readonly address: IpAddress;
  readonly timer: Timer;
  state: NeighbourState;
  /** Meaningless in INCOMPLETE and FAILED. */
  linkAddress: MacAddress;
  /** When something last proved that datagrams reach the neighbour. */
  confirmedAt: Milliseconds;
  /** When a datagram was last sent to it; NEVER if none was. */
  usedAt: Milliseconds;
  /** When it was last sent to or heard of. */
  touchedAt: Milliseconds;
  solicitedAt: Milliseconds;
  /** How many solicitations this round of INCOMPLETE or PROBE has sent. */
  solicitations: number;
  failedAt: Milliseconds;
  /** Datagrams that wait for the link address, oldest first. */
  queue: PacketBuffer[];
}

const NEVER: Milliseconds = Number.NEGATIVE_INFINITY;

export function createNeighbourEntry(address: IpAddress, timer: Timer, now: Milliseconds): NeighbourEntry {
  return {
    address,
    timer,
    state: "INCOMPLETE",
    linkAddress: NULL_MAC,
    confirmedAt: NEVER,
    usedAt: NEVER,
    touchedAt: now,
    solicitedAt: NEVER,
    solicitations: 0,
    failedAt: NEVER,
    queue: [],
  };
}

/** True when the entry's link address is one to send to. */
export function hasLinkAddress(entry: NeighbourEntry): boolean {
  return entry.state !== "INCOMPLETE" && entry.state !== "FAILED";
}

/** RFC 1122 §2.3.2.1: out-of-date entries are flushed. An entry with a timer armed is at work and is left alone. */
export function isOutOfDate(entry: NeighbourEntry, now: Milliseconds, limits: NeighbourLimits): boolean {
  if (entry.state === "FAILED") return !entry.timer.armed && now - entry.failedAt >= limits.failureTime;
  return (entry.state === "STALE" || entry.state === "REACHABLE") && now - entry.touchedAt > limits.staleLifetime;
}

/** True when nothing was ever sent to the neighbour: it is here because it spoke to us. */
export function isUnused(entry: NeighbourEntry): boolean {
  return entry.usedAt === NEVER;
}

/** What is lost least when the table is full: the lower, the sooner an entry goes. */
const USEFULNESS: Readonly<Record<NeighbourState, number>> = { FAILED: 0, STALE: 1, INCOMPLETE: 2, DELAY: 3, PROBE: 3, REACHABLE: 3 };

/** The order in which entries are given up: by state, and of the same state the longest unused first. */
export function isLessUseful(a: NeighbourEntry, b: NeighbourEntry): boolean {
  const difference = USEFULNESS[a.state] - USEFULNESS[b.state];
  return difference === 0 ? a.usedAt < b.usedAt : difference < 0;
}
