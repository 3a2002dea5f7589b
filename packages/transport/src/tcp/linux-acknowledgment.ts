// Delayed acknowledgments (RFC 9293 §3.8.6.3) as Linux 6.x gives them: quick at the start, then in the rhythm of the sender.
import type { Milliseconds } from "@netstrata/core";
import { gradualWindow } from "./buffers/gradual-window.ts";
import type { DelayedAcknowledgment } from "./delayed-acknowledgment.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** TCP_MAX_QUICKACKS: a new or restarted sender is in slow start, and every acknowledgment lets it grow. */
const MOST_QUICK_ACKNOWLEDGMENTS = 16;
/** TCP_DELACK_MAX */
const LONGEST_DELAY: Milliseconds = 200;
/** HZ / 2: the longest while the sender pushes nothing. */
const LONGEST_DELAY_UNPUSHED: Milliseconds = 500;
/** What rcv_mss starts with, and its least value (TCP_MSS_DEFAULT, TCP_MIN_MSS). */
const FIRST_SEGMENT_SIZE = 536;
const SMALLEST_SEGMENT_SIZE = 88;

export class LinuxAcknowledgment implements DelayedAcknowledgment {
  /** rcv_mss: what the peer's full-sized segments seem to carry; 0 before the first. */
  segmentSize = 0;
  private lastLength = 0;
  /** Acknowledgments that still go at once (icsk_ack.quick). */
  private quickLeft = 0;
  /** Both sides take turns, so that every acknowledgment finds company (pingpong). */
  private takesTurns = false;
  /** ato: how long to wait, from the sender's rhythm; 0 before the first text. */
  timeout: Milliseconds = 0;
  private lastReceivedAt: Milliseconds = 0;
  /** When the armed timer expires. */
  private deadline: Milliseconds = 0;
  /** A small segment has arrived since the last acknowledgment (ICSK_ACK_PUSHED), and a second (PUSHED2). */
  private pushes = 0;

  get quick(): boolean {
    return !this.takesTurns;
  }

  set quick(on: boolean) {
    this.takesTurns = !on;
  }

  received(tcb: TransmissionControlBlock, length: number, pushed: boolean): boolean {
    this.measureSegment(tcb, length, pushed);
    this.measureRhythm(tcb);
    if (tcb.options.delayedAck === 0 || (this.quickLeft > 0 && !this.takesTurns)) return true;
    // More than one full segment, and the window's right edge moves; else reading will move it, and tell.
    return tcb.unacknowledgedReceived > this.segmentSize && 2 * tcb.receiveRoom >= tcb.rcv.wnd + tcb.unacknowledgedReceived;
  }

  /** The user is expected to close as well, and its FIN to bring the acknowledgment along. Without any text before there is no rhythm to wait in. */
  finReceived(tcb: TransmissionControlBlock): boolean {
    this.takesTurns = true;
    return this.timeout === 0 || tcb.unacknowledgedReceived > this.segmentSize;
  }

  delay(tcb: TransmissionControlBlock): void {
    const now = tcb.clock.now();
    const wait = this.waitingTime(tcb);
    if (tcb.isArmed("delayedAck") && this.deadline <= now + wait) return;
    this.deadline = now + wait;
    tcb.timer("delayedAck").arm(wait);
  }

  expired(tcb: TransmissionControlBlock): void {
    if (this.takesTurns) {
      // No answer came to carry it: they do not take turns any more.
      this.takesTurns = false;
      this.timeout = tcb.options.delayedAck;
    } else {
      this.timeout = Math.min(2 * this.timeout, tcb.retransmissionTimeout.value);
    }
  }

  read(tcb: TransmissionControlBlock): boolean {
    const owed = tcb.unacknowledgedReceived;
    if (owed > this.segmentSize) return true;
    // The last of a small message has been read, and this side does not seem to be about to answer.
    const drained = tcb.receiveBuffer.length === 0;
    if (owed > 0 && drained && (this.pushes > 1 || (this.pushes === 1 && !this.takesTurns))) return true;
    // The window at least doubles.
    const now = tcb.rcv.wnd;
    if (2 * now > tcb.receiving.limit) return false;
    if (tcb.options.windowGrowth !== "gradual") return tcb.receiveRoom >= Math.max(2 * now, tcb.segmentSize);
    // __tcp_select_window(): what would be offered, which is nothing while the room is silly.
    const next = gradualWindow(tcb);
    return next > 0 && next >= 2 * now;
  }

  acknowledged(tcb: TransmissionControlBlock, withText: boolean): void {
    this.pushes = 0;
    if (withText && tcb.clock.now() - this.lastReceivedAt < this.timeout) this.takesTurns = true;
    if (this.quickLeft === 0 || tcb.unacknowledgedReceived === 0) return;
    this.quickLeft -= 1;
    if (this.quickLeft === 0) this.timeout = tcb.options.delayedAck;
  }

  hurry(tcb: TransmissionControlBlock): void {
    this.addQuick(tcb);
    this.takesTurns = false;
    this.timeout = tcb.options.delayedAck;
  }

  private measureSegment(tcb: TransmissionControlBlock, length: number, pushed: boolean): void {
    if (this.segmentSize === 0) {
      const largest = Math.min(tcb.segmentSize, tcb.rcv.wnd / 2, FIRST_SEGMENT_SIZE);
      this.segmentSize = Math.max(SMALLEST_SEGMENT_SIZE, largest);
    }
    const last = this.lastLength;
    this.lastLength = 0;
    if (length >= this.segmentSize) {
      this.segmentSize = length;
      return;
    }
    // Smaller than it was: two in a row of one size, and not the pushed end of something, are the new measure.
    if (length >= FIRST_SEGMENT_SIZE || (length >= SMALLEST_SEGMENT_SIZE && !pushed)) {
      this.lastLength = length;
      if (length === last) {
        this.segmentSize = length;
        return;
      }
    }
    this.pushes = Math.min(2, this.pushes + 1);
  }

  private measureRhythm(tcb: TransmissionControlBlock): void {
    const now = tcb.clock.now();
    const least = tcb.options.delayedAck;
    const pause = now - this.lastReceivedAt;
    if (this.timeout === 0) {
      this.addQuick(tcb);
      this.timeout = least;
    } else if (pause <= least / 2) this.timeout = this.timeout / 2 + least / 2;
    else if (pause < this.timeout) this.timeout = Math.min(this.timeout / 2 + pause, tcb.retransmissionTimeout.value);
    else if (pause > tcb.retransmissionTimeout.value) this.addQuick(tcb);
    this.lastReceivedAt = now;
  }

  /** As many as take the sender through half the window. */
  private addQuick(tcb: TransmissionControlBlock): void {
    const size = this.segmentSize === 0 ? FIRST_SEGMENT_SIZE : this.segmentSize;
    const count = Math.max(2, Math.floor(tcb.rcv.wnd / (2 * size)));
    this.quickLeft = Math.max(this.quickLeft, Math.min(count, MOST_QUICK_ACKNOWLEDGMENTS));
  }

  private waitingTime(tcb: TransmissionControlBlock): Milliseconds {
    const least = tcb.options.delayedAck;
    if (this.timeout <= least) return this.timeout;
    const calm = !this.takesTurns && this.pushes === 0;
    const roundTrip = Math.max(least, tcb.retransmissionTimeout.smoothed ?? Number.POSITIVE_INFINITY);
    return Math.min(this.timeout, calm ? LONGEST_DELAY_UNPUSHED : LONGEST_DELAY, roundTrip, LONGEST_DELAY);
  }
}
