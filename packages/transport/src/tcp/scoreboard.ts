// What was sent and is not acknowledged: the retransmission queue of RFC 9293 §3.4 and the scoreboard of RFC 6675 §3.
import { isAfter, isAtOrAfter, type Milliseconds, type SequenceNumber, sequenceDistance } from "@netstrata/core";
import { LostQueue } from "./lost-queue.ts";
import { createSentSegment, type SentSegment } from "./sent-segment.ts";

const COMPACT_AT = 256;

/**
 * Decides nothing, and keeps sums. What a peer can make it do is bounded: over the life of a connection each segment costs a few steps for each time
 * it was sent, and a SACK block some steps more, whatever the blocks say.
 */
export class Scoreboard {
  /** Sequence space that is believed lost, whether it was sent again or not, and in how many segments. Linux: lost_out. */
  lostLength = 0;
  lostCount = 0;
  /** Sequence space that the peer has reported by SACK. Linux: sacked_out. */
  sackedLength = 0;
  sackedCount = 0;
  /** Sequence space of which a second copy is on its way. Linux: retrans_out. */
  resentLength = 0;
  resentCount = 0;
  /** Sequence space that was ever called lost, each time counted. */
  lostTotal = 0;
  /** How often what was sent again was called lost again. */
  lostAgain = 0;
  /** How many are lost and wait to be sent again. */
  pendingCount = 0;
  /** How many of the queued segments were sent more than once. */
  repeatedCount = 0;
  /** Segments looked at up to now: what the work of acknowledgments is measured by. */
  steps = 0;
  private segments: SentSegment[] = [];
  private head = 0;
  private readonly pending = new LostQueue();
  /** Ends of the list of segments in flight, in the order in which they were last sent (RFC 8985 §6.2). */
  private earliest: SentSegment | undefined;
  private latest: SentSegment | undefined;

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

  /** The first segment that starts at `start` or later. */
  at(start: SequenceNumber): SentSegment | undefined {
    this.steps += 1;
    return this.segments[this.indexFrom(start)];
  }

  *[Symbol.iterator](): Iterator<SentSegment> {
    for (let index = this.head; index < this.segments.length; index += 1) yield this.segments[index];
  }

  /** The first to be sent of those that are believed to be in flight; the next one is its `later`. */
  get earliestInFlight(): SentSegment | undefined {
    return this.earliest;
  }

  /** [start, end) goes out for the first time. */
  push(start: SequenceNumber, end: SequenceNumber, flags: number, now: Milliseconds): SentSegment {
    const segment = createSentSegment(start, end, flags, now);
    this.segments.push(segment);
    this.depart(segment);
    return segment;
  }

  /**
   * Removes what lies before `una`; a segment that is acknowledged in part keeps its rest.
   * @param delivered gets the segments of which it was not known before that they had arrived
   */
  acknowledge(una: SequenceNumber, delivered: SentSegment[]): void {
    while (this.head < this.segments.length) {
      const segment = this.segments[this.head];
      this.steps += 1;
      if (isAtOrAfter(segment.start, una)) break;
      if (isAfter(segment.end, una)) {
        const length = sequenceDistance(segment.start, una);
        if (segment.lost) this.lostLength -= length;
        if (segment.resent) this.resentLength -= length;
        if (segment.sacked) this.sackedLength -= length;
        segment.start = una;
        break;
      }
      if (segment.sacked) this.countSacked(segment, -1);
      else delivered.push(segment);
      this.clearLost(segment);
      this.clearResent(segment);
      this.arrive(segment);
      if (segment.transmissions > 1) this.repeatedCount -= 1;
      this.head += 1;
    }
    if (this.head === this.segments.length) this.clear();
    else if (this.head >= COMPACT_AT && this.head * 2 >= this.segments.length) {
      this.segments.splice(0, this.head);
      this.head = 0;
    }
  }

  /** The peer holds [left, right): marks the segments that lie wholly in it (RFC 2018 §5). */
  reportSacked(left: SequenceNumber, right: SequenceNumber, delivered: SentSegment[]): void {
    // What was reported before is passed over in leaps, and each leap makes the next one longer: a peer that repeats its blocks gains nothing.
    const passed: SentSegment[] = [];
    const news = delivered.length;
    let upTo = left;
    let index = this.indexFrom(left);
    while (index < this.segments.length) {
      const segment = this.segments[index];
      this.steps += 1;
      if (isAfter(segment.end, right)) break;
      upTo = segment.end;
      index += 1;
      if (segment.sacked) {
        passed.push(segment);
        if (!isAfter(segment.sackedUpTo, segment.end)) continue;
        upTo = segment.sackedUpTo;
        index = this.indexFrom(upTo);
        continue;
      }
      // A second copy of what was never lost, a probe, may still be on its way.
      const wasLost = segment.lost;
      this.clearLost(segment);
      if (wasLost) this.clearResent(segment);
      this.arrive(segment);
      segment.sacked = true;
      this.countSacked(segment, 1);
      delivered.push(segment);
    }
    for (const segment of passed) segment.sackedUpTo = upTo;
    for (let at = news; at < delivered.length; at += 1) delivered[at].sackedUpTo = upTo;
  }

