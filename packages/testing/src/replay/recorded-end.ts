// What each end of a recorded connection sent: its stream, its FIN or RST, its acknowledgments (RFC 9293 §3.3.1, §3.4).
import { type SequenceNumber, sequenceAdd, sequenceDistance } from "@netstrata/core";
import { ACK, FIN, RST, SYN } from "@netstrata/transport";
import { has, type RecordedSegment, segmentLength } from "./recorded-segment.ts";
import { RecordedStream } from "./recorded-stream.ts";

/** One end of a recorded connection. Places count from its SYN, which is 0, so the stream's first octet has 1. */
export interface RecordedEnd {
  readonly isn: SequenceNumber;
  readonly stream: RecordedStream;
  /** The place of its FIN. */
  readonly fin: number | undefined;
  /** It sent a RST, be it one that nobody has to obey. */
  readonly sendsReset: boolean;
  /** It sent a RST that the other end has to obey. */
  readonly resets: boolean;
  /** With its FIN it stopped reading as well: what came after was not acknowledged but answered with a RST. */
  readonly closesBoth: boolean;
  /** The place up to which it acknowledged the other end's octets, SYN and FIN. */
  readonly acknowledges: number;
  /** Packets of it were cut off by the capture. */
  readonly cutOff: boolean;
  /** Its checksums were filled in after the capture had seen them, so they say nothing. */
  readonly checksumsLater: boolean;
  /** The largest window it offered, in octets. */
  readonly largestWindow: number;
  /** The SYN, or the SYN,ACK; undefined when it only refused. */
  readonly syn: RecordedSegment | undefined;
}

export interface RecordedEnds {
  readonly own: RecordedEnd;
  readonly peer: RecordedEnd;
}

/** Both ends of a connection, as its segments tell. */
export function readEnds(
  segments: readonly RecordedSegment[],
  ownIsn: SequenceNumber | undefined,
  peerIsn: SequenceNumber | undefined,
): RecordedEnds {
  const own = startEnd(segments, true, ownIsn);
  const peer = startEnd(segments, false, peerIsn);
  readSegments(segments, own, peer);
  const isIncomplete = [missingOctets(own, peer) > 0, missingOctets(peer, own) > 0];
  if (own.checksumsLater && peer.checksumsLater) return { own, peer };
  if (!isIncomplete.includes(true)) return { own, peer };
  // What was acknowledged and stands only in packets with wrong checksums was right on the wire.
  const again = [startEnd(segments, true, ownIsn), startEnd(segments, false, peerIsn)] as const;
  for (const [index, end] of again.entries()) end.checksumsLater ||= isIncomplete[index];
  readSegments(segments, ...again);
  return { own: again[0], peer: again[1] };
}

function readSegments(segments: readonly RecordedSegment[], own: WritableEnd, peer: WritableEnd): void {
  for (const segment of segments) {
    const [sender, receiver] = segment.fromOwn ? [own, peer] : [peer, own];
    // Nobody took this one, unless the capture saw it before its checksum was made.
    if (!segment.checksumGood && !sender.checksumsLater) continue;
    const place = sequenceDistance(sender.isn, segment.seq);
    const start = has(segment, SYN) ? place + 1 : place;
    const shift = has(segment, SYN)
      ? 0
      : (sender.syn?.options.windowScale ?? 0) * (receiver.syn?.options.windowScale === undefined ? 0 : 1);
    sender.largestWindow = Math.max(sender.largestWindow, segment.window * 2 ** Math.min(shift, 14));
    if (has(segment, ACK) && receiver.syn !== undefined) {
      sender.acknowledges = Math.max(sender.acknowledges, sequenceDistance(receiver.isn, segment.ack));
    }
    if (has(segment, RST)) noteReset(sender, receiver, segment);
    else if (sender.syn !== undefined && start >= 1) {
      sender.stream.add(start - 1, segment.payload, receiver.acknowledges - 1);
      if (segment.datagram.missing > 0) sender.cutOff = true;
      if (has(segment, FIN) && sender.fin === undefined) {
        sender.fin = place + segmentLength(segment) - 1;
        sender.acknowledgedAtFin = sender.acknowledges;
      }
    }
  }
}

type WritableEnd = { -readonly [Key in keyof RecordedEnd]: RecordedEnd[Key] } & { acknowledgedAtFin: number };

/** RFC 5961 §3.2: a RST counts when it stands exactly behind all that was sent before; RFC 9293 §3.10.7.3: or acknowledges a SYN. */
function noteReset(sender: WritableEnd, receiver: WritableEnd, segment: RecordedSegment): void {
  sender.sendsReset = true;
  const place = sequenceDistance(sender.isn, segment.seq);
  const behindAll = sender.syn !== undefined && place === sender.stream.length + 1 + (sender.fin === undefined ? 0 : 1);
  const refuses = sender.syn === undefined && has(segment, ACK) && segment.ack === sequenceAdd(receiver.isn, 1);
  if (behindAll || refuses) sender.resets = true;
  if (sender.fin !== undefined && sender.acknowledges === sender.acknowledgedAtFin) sender.closesBoth = true;
}

function startEnd(segments: readonly RecordedSegment[], fromOwn: boolean, isn: SequenceNumber | undefined): WritableEnd {
  const syn = segments.find((segment) => segment.fromOwn === fromOwn && has(segment, SYN));
  return {
    isn: isn ?? 0,
    stream: new RecordedStream(),
    fin: undefined,
    sendsReset: false,
    resets: false,
    acknowledges: 0,
    // The handshake was understood, so a wrong checksum in it was right on the wire.
    checksumsLater: syn?.checksumGood === false,
    largestWindow: 0,
    syn,
    closesBoth: false,
    cutOff: false,
    acknowledgedAtFin: 0,
  };
}

/** Octets of `end` that `other` acknowledged and that are not in the recording. */
export function missingOctets(end: RecordedEnd, other: RecordedEnd): number {
  const withFin = end.fin !== undefined && other.acknowledges > end.fin;
  return other.acknowledges - 1 - (withFin ? 1 : 0) - end.stream.length;
}
