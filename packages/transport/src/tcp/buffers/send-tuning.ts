// The send buffer grows with the congestion window: two of it, one in flight and one that waits to follow without a pause.
import type { ResolvedTcpOptions } from "../connection-options.ts";
import { reportBuffer } from "../tcp-events.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";

const WINDOWS = 2;
const FEWEST_SEGMENTS = 10;

export class SendTuning {
  /** Octets that may wait to be acknowledged. */
  limit: number;

  constructor(options: ResolvedTcpOptions) {
    this.limit = options.sendBuffer;
  }

  /** The user waits for room: is it the buffer that holds the connection back? */
  grow(tcb: TransmissionControlBlock): void {
    const { options } = tcb;
    if (!options.autoTuning || this.limit >= options.sendBufferMaximum || tcb.context.memory.underPressure) return;
    const wanted = WINDOWS * Math.max(tcb.congestion.window, FEWEST_SEGMENTS * tcb.segmentSize);
    if (!(wanted > this.limit)) return;
    this.limit = Math.min(wanted, options.sendBufferMaximum);
    reportBuffer(tcb, "send", this.limit);
  }

  configure(options: ResolvedTcpOptions): void {
    this.limit = options.sendBuffer;
  }
}
