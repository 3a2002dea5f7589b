// The two timers of the sending half (RFC 6298 §5, RFC 9293 §3.8.3, §3.8.6.1): when they run, and how long.
import { isAtOrBefore, isBefore, type Milliseconds, sequenceAdd } from "@netstrata/core";
import { patienceLeft } from "./patience.ts";
import { SYN } from "./tcp-header.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** RFC 9293 §3.8.6.2.1: the override timeout, 0.1 to 1.0 seconds, after which what the window lets through is sent all the same. */
const OVERRIDE_TIMEOUT: Milliseconds = 200;

/** Linux, tcp_check_sack_reneging. */
const SHORTEST_RENEGING_WAIT: Milliseconds = 10;

/** Exactly one of two timers runs while there is something to send: retransmission when something is out, persist when nothing may be. */
export function armSendTimers(tcb: TransmissionControlBlock): void {
  if (!tcb.scoreboard.isEmpty) {
    tcb.disarm("persist");
    // RFC 6298 §5.1; RFC 8985 §7.2: the probe waits for the newest segment's acknowledgment, so each new one starts it again.
    if (!tcb.isArmed("retransmission")) armRetransmission(tcb, "from now");
    else if (tcb.sentFresh && tcb.recovery.mayProbe(tcb)) armRetransmission(tcb, "since sent");
    tcb.sentFresh = false;
    return;
  }
  tcb.disarm("retransmission");
  const waiting =
    isBefore(tcb.snd.nxt, tcb.sendEnd) && (tcb.fastOpenQueue !== undefined || (tcb.state !== "SYN-SENT" && tcb.state !== "SYN-RECEIVED"));
  // What waits for its turn is neither lost nor held back by the peer.
  if (!waiting || tcb.isArmed("pacing")) tcb.disarm("persist");
  else if (!tcb.isArmed("persist")) {
    // SHLD-29: the first probe one retransmission timeout after the window closed.
    const closed = isAtOrBefore(sequenceAdd(tcb.snd.una, tcb.snd.wnd), tcb.snd.nxt);
    tcb.timer("persist").arm(closed || tcb.options.zeroWindowProbe === "empty" ? timeToProbe(tcb) : OVERRIDE_TIMEOUT);
  }
}

/** The retransmission timeout, or less where the user has less patience with a closed window than that. */
function timeToProbe(tcb: TransmissionControlBlock): Milliseconds {
  const timeout = tcb.retransmissionTimeout.value;
  const { windowProbesSince: since } = tcb;
  if (since === undefined || tcb.options.retryCounting === "count") return timeout;
  return Math.max(1, Math.min(timeout, tcb.options.userTimeout - (tcb.clock.now() - since)));
}

/** The window is still closed. An empty probe stays out of the retransmission queue, so nothing else starts the wait for the next anew. */
export function probeAnswered(tcb: TransmissionControlBlock): void {
  if (tcb.windowProbesSince !== undefined && tcb.scoreboard.isEmpty) tcb.timer("persist").arm(timeToProbe(tcb));
}

/**
 * RFC 6298 §5.1, §5.3; the probe of RFC 8985 §7.2 and the user timeout may come before it.
 * @param start "from now": the timeout begins now; "since sent": it has begun when the oldest segment was last sent
 */
export function armRetransmission(tcb: TransmissionControlBlock, start: "from now" | "since sent"): void {
  const first = tcb.scoreboard.first();
  if (first === undefined) return;
  const elapsed = start === "from now" ? 0 : tcb.clock.now() - first.sentAt;
  const timeout = Math.max(1, tcb.retransmissionTimeout.value - elapsed) + pacingDelay(tcb);
  // The answer to a SYN is not probed for.
  tcb.probeDue = (first.flags & SYN) === 0 && tcb.recovery.mayProbe(tcb);
  const due = tcb.probeDue ? Math.min(timeout, tcb.recovery.probe.timeout(tcb)) : timeout;
  // At least a millisecond: a remainder below the clock's precision would expire at once, for ever.
  tcb.timer("retransmission").arm(Math.max(1, Math.min(patienceLeft(tcb, first), due)));
}

/** The timeout itself, without a probe before it (RFC 8985 §7.3). */
export function armTimeout(tcb: TransmissionControlBlock): void {
  const first = tcb.scoreboard.first();
  if (first === undefined) return;
  tcb.probeDue = false;
  tcb.sentFresh = false;
  tcb.timer("retransmission").arm(Math.max(1, Math.min(patienceLeft(tcb, first), tcb.retransmissionTimeout.value + pacingDelay(tcb))));
}

/** What has to wait for its turn must not time out before it (Linux, tcp_pacing_delay()). */
function pacingDelay(tcb: TransmissionControlBlock): Milliseconds {
  return tcb.pacer === undefined ? 0 : tcb.pacer.wait(tcb.clock.now());
}

/** RFC 2018 §8: what is reported above may still be acknowledged by what is on its way; if not, it is gone. */
export function armForReneging(tcb: TransmissionControlBlock): void {
  tcb.probeDue = false;
  tcb.timer("retransmission").arm(Math.max(SHORTEST_RENEGING_WAIT, (tcb.retransmissionTimeout.smoothed ?? 0) / 2));
}
