// Early retransmit (RFC 5827): with few segments out there cannot be three reports, so fewer are enough.
import { sequenceAdd } from "@netstrata/core";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";

/** §3: only below four segments. */
const FEW_SEGMENTS = 4;

/** DupThresh for what is outstanding now: `degree`, or where nothing new may be sent one less than there are segments. */
export function duplicateThreshold(tcb: TransmissionControlBlock, degree: number): number {
  const { count } = tcb.scoreboard;
  if (!tcb.options.earlyRetransmit || count >= FEW_SEGMENTS || count < 2) return degree;
  const { snd } = tcb;
  // §3 (2.b): no unsent data, or the peer's window does not let it out.
  const nothingNew = snd.nxt === tcb.sendEnd || snd.nxt === sequenceAdd(snd.una, snd.wnd);
  return nothingNew ? Math.min(degree, count - 1) : degree;
}
