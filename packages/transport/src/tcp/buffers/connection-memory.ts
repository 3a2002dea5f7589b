// One connection's part of the memory account: what it holds, whether it may hold more, and what it gives back in need.
import { canReceive } from "../state.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import { MEMORY_FLOOR } from "./memory-account.ts";

/** Brings the account up to date. What a closed connection leaves to be read is its user's. */
export function settleMemory(tcb: TransmissionControlBlock): void {
  const held = tcb.state === "CLOSED" ? 0 : tcb.sendBuffer.length + heldReceived(tcb);
  if (held === tcb.accounted) return;
  tcb.context.memory.change(held - tcb.accounted);
  tcb.accounted = held;
}

/** Octets that `send` may take. */
export function sendRoom(tcb: TransmissionControlBlock): number {
  const limit = tcb.context.memory.isFull ? Math.min(tcb.sending.limit, MEMORY_FLOOR) : tcb.sending.limit;
  return Math.max(0, limit - tcb.sendBuffer.length);
}

/**
 * May `length` octets that have arrived be kept? Where memory is out, what is held out of order goes first: it was never
 * acknowledged for good, and comes again (RFC 2018 §8).
 */
export function mayReceive(tcb: TransmissionControlBlock, length: number): boolean {
  const { memory, counters, drops } = tcb.context;
  if (!memory.isFull || isSmall(tcb, length)) return true;
  pruneOutOfOrder(tcb);
  if (!memory.isFull || isSmall(tcb, length)) return true;
  counters.TCPRcvQDrop += 1;
  drops.count("memory-limit");
  return false;
}

/** One segment is taken where nothing is held, however long it is: else nothing might ever be. */
function isSmall(tcb: TransmissionControlBlock, length: number): boolean {
  const held = heldReceived(tcb);
  return held === 0 || held + length <= MEMORY_FLOOR;
}

/** The farthest ahead goes first, as it is needed last. */
function pruneOutOfOrder(tcb: TransmissionControlBlock): void {
  const { memory, counters } = tcb.context;
  const { reassembler } = tcb;
  counters.PruneCalled += 1;
  if (reassembler === undefined || reassembler.length === 0 || !canReceive(tcb.state)) return;
  counters.OfoPruned += 1;
  while (memory.isFull && reassembler.dropLast()) settleMemory(tcb);
}

function heldReceived(tcb: TransmissionControlBlock): number {
  return tcb.receiveBuffer.length + (tcb.reassembler?.length ?? 0);
}
