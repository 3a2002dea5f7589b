// What our stack has sent in one connection under replay, in places counted from each end's SYN (RFC 9293 §3.4).
import { PacketBuffer, type SequenceNumber, sequenceDistance } from "@netstrata/core";
import { PROTOCOL_TCP, readUncheckedIpv4Header } from "@netstrata/internet";
import { ACK, FIN, RST, SYN, type TcpOptions } from "@netstrata/transport";
import { has, type RecordedSegment, readSegment, segmentLength } from "./recorded-segment.ts";
import type { SentDatagram } from "./replay-host.ts";

export interface OwnSegment {
  readonly segment: Omit<RecordedSegment, "fromOwn">;
  readonly sent: SentDatagram;
  /** The place of its first octet of text, or of its FIN. */
  readonly place: number;
  /** The place behind everything in it. */
  readonly end: number;
  /** The place it acknowledges up to; 0 when it acknowledges nothing. */
  readonly acknowledges: number;
}

export class OwnOutput {
  private readonly peerIsn: SequenceNumber;
  /** Our initial sequence number, once our SYN is out. */
  isn: SequenceNumber | undefined;
  /** What our SYN offered. */
  offered: TcpOptions | undefined;
  /** Segments sent. */
  count = 0;
  /** The place behind the last octet, SYN or FIN sent. */
  end = 0;
  acknowledges = 0;
  /** How many segments had been sent when the last RST was; -1 before there was any. */
  lastReset = -1;
  retransmissions = 0;
  /** Our latest timestamp. */
  timestamp = 0;
  /** The latest packet of any kind. */
  last: SentDatagram | undefined;

  constructor(peerIsn: SequenceNumber) {
    this.peerIsn = peerIsn;
  }

  /** Takes a packet into account; undefined when it is no TCP segment. */
  take(sent: SentDatagram): OwnSegment | undefined {
    this.last = sent;
    const header = readUncheckedIpv4Header(PacketBuffer.wrap(sent.bytes));
    if (typeof header === "string" || header.protocol !== PROTOCOL_TCP) return undefined;
    const segment = readSegment({ number: 0, time: sent.time, header, bytes: sent.bytes, missing: 0, checksumGood: true });
    if (segment === undefined) return undefined;
    if (has(segment, SYN) && this.isn === undefined) {
      this.isn = segment.seq;
      this.offered = segment.options;
    }
    const read = this.placed(segment, sent);
    this.count += 1;
    if (has(segment, RST)) this.lastReset = this.count - 1;
    else if (segmentLength({ ...segment, fromOwn: true }) > 0 && read.end <= this.end) this.retransmissions += 1;
    this.end = Math.max(this.end, read.end);
    this.acknowledges = Math.max(this.acknowledges, read.acknowledges);
    this.timestamp = segment.options.timestamps?.value ?? this.timestamp;
    return read;
  }

  private placed(segment: Omit<RecordedSegment, "fromOwn">, sent: SentDatagram): OwnSegment {
    const acknowledges = has(segment, ACK) ? sequenceDistance(this.peerIsn, segment.ack) : 0;
    // A RST for a connection that is gone takes its number from the segment it answers; it has no place.
    if (this.isn === undefined) return { segment, sent, place: 0, end: 0, acknowledges };
    const first = sequenceDistance(this.isn, segment.seq);
    const place = has(segment, SYN) ? first + 1 : first;
    const end = has(segment, RST) ? this.end : place + segment.payload.length + (has(segment, FIN) ? 1 : 0);
    return { segment, sent, place, end, acknowledges };
  }
}
