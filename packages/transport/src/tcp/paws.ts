// Protection against wrapped sequence numbers (RFC 7323 §5): what is older than TS.Recent is an old duplicate.
import { isBefore, sequenceDistance } from "@netstrata/core";
import { acknowledgePawsFailure } from "./challenge-ack.ts";
import { isAcceptable, noteDuplicate } from "./receiver.ts";
import type { Segment } from "./segment.ts";
import { ticksBack } from "./timestamps.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/**
 * "rfc": as RFC 7323 §5.3 says, and a segment without the option is dropped (§3.2). "freebsd": the same, but what has no text is
 * dropped in silence. "linux": a segment without the option is taken, as paths exist that suppress it; timestamps may go back by one
 * tick, and by as much as a retransmission timeout in a duplicate acknowledgment; an old acknowledgment is dropped in silence.
 */
export type PawsPolicy = "rfc" | "linux" | "freebsd";

/** Ticks that Linux lets a timestamp go back. */
const LINUX_TOLERANCE = 1;

/** H1 of §5.6: before anything else is looked at. True: go on with the segment. */
export function passesPaws(tcb: TransmissionControlBlock, segment: Segment): boolean {
  const { timestamps, context } = tcb;
  // §5.2: a RST is not subject to it.
  if (!timestamps.enabled || segment.hasRst) return true;
  const received = segment.options.timestamps;
  const policy = tcb.options.paws;
  if (received === undefined) {
    if (policy === "linux") return true;
    // What is outside of the window is going to be refused anyway, with an answer: Apple's keep-alives come without the option.
    if (!isAcceptable(tcb, segment)) return true;
    // §3.2: silently dropped, and no reason to abort.
    context.drops.count("missing-timestamps");
    return false;
  }
  const back = ticksBack(tcb, received.value);
  if (back === 0) return true;
  if (policy === "linux" && (back <= LINUX_TOLERANCE || isReordered(tcb, segment, back))) return true;
  context.drops.count("old-timestamp");
  if (policy === "linux" && isOldAcknowledgment(tcb, segment)) {
    context.counters.PAWSOldAck += 1;
    return false;
  }
  context.counters[tcb.state === "TIME-WAIT" ? "PAWSTimewait" : "PAWSEstab"] += 1;
  if (policy === "freebsd" && segment.length === 0) return false;
  // §5.3 R1: an acknowledgment, without which half-open connections would not be found.
  noteDuplicate(tcb, segment.seq, segment.payload.length);
  acknowledgePawsFailure(tcb, segment);
  return false;
}

/** A duplicate acknowledgment that was overtaken: it says nothing that could do harm, and loss recovery counts on it. */
function isReordered(tcb: TransmissionControlBlock, segment: Segment, back: number): boolean {
  const { snd, rcv } = tcb;
  const isBare = segment.hasAck && segment.length === 0;
  const isDuplicate = segment.seq === rcv.nxt && segment.ack === snd.una && segment.window << snd.shift === snd.wnd;
  return isBare && isDuplicate && back <= tcb.retransmissionTimeout.value;
}

function isOldAcknowledgment(tcb: TransmissionControlBlock, segment: Segment): boolean {
  return segment.hasAck && segment.length === 0 && isBefore(segment.seq, tcb.rcv.nxt);
}

/**
 * A SYN,ACK that echoes a time outside our SYNs' answers another connection's. Linux refuses it; the RFCs leave it to the
 * acknowledgment number.
 */
export function answersOurSyn(tcb: TransmissionControlBlock, segment: Segment, clock: number): boolean {
  const received = segment.options.timestamps;
  if (tcb.options.paws !== "linux" || !tcb.options.timestamps || received === undefined || received.echoReply === 0) return true;
  const first = tcb.scoreboard.first();
  const oldest = first === undefined ? clock : (Math.floor(first.firstSentAt) + tcb.timestamps.offset) >>> 0;
  if (sequenceDistance(oldest, received.echoReply) >= 0 && sequenceDistance(received.echoReply, clock) >= 0) return true;
  tcb.context.counters.PAWSActive += 1;
  tcb.context.drops.count("old-timestamp");
  return false;
}
