// SEND puts its text behind what is queued already (RFC 9293 §3.9.1.2, §3.10.2).
import { sequenceAdd } from "@netstrata/core";
import { longestStretch } from "./segment-burst.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";
import type { SendMarks } from "./write-queue.ts";

/** The caller has made sure that there is room. What leaves, and when, is decided at the end of the event. */
export function queueText(tcb: TransmissionControlBlock, bytes: Uint8Array, marks: SendMarks | undefined): void {
  const start = sequenceAdd(tcb.bufferStart, tcb.sendBuffer.length);
  tcb.sendBuffer.append(bytes);
  const pushed = marks?.push !== false;
  const sealed = marks?.endOfRecord === true;
  tcb.withheld = !pushed;
  const inBursts = tcb.options.burstSegments > 0;
  const longest = inBursts ? longestStretch(tcb) : Number.POSITIVE_INFINITY;
  // Linux, forced_push(): a peer that waits for PSH gets one in each half of its window.
  const unpushed = inBursts ? tcb.snd.maxWnd >>> 1 : Number.POSITIVE_INFINITY;
  tcb.writeQueue.append(start, bytes.length, longest, unpushed, pushed, sealed);
}
