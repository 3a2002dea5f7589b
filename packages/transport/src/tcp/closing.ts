// How connections end: TIME-WAIT, CLOSED, and the abort (RFC 9293 §3.6, §3.10.5).
import type { ErrorCode } from "@netstrata/core";
import { sendReset } from "./segment-output.ts";
import { isSynchronized } from "./state.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** Deletes the TCB: nothing of it is left but what the user can still read. */
export function becomeClosed(tcb: TransmissionControlBlock, error: ErrorCode | undefined): void {
  if (tcb.state === "CLOSED") return;
  const { counters } = tcb.context;
  if (tcb.state === "SYN-SENT" || tcb.state === "SYN-RECEIVED") counters.AttemptFails += 1;
  else if (error !== undefined && (tcb.state === "ESTABLISHED" || tcb.state === "CLOSE-WAIT")) counters.EstabResets += 1;
  leaveOrphans(tcb);
  tcb.fastOpenQueue?.leave(error === "ECONNRESET");
  tcb.fastOpenQueue = undefined;
  tcb.error ??= error;
  tcb.disarmAll();
  tcb.sendBuffer.clear();
  tcb.scoreboard.clear();
  tcb.reassembler = undefined;
  tcb.ackNow = false;
  tcb.setState("CLOSED");
  tcb.context.forget(tcb);
  // Whoever waits to read must learn that nothing more comes.
  tcb.pending.readable = true;
  tcb.pending.closed = true;
}

/** Nobody needs to count it any more: it is over, or a mere TIME-WAIT. */
function leaveOrphans(tcb: TransmissionControlBlock): void {
  if (!tcb.orphaned) return;
  tcb.orphaned = false;
  tcb.context.orphans -= 1;
}

/** MUST-13: lingers for 2 MSL, so that a lost last acknowledgment can be given again. */
export function enterTimeWait(tcb: TransmissionControlBlock): void {
  leaveOrphans(tcb);
  tcb.setState("TIME-WAIT");
  tcb.disarmAll();
  tcb.timer("life").arm(tcb.options.timeWait);
  tcb.pending.closed = true;
}

/**
 * ABORT (§3.10.5): the peer hears of it by a RST wherever it may wait for something. In CLOSING and LAST-ACK it has all it waits for, when
 * the FIN has left; here these states begin with the call of CLOSE, so that there may be text in front of the FIN that will never come.
 */
export function abort(tcb: TransmissionControlBlock, error: ErrorCode | undefined): void {
  if (tcb.state === "CLOSED") return;
  const { state } = tcb;
  const peerHasAll = state === "TIME-WAIT" || ((state === "CLOSING" || state === "LAST-ACK") && tcb.finSent);
  if (state === "SYN-RECEIVED" || (isSynchronized(state) && !peerHasAll)) sendReset(tcb);
  becomeClosed(tcb, error);
}
