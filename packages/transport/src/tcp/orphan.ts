// Connections that nobody holds any more: the user has closed both ways, and TCP alone brings them to their end (RFC 9293 §3.6.1).
import { abort } from "./closing.ts";
import { isSynchronized } from "./state.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** Orphans of a stack; each costs memory that no user answers for. */
export const DEFAULT_MAX_ORPHANS = 65536;

/** The user has called both `close` and `closeRead`. May end the connection at once. */
export function becomeOrphan(tcb: TransmissionControlBlock): void {
  if (tcb.orphaned || tcb.state === "CLOSED" || tcb.state === "TIME-WAIT") return;
  const { context, options } = tcb;
  if (tcb.state === "SYN-RECEIVED" && tcb.listener !== undefined) return;
  if (options.linger === 0 && isSynchronized(tcb.state)) {
    // SO_LINGER with a time of zero: what is unsent or unacknowledged is thrown away, and the peer hears so.
    context.counters.TCPAbortOnData += 1;
    abort(tcb, undefined);
    return;
  }
  if (context.orphans >= context.maxOrphans) {
    // RFC 6429 §4: resources come before those who cannot even read the result.
    context.counters.TCPAbortOnMemory += 1;
    abort(tcb, "ECONNABORTED");
    return;
  }
  tcb.orphaned = true;
  context.orphans += 1;
  if (tcb.state === "FIN-WAIT-2") armFinWait2(tcb);
}

/**
 * Our FIN is acknowledged, and the peer's may never come. RFC 9293 §3.6.1 has no limit; one is needed where no user is left to
 * lose patience. A negative one ends it at once (TCP_LINGER2 of Linux).
 */
export function armFinWait2(tcb: TransmissionControlBlock): void {
  const { finWait2 } = tcb.options;
  if (finWait2 >= 0) {
    tcb.timer("life").arm(finWait2);
    return;
  }
  tcb.context.counters.TCPAbortOnLinger += 1;
  abort(tcb, undefined);
}
