// What was sent and is not acknowledged: the retransmission queue of RFC 9293 §3.4, with what loss recovery must know of each entry.
import { isAfter, isAtOrAfter, type Milliseconds, type SequenceNumber, sequenceDistance } from "@netstrata/core";

/** A stretch of sequence space that was sent in one segment. */
export interface SentSegment {
  start: SequenceNumber;
  /** One past the last sequence number, SYN and FIN counted. */
  end: SequenceNumber;
  /** SYN and FIN, where they are part of it. */
  flags: number;
  firstSentAt: Milliseconds;
  sentAt: Milliseconds;
  /** How often it was sent. */
  transmissions: number;
  /** It is believed lost and has not been sent again since. */
  lost: boolean;
}

/** What an acknowledgment took off the queue. */
export interface Acknowledged {
  /** When the newest segment that is now wholly acknowledged was sent. */
  sentAt: Milliseconds;
  /** When the last of those that were sent more than once was sent: by Karn's rule they say nothing about the round trip (RFC 6298 §3). */
  retransmittedAt: Milliseconds;
}

const COMPACT_AT = 256;

export class Scoreboard {
  /** Sequence space of segments that are marked lost. */
  lostLength = 0;
  private segments: SentSegment[] = [];
  private head = 0;
  /** No segment before this index is marked lost. */
  private lostFrom = 0;

  get isEmpty(): boolean {
    return this.head === this.segments.length;
  }

  /** Segments queued. */
  get count(): number {
    return this.segments.length - this.head;
  }

  /** The oldest segment. */
  first(): SentSegment | undefined {
    return this.segments[this.head];
  }

  push(segment: SentSegment): void {
    this.segments.push(segment);
  }

  /** Removes what lies before `una`; a segment that is acknowledged in part keeps its rest. */
  acknowledge(una: SequenceNumber, acknowledged: Acknowledged): void {
    acknowledged.retransmittedAt = Number.NEGATIVE_INFINITY;
    acknowledged.sentAt = Number.NEGATIVE_INFINITY;
    while (this.head < this.segments.length) {
      const segment = this.segments[this.head];
      if (isAtOrAfter(segment.start, una)) break;
      if (segment.transmissions > 1) acknowledged.retransmittedAt = Math.max(acknowledged.retransmittedAt, segment.sentAt);
      if (isAfter(segment.end, una)) {
        if (segment.lost) this.lostLength -= sequenceDistance(segment.start, una);
        segment.start = una;
        break;
      }
      if (segment.lost) this.lostLength -= sequenceDistance(segment.start, segment.end);
      acknowledged.sentAt = segment.sentAt;
      this.head += 1;
    }
    this.lostFrom = Math.max(this.lostFrom, this.head);
    if (this.head === this.segments.length) this.clear();
    else if (this.head >= COMPACT_AT && this.head * 2 >= this.segments.length) {
      this.segments.splice(0, this.head);
      this.lostFrom -= this.head;
      this.head = 0;
    }
  }

  markFirstLost(): void {
    const segment = this.segments[this.head];
    if (segment === undefined) return;
    this.markLost(segment);
    this.lostFrom = this.head;
  }

  /** After a retransmission timeout everything in flight counts as lost. */
  markAllLost(): void {
    for (let index = this.head; index < this.segments.length; index += 1) this.markLost(this.segments[index]);
    this.lostFrom = this.head;
  }

  /** The first segment that is marked lost. */
  firstLost(): SentSegment | undefined {
    if (this.lostLength === 0) return undefined;
    while (!this.segments[this.lostFrom].lost) this.lostFrom += 1;
    return this.segments[this.lostFrom];
  }

  /** It is on its way again. */
  retransmitted(segment: SentSegment, now: Milliseconds): void {
    if (segment.lost) this.lostLength -= sequenceDistance(segment.start, segment.end);
    segment.lost = false;
    segment.sentAt = now;
    segment.transmissions += 1;
  }

  /** Cuts the queued `segment` in two at `at`, because it no longer fits into one. The rest keeps FIN, the front keeps SYN. */
  split(segment: SentSegment, at: SequenceNumber, synFlag: number): void {
    const index = this.segments.indexOf(segment, this.head);
    const rest: SentSegment = { ...segment, start: at, flags: segment.flags & ~synFlag };
    segment.end = at;
    segment.flags &= synFlag;
    this.segments.splice(index + 1, 0, rest);
  }

  clear(): void {
    this.segments = [];
    this.head = 0;
    this.lostFrom = 0;
    this.lostLength = 0;
  }

  private markLost(segment: SentSegment): void {
    if (segment.lost) return;
    segment.lost = true;
    this.lostLength += sequenceDistance(segment.start, segment.end);
  }
}
