// The times, counts and limits of a neighbour cache (RFC 4861 §10; RFC 1122 §2.3.2 for ARP; the limits on memory are our own).
import type { Milliseconds } from "@netstrata/core";

export interface NeighbourLimits {
  /** Confirmed for so long, times a random factor of 0.5 to 1.5 (RFC 4861 §6.3.2). @default 30_000 */
  readonly reachableTime: Milliseconds;
  /** Between two solicitations of one neighbour (RFC 1122 §2.3.2.1: once a second). @default 1000 */
  readonly retransmitTime: Milliseconds;
  /** How long the upper layers have to confirm a neighbour before it is probed. @default 5000 */
  readonly delayFirstProbeTime: Milliseconds;
  /** Solicitations before an unknown neighbour is given up. @default 3 */
  readonly maxMulticastSolicit: number;
  /** Solicitations before a known neighbour is forgotten. @default 3 */
  readonly maxUnicastSolicit: number;
  /** A link address neither used nor heard of for so long is forgotten (RFC 1122 §2.3.2.1). @default 60_000 */
  readonly staleLifetime: Milliseconds;
  /** How long an unanswered neighbour is not asked for again. @default 3000 */
  readonly failureTime: Milliseconds;
  /** Entries; the least useful one makes room. @default 1024 */
  readonly maxEntries: number;
  /** Datagrams that wait for one neighbour; the oldest makes room (RFC 1122 §2.3.2.2). @default 64 */
  readonly queueLimit: number;
  /** Datagrams that wait for all neighbours together. @default 1024 */
  readonly totalQueueLimit: number;
}

export const NEIGHBOUR_LIMITS: NeighbourLimits = {
  reachableTime: 30_000,
  retransmitTime: 1000,
  delayFirstProbeTime: 5000,
  maxMulticastSolicit: 3,
  maxUnicastSolicit: 3,
  staleLifetime: 60_000,
  failureTime: 3000,
  maxEntries: 1024,
  // Room for the 44 fragments of the largest datagram at an MTU of 1500.
  queueLimit: 64,
  totalQueueLimit: 1024,
};
