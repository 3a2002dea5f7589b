// Challenge acknowledgments: the answer to a RST or SYN that might be forged (RFC 9293 §3.10.7.4, RFC 5961 §3, §4, §5, §7).
import type { Milliseconds } from "@netstrata/core";
import type { Segment } from "./segment.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** RFC 5961 §7 throttles them. Counted for each connection, because a count for the whole host tells an attacker about other connections. */
export const MAX_CHALLENGE_ACKS = 10;
const CHALLENGE_INTERVAL: Milliseconds = 1000;

/** A true peer answers the challenge with a RST that fits exactly, or stays silent. */
export function challenge(tcb: TransmissionControlBlock): void {
  tcb.context.counters[acknowledgeThrottled(tcb) ? "TCPChallengeACK" : "TCPACKSkippedChallenge"] += 1;
}

/**
 * Answers an empty segment outside the window. Two ends that are out of step would answer each other's answers for ever,
 * as fast as the network carries them.
 */
export function acknowledgeOutOfWindow(tcb: TransmissionControlBlock): void {
  if (!acknowledgeThrottled(tcb)) tcb.context.counters.TCPACKSkippedSeq += 1;
}

/** RFC 7323 §5.3 R1. Text comes from a peer that waits for an answer; without, it may be an answer to our answer. */
export function acknowledgePawsFailure(tcb: TransmissionControlBlock, segment: Segment): void {
  if (segment.payload.length > 0) tcb.ackNow = true;
  else if (!acknowledgeThrottled(tcb)) tcb.context.counters.TCPACKSkippedPAWS += 1;
}

function acknowledgeThrottled(tcb: TransmissionControlBlock): boolean {
  const now = tcb.clock.now();
  if (now - tcb.challengeAcksSince >= CHALLENGE_INTERVAL) {
    tcb.challengeAcksSince = now;
    tcb.challengeAcks = 0;
  }
  if (tcb.challengeAcks === MAX_CHALLENGE_ACKS) return false;
  tcb.challengeAcks += 1;
  tcb.ackNow = true;
  return true;
}
