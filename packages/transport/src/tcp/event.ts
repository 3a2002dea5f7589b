// The end of every event of a connection: the user hears of it, then what there is to send is sent, in one packet where possible.
import { settleMemory } from "./buffers/connection-memory.ts";
import { sendPending } from "./sender.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/**
 * Ends an event: a segment, a timer or a user call. The user is told before anything is sent, so that its answer travels with
 * the acknowledgment (MUST-58); what it calls meanwhile only changes state, because `inEvent` is set.
 */
export function finishEvent(tcb: TransmissionControlBlock): void {
  tcb.inEvent = true;
  try {
    notify(tcb);
  } catch (error) {
    // A user that throws still hears of the rest, and the peer gets its acknowledgment. Nothing is said twice: each notification
    // is taken off before it is given.
    finishEvent(tcb);
    throw error;
  }
  tcb.inEvent = false;
  settleMemory(tcb);
  sendPending(tcb);
  tcb.user.progressed?.(tcb.connection);
}

function notify(tcb: TransmissionControlBlock): void {
  const { pending, connection } = tcb;
  // A notification may cause another, so each is taken off before it is given.
  if (pending.opened) {
    pending.opened = false;
    if (tcb.passive) tcb.context.established(tcb);
    else tcb.user.opened?.(connection);
  }
  if (pending.softError !== undefined) {
    const error = pending.softError;
    pending.softError = undefined;
    tcb.user.softError?.(connection, error);
  }
  if (pending.urgent) {
    pending.urgent = false;
    tcb.user.urgent?.(connection);
  }
  if (pending.readable) {
    pending.readable = false;
    tcb.user.readable?.(connection);
  }
  if (pending.writable) {
    pending.writable = false;
    tcb.user.writable?.(connection);
  }
  if (pending.finished) {
    pending.finished = false;
    tcb.user.finished?.(connection);
  }
  if (pending.closed && !tcb.closedNotified) {
    tcb.closedNotified = true;
    tcb.user.closed?.(connection, tcb.error);
  }
}
