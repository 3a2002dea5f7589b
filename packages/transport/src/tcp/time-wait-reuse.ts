// Cutting TIME-WAIT short (RFC 9293 §3.6.1 MAY-2, RFC 1122 §4.2.2.13, RFC 6191 §2): when a new connection may take the place of an old one.
import { isAfter, type Milliseconds, sequenceDistance } from "@netstrata/core";
import type { ResolvedTcpOptions } from "./connection-options.ts";
import type { Segment } from "./segment.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/**
 * - "never": nobody may; a SYN is answered like any other segment that does not fit.
 * - "passive": a SYN that is known to be newer than all that was received opens the connection anew.
 * - "always": so may an open call, when the peer can tell the new connection's segments by their timestamps (Linux: tcp_tw_reuse).
 */
export type TimeWaitReuse = "never" | "passive" | "always";

/** A tick of the coarsest clock that a peer may have (RFC 7323 §5.4): after it our timestamps are newer to anyone. */
const NEWER_FOR_ANYONE: Milliseconds = 1000;

/**
 * A SYN has arrived for a connection: may it make another of it? `options` would be the new one's. Where it may not, RFC 6191 would
 * drop it; it is answered like every SYN that does not fit (RFC 5961 §4), so that a peer that has forgotten the old one can end it.
 */
export function maySynReopen(tcb: TransmissionControlBlock, segment: Segment, options: ResolvedTcpOptions): boolean {
  if (tcb.state !== "TIME-WAIT" || !segment.hasSyn || segment.hasAck || segment.hasRst) return false;
  if (tcb.options.timeWaitReuse === "never") return false;
  const isBeyond = isAfter(segment.seq, tcb.rcv.nxt);
  const offered = options.timestamps ? segment.options.timestamps : undefined;
  if (offered === undefined) return isBeyond;
  // Without timestamps in the old connection PAWS keeps its segments out of the new one.
  if (!tcb.timestamps.enabled) return true;
  const newer = sequenceDistance(tcb.timestamps.recent, offered.value);
  return newer > 0 || (newer === 0 && isBeyond);
}

/** The user opens a connection between the ends of one that lingers: may it take its place? */
export function mayOpenAgain(tcb: TransmissionControlBlock, options: ResolvedTcpOptions): boolean {
  if (tcb.state !== "TIME-WAIT" || options.timeWaitReuse !== "always" || !options.timestamps) return false;
  // Its last segment is so old that all of the new ones are newer.
  return tcb.timestamps.enabled && tcb.clock.now() - tcb.timestamps.recentAt >= NEWER_FOR_ANYONE;
}
