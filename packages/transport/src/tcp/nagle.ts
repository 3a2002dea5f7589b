// What does not fill a segment may have to wait: the Nagle algorithm (RFC 9293 §3.7.4), the cork, and text that was not pushed (MAY-16).
import { isAfter } from "@netstrata/core";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** SHLD-7, MUST-17. To be asked of the last unsent text, which may still grow. */
export function isHeldBack(tcb: TransmissionControlBlock): boolean {
  const { snd, options } = tcb;
  if (tcb.pushOnce) return false;
  if (options.cork || tcb.withheld) return true;
  // Our SYN,ACK does not count, where text may go out before it is answered (RFC 7413).
  if (options.noDelay || snd.nxt === tcb.bufferStart) return false;
  return options.nagle === "rfc" || isAfter(snd.smallEnd, snd.una);
}
