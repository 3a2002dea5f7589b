// The round trip as a receiver sees it, who has nothing acknowledged that could be measured: by what its timestamps bring back
// (RFC 7323 §4), or by how long one window of text takes to arrive.
import { isBefore, type Milliseconds, type SequenceNumber, sequenceAdd } from "@netstrata/core";
import type { Segment } from "../segment.ts";
import { timestampClock } from "../timestamps.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";

const GAIN = 1 / 8;
/** The timestamp clock's tick. */
const SHORTEST: Milliseconds = 1;

export class ReceiverRoundTrip {
  /** Undefined before the first measurement. */
  value: Milliseconds | undefined;
  private lastEcho: number | undefined;
  /** When this number arrives, a whole window has arrived since `windowAt`. */
  private windowEnd: SequenceNumber | undefined;
  private windowAt: Milliseconds = 0;

  /** Text has arrived. */
  measure(tcb: TransmissionControlBlock, segment: Segment): void {
    const { timestamps } = segment.options;
    if (tcb.timestamps.enabled && timestamps !== undefined) this.measureEcho(tcb, segment, timestamps.echoReply);
    else this.measureWindow(tcb);
  }

  /** A full segment was sent in answer to our last one, so its echo is fresh. */
  private measureEcho(tcb: TransmissionControlBlock, segment: Segment, echo: number): void {
    if (echo === 0 || echo === this.lastEcho || segment.payload.length < tcb.largestReceived) return;
    this.lastEcho = echo;
    const sample = Math.max(SHORTEST, (timestampClock(tcb) - echo) | 0);
    this.value = this.value === undefined ? sample : this.value + GAIN * (sample - this.value);
  }

  /** An upper bound, as the window may be larger than what the sender uses of it: the least one counts. */
  private measureWindow(tcb: TransmissionControlBlock): void {
    const now = tcb.clock.now();
    const { nxt, wnd } = tcb.rcv;
    if (this.windowEnd !== undefined) {
      if (isBefore(nxt, this.windowEnd)) return;
      const sample = Math.max(SHORTEST, now - this.windowAt);
      this.value = this.value === undefined ? sample : Math.min(this.value, sample);
    }
    this.windowEnd = sequenceAdd(nxt, wnd);
    this.windowAt = now;
  }
}
