// Whether a segment belongs to what was recorded before it on the same addresses and ports.
import type { Milliseconds } from "@netstrata/core";
import { ACK, FIN, RST, SYN } from "@netstrata/transport";
import { has, isOpening, type RecordedSegment } from "./recorded-segment.ts";

/** Within this a router has passed a packet on, and no sender has begun to think that it was lost. */
const SEEN_TWICE_TIME: Milliseconds = 5;

/** Whether a SYN opens the conversation that is known, as its repetition or from the other side, or a new one on the same ports. */
export function belongsTo(segments: readonly RecordedSegment[], syn: RecordedSegment): boolean {
  const same = segments.find((segment) => segment.fromOwn === syn.fromOwn && has(segment, SYN));
  if (same?.seq === syn.seq) return true;
  const finished =
    segments.some((segment) => has(segment, RST)) ||
    [true, false].every((own) => segments.some((segment) => segment.fromOwn === own && has(segment, FIN)));
  if (finished) return false;
  const opened = segments.some((segment) => has(segment, SYN) && has(segment, ACK));
  // Before anybody answered it may be the other half of a simultaneous open; after, a stranger's SYN that is to be challenged.
  return opened || (same === undefined && segments.every(isOpening));
}

/** Captures on a router or a mirror port show a packet before and behind the router: nothing but its time to live has changed. */
export function isSeenTwice(
  events: readonly Pick<RecordedSegment, "datagram" | "fromOwn">[],
  { datagram, fromOwn }: RecordedSegment,
): boolean {
  const { identification, headerLength } = datagram.header;
  // Without an identification that changes, a repetition by the sender itself looks the same.
  if (identification === 0) return false;
  for (let index = events.length - 1; index >= 0 && datagram.time - events[index].datagram.time <= SEEN_TWICE_TIME; index -= 1) {
    const before = events[index].datagram;
    if (events[index].fromOwn !== fromOwn || before.header.identification !== identification) continue;
    if (before.bytes.length !== datagram.bytes.length) continue;
    return datagram.bytes.subarray(headerLength).every((octet, at) => octet === before.bytes[headerLength + at]);
  }
  return false;
}