  /** The peer has thrown away what it had reported, which it may (RFC 2018 §8): all that counted as held is lost. */
  forgetSacked(): void {
    for (let index = this.head; index < this.segments.length; index += 1) {
      const segment = this.segments[index];
      this.steps += 1;
      if (!segment.sacked) continue;
      segment.sacked = false;
      this.countSacked(segment, -1);
      this.markLost(segment);
    }
  }

  /** What is sent again and lost again counts as lost once more. */
  markLost(segment: SentSegment): void {
    if (segment.sacked) return;
    this.steps += 1;
    if (segment.lost) {
      if (!segment.resent) return;
      this.lostAgain += 1;
      this.clearResent(segment);
    } else {
      this.clearResent(segment);
      segment.lost = true;
      this.lostLength += sequenceDistance(segment.start, segment.end);
      this.lostCount += 1;
    }
    this.lostTotal += sequenceDistance(segment.start, segment.end);
    this.pendingCount += 1;
    this.pending.push(segment);
    this.arrive(segment);
  }

  /** Everything in flight is lost. */
  markAllLost(): void {
    for (let segment = this.earliest; segment !== undefined; segment = this.earliest) this.markLost(segment);
  }

  /** The loss of all that waits to be sent again was a false alarm: it is in flight still, and was sent when it was sent. */
  unmarkLost(): void {
    if (this.lostCount === 0) return;
    this.earliest = undefined;
    this.latest = undefined;
    const inFlight: SentSegment[] = [];
    for (let index = this.head; index < this.segments.length; index += 1) {
      const segment = this.segments[index];
      this.steps += 1;
      this.clearLost(segment);
      if (!segment.sacked) inFlight.push(segment);
    }
    inFlight.sort((a, b) => a.sentAt - b.sentAt);
    for (const segment of inFlight) {
      segment.earlier = undefined;
      segment.later = undefined;
      this.depart(segment);
    }
    this.pending.clear();
  }

  /** The lowest segment that waits to be sent again. */
  firstLost(): SentSegment | undefined {
    return this.pendingCount === 0 ? undefined : this.pending.first();
  }

  /** It is on its way again. */
  retransmitted(segment: SentSegment, now: Milliseconds): void {
    if (segment.lost && !segment.resent) this.pendingCount -= 1;
    if (!segment.resent) {
      segment.resent = true;
      this.resentLength += sequenceDistance(segment.start, segment.end);
      this.resentCount += 1;
    }
    segment.sentAt = now;
    if (segment.transmissions === 1) this.repeatedCount += 1;
    segment.transmissions += 1;
    this.arrive(segment);
    if (!segment.sacked) this.depart(segment);
  }

  /** Cuts the queued `segment` in two at `at`, because it no longer fits into one. The rest keeps FIN, the front keeps SYN. */
  split(segment: SentSegment, at: SequenceNumber, synFlag: number): void {
    const index = this.indexFrom(segment.start);
    const rest: SentSegment = {
      ...segment,
      start: at,
      flags: segment.flags & ~synFlag,
      queued: false,
      earlier: undefined,
      later: undefined,
    };
    segment.end = at;
    segment.flags &= synFlag;
    segment.pushed = false;
    segment.joined = false;
    this.segments.splice(index + 1, 0, rest);
    if (segment.transmissions > 1) this.repeatedCount += 1;
    if (segment.sacked) this.sackedCount += 1;
    if (segment.lost) this.lostCount += 1;
    if (segment.resent) this.resentCount += 1;
    if (segment.lost && !segment.resent) {
      this.pendingCount += 1;
      this.pending.push(rest);
    } else if (!segment.sacked) this.depart(rest, segment);
  }

  clear(): void {
    this.segments = [];
    this.head = 0;
    this.lostLength = 0;
    this.lostCount = 0;
    this.sackedLength = 0;
    this.sackedCount = 0;
    this.resentLength = 0;
    this.resentCount = 0;
    this.pendingCount = 0;
    this.repeatedCount = 0;
    this.pending.clear();
    this.earliest = undefined;
    this.latest = undefined;
  }

  private countSacked(segment: SentSegment, sign: 1 | -1): void {
    this.sackedLength += sign * sequenceDistance(segment.start, segment.end);
    this.sackedCount += sign;
  }

  private clearLost(segment: SentSegment): void {
    if (!segment.lost) return;
    segment.lost = false;
    this.lostLength -= sequenceDistance(segment.start, segment.end);
    this.lostCount -= 1;
    if (!segment.resent) this.pendingCount -= 1;
  }

  private clearResent(segment: SentSegment): void {
    if (!segment.resent) return;
    segment.resent = false;
    this.resentLength -= sequenceDistance(segment.start, segment.end);
    this.resentCount -= 1;
  }

  /** Enters the list of what is in flight, behind `after` or at the end. */
  private depart(segment: SentSegment, after: SentSegment | undefined = this.latest): void {
    segment.earlier = after;
    segment.later = after?.later;
    if (after === undefined) this.earliest = segment;
    else after.later = segment;
    if (segment.later === undefined) this.latest = segment;
    else segment.later.earlier = segment;
  }

  /** Leaves the list of what is in flight, if it is there. */
  private arrive(segment: SentSegment): void {
    const { earlier, later } = segment;
    if (earlier === undefined && this.earliest !== segment) return;
    if (earlier === undefined) this.earliest = later;
    else earlier.later = later;
    if (later === undefined) this.latest = earlier;
    else later.earlier = earlier;
    segment.earlier = undefined;
    segment.later = undefined;
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
