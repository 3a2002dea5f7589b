// What a recorded connection asks of a stack that plays one of its ends: both streams, how it begins and how it ends (RFC 9293 §3.3.2).
import { IPV4_BROADCAST, isMulticast, type Milliseconds, type SequenceNumber } from "@netstrata/core";
import { ACK, RST, SYN, type TcpConnectionOptions } from "@netstrata/transport";
import { missingOctets, type RecordedEnds, readEnds } from "./recorded-end.ts";
import { has, isOpening, type RecordedSegment } from "./recorded-segment.ts";
import { isSegment, type RecordedTcp } from "./recording.ts";

export interface TcpPlan extends RecordedEnds {
  readonly recording: RecordedTcp;
  /** Who opens: our stack (active), or the peer (passive); "refusing": nobody listens, and the peer is told so. */
  readonly role: "active" | "passive" | "refusing";
  /** Both streams are closed, or one end has reset the connection. */
  readonly ends: boolean;
}

/** Reads a recorded connection; a sentence when it cannot be replayed, because the recording does not hold what is needed. */
export function planTcp(recording: RecordedTcp): TcpPlan | string {
  const peer = recording.peer.address;
  // RFC 9293 MUST-46
  if (isMulticast(peer) || peer === IPV4_BROADCAST) return "the peer is no single host";
  const segments = recording.events.filter(isSegment);
  const first = segments[0];
  if (first === undefined || !segments.some(isOpening)) return "it begins before the recording does: there is no SYN";
  if (!isOpening(first)) return "its first packet is not the SYN";
  const role = roleOf(segments, first);
  if (role === undefined) return `the SYN was never answered by ${first.fromOwn ? "the peer" : "the end to play"}`;
  const ownIsn = isnOf(segments, true);
  const peerIsn = isnOf(segments, false);
  if (ownIsn === "several" || peerIsn === "several") return "an end sent two different SYNs";
  const ends = readEnds(segments, ownIsn, peerIsn);
  const fault = faultOf(ends);
  return fault ?? { recording, role, ...ends, ends: ends.own.resets || ends.peer.resets || bothClosed(ends) };
}

function roleOf(segments: readonly RecordedSegment[], first: RecordedSegment): TcpPlan["role"] | undefined {
  const answered = segments.some((segment) => segment.fromOwn !== first.fromOwn && (has(segment, SYN) || has(segment, RST)));
  if (!answered) return undefined;
  const ownSyn = segments.find((segment) => segment.fromOwn && has(segment, SYN));
  if (ownSyn === undefined) return "refusing";
  return has(ownSyn, ACK) ? "passive" : "active";
}

function isnOf(segments: readonly RecordedSegment[], fromOwn: boolean): SequenceNumber | undefined | "several" {
  const numbers = new Set(segments.filter((segment) => segment.fromOwn === fromOwn && has(segment, SYN)).map((segment) => segment.seq));
  return numbers.size > 1 ? "several" : [...numbers][0];
}

/** What keeps a connection from being replayed. */
function faultOf({ own, peer }: RecordedEnds): string | undefined {
  for (const [end, other, name] of [
    [own, peer, "the end to play"],
    [peer, own, "the peer"],
  ] as const) {
    if (end.cutOff) return `packets of ${name} were cut off by the capture's snap length`;
    if (end.syn !== undefined && end.syn.payload.length > 0) return `${name} sends octets with its SYN (TCP Fast Open, RFC 7413)`;
    if (end.stream.contradicts) return `packets of ${name} contradict each other about the same octets`;
    const missing = missingOctets(end, other);
    if (missing > 0) return `${missing} octets of ${name} are not in the recording`;
    if (end.fin !== undefined && end.stream.length > end.fin - 1) return `${name} sends octets behind its FIN`;
  }
  return undefined;
}

function bothClosed({ own, peer }: RecordedEnds): boolean {
  return own.fin !== undefined && peer.fin !== undefined && own.acknowledges > peer.fin && peer.acknowledges > own.fin;
}

/** Smallest receive buffer of a replay: the recorded host's windows are never larger than ours. */
const SMALLEST_BUFFER = 262_144;
/** Nobody gives up before the recording does. */
const PATIENCE: Milliseconds = 24 * 3_600_000;

/** What our stack must be told, so that it can do what the recorded host did. */
export function optionsFor({ own }: TcpPlan): TcpConnectionOptions {
  return {
    // The recorded application's writes are not to be merged: what went out in one segment goes out when it did.
    noDelay: true,
    receiveBuffer: Math.max(SMALLEST_BUFFER, 2 * own.largestWindow),
    sendBuffer: Math.max(SMALLEST_BUFFER, own.stream.length),
    maximumSegmentSize: own.syn?.options.maximumSegmentSize,
    userTimeout: PATIENCE,
  };
}
