// How long a connection tries: R1 and R2 (RFC 9293 §3.8.3), by time or by count, for a SYN, for text, and for what nobody holds any more.
import type { Milliseconds } from "@netstrata/core";
import type { SentSegment } from "./sent-segment.ts";
import { SYN } from "./tcp-header.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/**
 * How `retries` is meant:
 * - "count": retransmissions of one segment, whatever time they take.
 * - "time": the time that so many would take if the timeout began at `rtoMinimum` and doubled up to `rtoMaximum`; it and
 *   `userTimeout` begin with the first retransmission. So Linux reckons, and 15 are 924.6 s.
 */
export type RetryCounting = "count" | "time";

/** How much longer `first`, the oldest segment, may stay unacknowledged before the connection is given up; at most 0 when it is time. */
export function patienceLeft(tcb: TransmissionControlBlock, first: SentSegment): Milliseconds {
  const { options, snd, clock } = tcb;
  const isSyn = (first.flags & SYN) !== 0;
  if (options.retryCounting === "time") {
    return tcb.timeouts === 0 ? Number.POSITIVE_INFINITY : options.userTimeout - (clock.now() - tcb.timeoutsSince);
  }
  // MUST-37: a peer that answers the probes of its closed window is alive, however long it keeps it closed; and what waited
  // behind the window has waited only since it opened.
  const alive = snd.wnd === 0 && !isSyn ? tcb.lastReceivedAt : tcb.windowOpenedAt;
  const limit = isSyn ? Math.min(options.synTimeout, options.userTimeout) : options.userTimeout;
  return limit - (clock.now() - Math.max(first.firstSentAt, alive));
}

/** R2 is reached: the timer of `first` has expired, and it is not to be sent again. */
export function isPatienceOver(tcb: TransmissionControlBlock, first: SentSegment): boolean {
  if (patienceLeft(tcb, first) <= 0) return true;
  const { options } = tcb;
  if ((first.flags & SYN) !== 0) {
    return tcb.timeouts >= (tcb.passive ? options.synAckRetries : options.synRetries + options.synLinearTimeouts);
  }
  // RFC 6429 §3: probes of a closed window are answered by whoever keeps it closed, so for text alone they may go on for ever.
  if (tcb.snd.wnd === 0 && tcb.lastReceivedAt >= first.sentAt) return false;
  const retries = tcb.orphaned ? Math.min(options.retries, options.orphanRetries) : options.retries;
  if (options.retryCounting === "count") return tcb.timeouts >= retries;
  // A user timeout, where there is one, stands instead of the count.
  if (tcb.timeouts === 0 || options.userTimeout !== Number.POSITIVE_INFINITY) return false;
  return tcb.clock.now() - tcb.timeoutsSince >= timeOfRetries(retries, options.rtoMinimum, options.rtoMaximum);
}

/** Another probe of a closed window is due: may it go out, or has it been too many? */
export function mayProbe(tcb: TransmissionControlBlock): boolean {
  const { options } = tcb;
  // RFC 6429 §3: a peer that keeps its window closed must not keep us busy for ever after the user has gone.
  if (tcb.orphaned && tcb.orphanProbes >= options.orphanRetries) return false;
  if (tcb.orphaned) tcb.orphanProbes += 1;
  if (options.zeroWindowProbe === "octet") return true;
  const { windowProbesSince: since } = tcb;
  if (since !== undefined && options.retryCounting === "time" && tcb.clock.now() - since >= options.userTimeout) return false;
  // MUST-37: unanswered ones are counted only.
  return tcb.windowProbes < options.retries;
}

/** MUST-29: keep-alives have not been answered for long enough. A user timeout, where there is one, stands instead of the count in Linux. */
export function isSilenceOver({ options, keepAliveProbesSent }: TransmissionControlBlock, quiet: Milliseconds): boolean {
  if (options.retryCounting === "time" && options.userTimeout !== Number.POSITIVE_INFINITY)
    return keepAliveProbesSent > 0 && quiet >= options.userTimeout;
  return keepAliveProbesSent >= options.keepAliveProbes;
}

/** The next timeout of a SYN is as long as this one, because the first few are linear. */
export function isLinear(tcb: TransmissionControlBlock, isSyn: boolean): boolean {
  return isSyn && !tcb.passive && tcb.timeouts <= tcb.options.synLinearTimeouts;
}

/** How long `retries` doublings from `least` up to `most` take, the wait after the last one included. */
export function timeOfRetries(retries: number, least: Milliseconds, most: Milliseconds): Milliseconds {
  const doublings = Math.floor(Math.log2(most / least));
  if (retries <= doublings) return (2 ** (retries + 1) - 1) * least;
  return (2 ** (doublings + 1) - 1) * least + (retries - doublings) * most;
}

/** How many timeouts, doubling from `least` up to `most`, begin within `duration`. */
export function retriesWithin(duration: Milliseconds, least: Milliseconds, most: Milliseconds): number {
  if (duration <= 0) return 0;
  let retries = 1;
  let timeout = least;
  for (let period = least; duration > period && retries < 255; retries += 1) {
    timeout = Math.min(most, 2 * timeout);
    period += timeout;
  }
  return retries;
}
