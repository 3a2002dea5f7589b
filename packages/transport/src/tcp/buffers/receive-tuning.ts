// The receive buffer grows with what the user reads in a round trip ("dynamic right-sizing"), so that the window never is what
// holds a sender back; the window opens towards it at once or, as in Linux, with what arrives (RFC 9293 §3.8.6 leaves both open).
import type { Milliseconds } from "@netstrata/core";
import type { ResolvedTcpOptions } from "../connection-options.ts";
import type { Segment } from "../segment.ts";
import { announcedSegmentSize } from "../segment-size.ts";
import { reportBuffer } from "../tcp-events.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import { ReceiverRoundTrip } from "./receiver-round-trip.ts";

/** Twice what was read in a round trip: half for what is sent again; and as many segments for small variations. */
const HEADROOM_FACTOR = 2;
const HEADROOM_SEGMENTS = 16;
/** What the sender's window starts with (RFC 6928): less is not worth a measurement. */
const INITIAL_SEGMENTS = 10;
/** Segments smaller than this are not worth a larger window: they would fill the memory with overhead. */
const SMALLEST_GROWING = 128;
/** Under memory pressure a window of so many segments keeps the conversation going. */
const SEGMENTS_UNDER_PRESSURE = 4;

export class ReceiveTuning {
  /** Octets that may wait to be read. */
  limit: number;
  /** How far the window may be open, whatever room there is (Linux: rcv_ssthresh). */
  threshold: number = Number.POSITIVE_INFINITY;
  /** Where the threshold stops growing: the buffer, at first with a segment in reserve. */
  private clamp: number = Number.POSITIVE_INFINITY;
  /** Octets the user has read in the last round trip. */
  space = 0;
  readonly roundTrip: ReceiverRoundTrip = new ReceiverRoundTrip();
  private measuredAt: Milliseconds = 0;
  private measuredFrom = 0;

  constructor(options: ResolvedTcpOptions) {
    this.limit = options.receiveBuffer;
  }

  /** The handshake is complete. */
  established(tcb: TransmissionControlBlock): void {
    const segmentSize = announcedSegmentSize(tcb);
    if (tcb.options.windowGrowth === "gradual") {
      this.clamp = this.limit > 2 * segmentSize ? Math.max(2 * segmentSize, this.limit - segmentSize) : this.limit;
      this.threshold = Math.min(tcb.rcv.wnd, this.clamp);
    }
    this.space = Math.min(this.threshold, tcb.rcv.wnd, INITIAL_SEGMENTS * segmentSize);
    this.measuredAt = tcb.clock.now();
    this.measuredFrom = read(tcb);
  }

  /** Octets by which the window may be open, of `room` that there are in the buffer. */
  openable(tcb: TransmissionControlBlock, room: number): number {
    const most = tcb.context.memory.underPressure ? Math.min(this.threshold, this.floor(tcb)) : this.threshold;
    return Math.min(room, most);
  }

  /** Text has arrived, in order or not. */
  arrived(tcb: TransmissionControlBlock, segment: Segment): void {
    const { options } = tcb;
    if (options.autoTuning) this.roundTrip.measure(tcb, segment);
    if (options.windowGrowth === "full" || segment.payload.length < SMALLEST_GROWING) return;
    const free = Math.min(this.clamp, tcb.freeReceiveBuffer);
    if (tcb.context.memory.underPressure) this.threshold = Math.min(this.threshold, this.floor(tcb));
    else if (free > this.threshold) {
      const step = Math.max(2 * announcedSegmentSize(tcb), 2 * segment.payload.length);
      this.threshold += Math.min(free - this.threshold, step);
    }
  }

  /** The user has read. */
  afterReading(tcb: TransmissionControlBlock): void {
    const { options } = tcb;
    const { value } = this.roundTrip;
    const now = tcb.clock.now();
    if (!options.autoTuning || value === undefined || now - this.measuredAt < value) return;
    const total = read(tcb);
    const copied = total - this.measuredFrom;
    if (copied > this.space) {
      this.grow(tcb, copied);
      this.space = copied;
    }
    this.measuredAt = now;
    this.measuredFrom = total;
  }

  /** What `set` has chosen: it holds from now on, but is never less than what was offered (SHLD-14). */
  configure(options: ResolvedTcpOptions): void {
    this.limit = options.receiveBuffer;
    this.clamp = this.limit;
  }

  private grow(tcb: TransmissionControlBlock, copied: number): void {
    const { options } = tcb;
    if (this.limit >= options.receiveBufferMaximum || tcb.context.memory.underPressure) return;
    const steady = HEADROOM_FACTOR * copied + HEADROOM_SEGMENTS * announcedSegmentSize(tcb);
    // A sender in slow start needs, one round trip from now, by so much more as it has sent more in this one.
    const wanted = Math.ceil(steady + (HEADROOM_FACTOR * steady * (copied - this.space)) / Math.max(1, this.space));
    if (wanted <= this.limit) return;
    this.limit = Math.min(wanted, options.receiveBufferMaximum);
    this.clamp = this.limit;
    reportBuffer(tcb, "receive", this.limit);
  }

  private floor(tcb: TransmissionControlBlock): number {
    return SEGMENTS_UNDER_PRESSURE * tcb.segmentSize;
  }
}

/** Octets that the user has taken in all. */
function read(tcb: TransmissionControlBlock): number {
  return tcb.bytesReceived - tcb.receiveBuffer.length;
}
