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
  /** The peer has it, although something before it is missing (RFC 2018). */
  sacked: boolean;
}

const COMPACT_AT = 256;

export class Scoreboard {
  /** Sequence space of segments that are marked lost. */
  lostLength = 0;
  /** Sequence space of segments that the peer has reported by SACK, and how many they are. */
  sackedLength = 0;
  sackedCount = 0;
  /** How many of the queued segments were sent more than once. */
  repeatedCount = 0;
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

  /** The newest segment. */
  last(): SentSegment | undefined {
    return this.isEmpty ? undefined : this.segments[this.segments.length - 1];
  }

  *[Symbol.iterator](): Iterator<SentSegment> {
    for (let index = this.head; index < this.segments.length; index += 1) yield this.segments[index];
  }

  push(segment: SentSegment): void {
    this.segments.push(segment);
  }

  /**
   * Removes what lies before `una`; a segment that is acknowledged in part keeps its rest.
   * @param delivered gets the segments of which it was not known before that they had arrived
   */
  acknowledge(una: SequenceNumber, delivered: SentSegment[]): void {
    while (this.head < this.segments.length) {
      const segment = this.segments[this.head];
      if (isAtOrAfter(segment.start, una)) break;
      if (isAfter(segment.end, una)) {
        const length = sequenceDistance(segment.start, una);
        if (segment.lost) this.lostLength -= length;
        if (segment.sacked) this.sackedLength -= length;
        segment.start = una;
        break;
      }
      this.unmark(segment);
      if (!segment.sacked) delivered.push(segment);
      if (segment.transmissions > 1) this.repeatedCount -= 1;
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

  /** The peer holds [left, right): marks the segments that lie wholly in it (RFC 2018 §5). */
  reportSacked(left: SequenceNumber, right: SequenceNumber, delivered: SentSegment[]): void {
    for (let index = this.indexFrom(left); index < this.segments.length; index += 1) {
      const segment = this.segments[index];
      if (isAfter(segment.end, right)) break;
      if (segment.sacked) continue;
      if (segment.lost) this.lostLength -= sequenceDistance(segment.start, segment.end);
      segment.lost = false;
      segment.sacked = true;
      this.sackedLength += sequenceDistance(segment.start, segment.end);
      this.sackedCount += 1;
      delivered.push(segment);
    }
  }

  /** The peer has thrown away what it had reported, which it may (RFC 2018 §8): nothing counts as held any more. */
  forgetSacked(): void {
    for (let index = this.head; index < this.segments.length; index += 1) this.segments[index].sacked = false;
    this.sackedLength = 0;
    this.sackedCount = 0;
  }

  markLost(segment: SentSegment): void {
    if (segment.lost || segment.sacked) return;
    segment.lost = true;
    this.lostLength += sequenceDistance(segment.start, segment.end);
    this.lostFrom = this.head;
  }

  /** After a retransmission timeout everything in flight that the peer has not reported counts as lost. */
  markAllLost(): void {
    for (let index = this.head; index < this.segments.length; index += 1) this.markLost(this.segments[index]);
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
    if (segment.transmissions === 1) this.repeatedCount += 1;
    segment.transmissions += 1;
  }

  /** Cuts the queued `segment` in two at `at`, because it no longer fits into one. The rest keeps FIN, the front keeps SYN. */
  split(segment: SentSegment, at: SequenceNumber, synFlag: number): void {
    const index = this.segments.indexOf(segment, this.head);
    const rest: SentSegment = { ...segment, start: at, flags: segment.flags & ~synFlag };
    segment.end = at;
    segment.flags &= synFlag;
    this.segments.splice(index + 1, 0, rest);
    if (segment.transmissions > 1) this.repeatedCount += 1;
    if (segment.sacked) this.sackedCount += 1;
  }

  clear(): void {
    this.segments = [];
    this.head = 0;
    this.lostFrom = 0;
    this.lostLength = 0;
    this.sackedLength = 0;
    this.sackedCount = 0;
    this.repeatedCount = 0;
  }

  /** Takes the segment out of the sums before it leaves the queue. */
  private unmark(segment: SentSegment): void {
    const length = sequenceDistance(segment.start, segment.end);
    if (segment.lost) this.lostLength -= length;
    if (!segment.sacked) return;
    this.sackedLength -= length;
    this.sackedCount -= 1;
  }

  /** Index of the first segment that starts at `start` or later. */
  private indexFrom(start: SequenceNumber): number {
    let low = this.head;
    let high = this.segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isAtOrAfter(this.segments[middle].start, start)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
