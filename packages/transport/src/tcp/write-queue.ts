// Text that was given to SEND and never sent (RFC 9293 §3.9.1.2), in the stretches in which it will leave: a segment carries text of one
// stretch, and where PSH stands (MUST-60, MUST-61) and where records end is known by stretch.
import { isAfter, isAtOrAfter, type SequenceNumber, sequenceAdd, sequenceDistance } from "@netstrata/core";

/** What a call of SEND says of its text. */
export interface SendMarks {
  /** The PUSH flag (MAY-16). False: more will follow soon, so what does not fill a segment may wait for it (MSG_MORE). @default true */
  readonly push?: boolean;
  /** Nothing that follows shares a segment with this (MSG_EOR). @default false */
  readonly endOfRecord?: boolean;
}

/** A part of the text that leaves together. */
export interface Stretch {
  start: SequenceNumber;
  end: SequenceNumber;
  /** Its last segment carries PSH. */
  pushed: boolean;
  /** Nothing is appended to it, and nothing put together with it. */
  sealed: boolean;
  next: Stretch | undefined;
}

export class WriteQueue {
  /** What goes out next. Its start is SND.NXT. */
  head: Stretch | undefined;
  tail: Stretch | undefined;
  /** One past the last octet that was pushed, or forced out. Linux: pushed_seq. */
  pushedEnd: SequenceNumber;
  /** The last emptied one is used again, as round trips of one octet need one each. */
  private spare: Stretch | undefined;

  constructor(start: SequenceNumber) {
    this.pushedEnd = start;
  }

  /**
   * Takes in `count` octets from `start` on.
   * @param longest how long a stretch may become; Infinity: there is only one, but for records
   * @param unpushed how much is queued at most without a push, even in the middle of a call
   */
  append(start: SequenceNumber, count: number, longest: number, unpushed: number, pushed: boolean, sealed: boolean): void {
    let { tail } = this;
    let at = start;
    for (let left = count; left > 0; ) {
      let room = tail === undefined || tail.sealed ? 0 : longest - sequenceDistance(tail.start, tail.end);
      if (tail === undefined || room <= 0) {
        tail = this.push(at);
        room = longest;
      } else if (left === count) tail.pushed = false;
      const taken = Math.min(room, left);
      at = sequenceAdd(at, taken);
      tail.end = at;
      left -= taken;
      const isLast = left === 0;
      if ((isLast && pushed) || ((isLast || taken === room) && sequenceDistance(this.pushedEnd, at) > unpushed)) {
        tail.pushed = true;
        this.pushedEnd = at;
      }
      if (isLast) tail.sealed = sealed;
    }
  }

  /** The first stretch grows by up to `octets` of the next, where no record ends between them. */
  fill(octets: number): void {
    const { head } = this;
    const next = head?.next;
    if (head === undefined || next === undefined || head.sealed || octets <= 0) return;
    const end = sequenceAdd(next.start, octets);
    if (isAfter(next.end, end)) {
      head.end = end;
      next.start = end;
      return;
    }
    head.end = next.end;
    head.pushed ||= next.pushed;
    head.sealed = next.sealed;
    head.next = next.next;
    if (head.next === undefined) this.tail = head;
  }

  /** Everything before `upTo` has gone out. */
  sent(upTo: SequenceNumber): void {
    let { head } = this;
    while (head !== undefined && isAtOrAfter(upTo, head.end)) {
      this.spare = head;
      head = head.next;
    }
    this.head = head;
    if (head === undefined) this.tail = undefined;
    else head.start = upTo;
  }

  private push(start: SequenceNumber): Stretch {
    let { spare: stretch } = this;
    if (stretch === undefined) stretch = { start, end: start, pushed: false, sealed: false, next: undefined };
    else {
      this.spare = undefined;
      stretch.start = start;
      stretch.end = start;
      stretch.pushed = false;
      stretch.sealed = false;
      stretch.next = undefined;
    }
    if (this.tail === undefined) this.head = stretch;
    else this.tail.next = stretch;
    this.tail = stretch;
    return stretch;
  }
}
