// Delayed acknowledgments (RFC 9293 §3.8.6.3, RFC 5681 §4.2): how long one may wait for company. The RFCs leave a choice, and every
// system has made another; `linux-acknowledgment.ts` is the most elaborate.
import { LinuxAcknowledgment } from "./linux-acknowledgment.ts";
import { windowUpdateDue } from "./receiver.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/**
 * - "rfc": every second full-sized segment's worth of octets at once (SHLD-19), the rest after `delayedAck`.
 * - "freebsd": whatever arrives while an acknowledgment waits ends the wait, however small it is.
 * - "linux": at once at the start of a bulk transfer, and when more than a segment has arrived; else after a time that follows
 *   the sender's rhythm; not at all while both sides take turns.
 */
export type AcknowledgmentPolicy = "rfc" | "linux" | "freebsd";

/** Decides for one connection when text in order is acknowledged. What is out of order is so at once. */
export interface DelayedAcknowledgment {
  /** `length` octets have arrived in order: must they be acknowledged at once? */
  received(tcb: TransmissionControlBlock, length: number, pushed: boolean): boolean;
  /** The peer's FIN is next, and its number counted: must it be acknowledged at once? */
  finReceived(tcb: TransmissionControlBlock): boolean;
  /** An acknowledgment is owed and found no company in this event: arms the timer "delayedAck". */
  delay(tcb: TransmissionControlBlock): void;
  /** The timer has expired, and the acknowledgment goes alone. */
  expired(tcb: TransmissionControlBlock): void;
  /** The user has read: must the peer hear of it now? */
  read(tcb: TransmissionControlBlock): boolean;
  /** A segment with an acknowledgment leaves. */
  acknowledged(tcb: TransmissionControlBlock, withText: boolean): void;
  /** Something arrived that shows that the peer has lost its way: it needs to hear from us soon. */
  hurry(tcb: TransmissionControlBlock): void;
  /** What TCP_QUICKACK of Linux switches: true for at once, false for taking turns. */
  quick: boolean;
}

/** SHLD-19: at least every second full-sized segment is acknowledged. */
const SEGMENTS_PER_ACKNOWLEDGMENT = 2;

/** One for all connections: what it decides by stands in the control block. */
class PlainAcknowledgment implements DelayedAcknowledgment {
  // What this policy does cannot be hurried.
  quick = false;

  received(tcb: TransmissionControlBlock, _length: number, _pushed: boolean): boolean {
    // A delay of 0 switches SHLD-18 off.
    return tcb.unacknowledgedReceived >= SEGMENTS_PER_ACKNOWLEDGMENT * tcb.largestReceived || tcb.options.delayedAck === 0;
  }

  finReceived(_tcb: TransmissionControlBlock): boolean {
    return true;
  }

  delay(tcb: TransmissionControlBlock): void {
    if (!tcb.isArmed("delayedAck")) tcb.timer("delayedAck").arm(tcb.options.delayedAck);
  }

  expired(_tcb: TransmissionControlBlock): void {}

  read(tcb: TransmissionControlBlock): boolean {
    return windowUpdateDue(tcb);
  }

  acknowledged(_tcb: TransmissionControlBlock, _withText: boolean): void {}

  hurry(_tcb: TransmissionControlBlock): void {}
}

class FreebsdAcknowledgment extends PlainAcknowledgment {
  override received(tcb: TransmissionControlBlock, length: number, _pushed: boolean): boolean {
    return tcb.isArmed("delayedAck") || length > tcb.segmentSize || tcb.options.delayedAck === 0;
  }
}

const PLAIN: DelayedAcknowledgment = new PlainAcknowledgment();
const FREEBSD: DelayedAcknowledgment = new FreebsdAcknowledgment();

export function createDelayedAcknowledgment(policy: AcknowledgmentPolicy): DelayedAcknowledgment {
  if (policy === "linux") return new LinuxAcknowledgment();
  return policy === "freebsd" ? FREEBSD : PLAIN;
}
