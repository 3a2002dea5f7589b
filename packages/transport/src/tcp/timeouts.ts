// What happens when a timer expires (RFC 9293 §3.10.8, §3.8.4, §3.8.6.1; RFC 6298 §5.4 and after).
import { sequenceAdd, sequenceDistance } from "@netstrata/core";
import { abort, becomeClosed } from "./closing.ts";
import { noteFastOpenSilence } from "./fast-open/active-fast-open.ts";
import { isLinear, isPatienceOver, isSilenceOver, mayProbe } from "./patience.ts";
import { sendKeepAlive, sendWindowProbe } from "./segment-output.ts";
import { armTimeout } from "./send-timers.ts";
import { retransmit, sendFresh } from "./sender.ts";
import { SYN } from "./tcp-header.ts";
import type { TimerKind, TransmissionControlBlock } from "./transmission-control-block.ts";

/** SHLD-10: R1, after which IP is asked to look for another way and the user is told (MUST-20, SHLD-9). */
const R1_RETRANSMISSIONS = 3;

/** Each runs as an event of its own; the caller ends it. */
export const ON_TIMEOUT: Readonly<Record<TimerKind, (tcb: TransmissionControlBlock) => void>> = {
  retransmission: retransmissionTimeout,
  persist: persistTimeout,
  delayedAck: (tcb) => {
    tcb.context.counters.DelayedACKs += 1;
    tcb.acknowledging.expired(tcb);
    tcb.ackNow = true;
  },
  keepAlive: keepAliveTimeout,
  reordering: (tcb) => tcb.recovery.reorderingTimedOut(tcb),
  // The end of the event sends what has waited.
  pacing: () => {},
  // TIME-WAIT is over, or nobody waits in FIN-WAIT-2 any more.
  life: (tcb) => becomeClosed(tcb, undefined),
};

function retransmissionTimeout(tcb: TransmissionControlBlock): void {
  const { scoreboard, snd, context } = tcb;
  const first = scoreboard.first();
  if (first === undefined) return;
  if (tcb.probeDue) {
    // It was set for the probe, which comes before the timeout (RFC 8985 §7.2).
    tcb.probeDue = false;
    tcb.recovery.probe.send(tcb);
    return;
  }
  const isSyn = (first.flags & SYN) !== 0;
  const windowClosed = snd.wnd === 0 && !isSyn;
  // R2 (MUST-20): the connection is given up.
  if (isPatienceOver(tcb, first) || (windowClosed && !mayProbe(tcb))) {
    giveUp(tcb, tcb.options.resetOnTimeout);
    return;
  }
  // A probe that was answered is no sign of trouble, although it acknowledged nothing new.
  if (windowClosed && tcb.lastReceivedAt >= first.sentAt) tcb.timeouts = 0;
  if (tcb.timeouts === 0) tcb.timeoutsSince = tcb.clock.now();
  tcb.timeouts += 1;
  if (tcb.timeouts === R1_RETRANSMISSIONS) {
    // MUST-20; but of a forged SYN the answer never gets through, and must not speak against the router that takes it away.
    if (!(isSyn && tcb.passive)) context.ip.adviseUnreachable(tcb.remote.address);
    tcb.pending.softError = tcb.softError ?? "ETIMEDOUT";
  }
  if (tcb.handshakeDeferred && tcb.timeouts < (tcb.listener?.deferRetries ?? 0)) {
    // The peer has answered, and its text is waited for; only at the end of the wait it is asked again.
    tcb.retransmissionTimeout.backOff();
    armTimeout(tcb);
    return;
  }
  if (windowClosed) {
    // One octet is enough to ask whether the window is still closed (§3.8.6.1); the network is not to blame.
    context.counters.TCPWinProbe += 1;
    retransmit(tcb, first, "window-probe", 1);
  } else {
    context.counters.TCPTimeouts += 1;
    tcb.statistics.timedOut(tcb.clock.now());
    // RFC 6298 §5.4: the earliest goes out again, at the end of this event; the rest follows as the window opens.
    // What followed a SYN waits for its answer.
    if (isSyn) scoreboard.markLost(first);
    else {
      tcb.recovery.timedOut(tcb);
      tcb.validation.recovered();
    }
    tcb.lossReason = "timeout";
  }
  if (!isLinear(tcb, isSyn)) tcb.retransmissionTimeout.backOff();
}

/** RFC 9293 §3.8.3 (c): the connection is closed. Whether the peer is told, which has long been silent, is for the system to choose. */
function giveUp(tcb: TransmissionControlBlock, tellsPeer: boolean): void {
  noteFastOpenSilence(tcb);
  tcb.context.counters.TCPAbortOnTimeout += 1;
  const error = tcb.softError ?? "ETIMEDOUT";
  if (tellsPeer) abort(tcb, error);
  else becomeClosed(tcb, error);
}

/** Nothing is in flight, and the window is closed or too small to be worth it (MUST-36, §3.8.6.2.1). */
function persistTimeout(tcb: TransmissionControlBlock): void {
  const { snd } = tcb;
  const unsent = sequenceDistance(snd.nxt, tcb.sendEnd);
  if (unsent <= 0) return;
  const fin = tcb.finQueued ? 1 : 0;
  const usable = sequenceDistance(snd.nxt, sequenceAdd(snd.una, snd.wnd));
  if (usable <= 0) {
    if (!mayProbe(tcb)) {
      giveUp(tcb, tcb.options.resetOnTimeout);
      return;
    }
    tcb.context.counters.TCPWinProbe += 1;
    // SHLD-30: from here on the retransmission timer repeats the probe at growing intervals.
    tcb.retransmissionTimeout.backOff();
    if (tcb.options.zeroWindowProbe === "empty") {
      tcb.windowProbesSince ??= tcb.clock.now();
      tcb.windowProbes += 1;
      sendWindowProbe(tcb);
      return;
    }
  }
  const { head } = tcb.writeQueue;
  const queued = head === undefined ? 0 : sequenceDistance(head.start, head.end);
  const length = Math.min(queued, Math.max(1, Math.min(usable, tcb.segmentSize)));
  // What goes out although more was expected to follow is pushed.
  if (head !== undefined) head.pushed = true;
  sendFresh(tcb, length, fin === 1 && length === unsent - fin);
}

/** MUST-26, MUST-29, SHLD-12. */
function keepAliveTimeout(tcb: TransmissionControlBlock): void {
  const { options } = tcb;
  if (!options.keepAlive) return;
  const quiet = tcb.clock.now() - tcb.lastReceivedAt;
  if (quiet < options.keepAliveIdle || !tcb.scoreboard.isEmpty) {
    // The peer was heard meanwhile, or the retransmission timer is watching. At least a millisecond: a remainder below the clock's
    // precision would expire at once, for ever.
    const remainder = options.keepAliveIdle - quiet;
    tcb.timer("keepAlive").arm(remainder > 0 ? Math.max(1, remainder) : options.keepAliveInterval);
    return;
  }
  if (isSilenceOver(tcb, quiet)) {
    giveUp(tcb, true);
    return;
  }
  tcb.keepAliveProbesSent += 1;
  tcb.context.counters.TCPKeepAlive += 1;
  sendKeepAlive(tcb);
  tcb.timer("keepAlive").arm(options.keepAliveInterval);
}
