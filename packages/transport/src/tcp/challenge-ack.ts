// Challenge acknowledgments: the answer to a RST or SYN that might be forged (RFC 9293 §3.10.7.4, RFC 5961 §3, §4, §5, §7).
import type { Milliseconds } from "@netstrata/core";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** RFC 5961 §7 throttles them. Counted for each connection, because a count for the whole host tells an attacker about other connections. */
export const MAX_CHALLENGE_ACKS = 10;
const CHALLENGE_INTERVAL: Milliseconds = 1000;

/** A true peer answers the challenge with a RST that fits exactly, or stays silent. */
export function challenge(tcb: TransmissionControlBlock): void {
  const now = tcb.clock.now();
  if (now - tcb.challengeAcksSince >= CHALLENGE_INTERVAL) {
    tcb.challengeAcksSince = now;
    tcb.challengeAcks = 0;
  }
  if (tcb.challengeAcks === MAX_CHALLENGE_ACKS) {
    tcb.context.counters.TCPACKSkippedChallenge += 1;
    return;
  }
  tcb.challengeAcks += 1;
  tcb.context.counters.TCPChallengeACK += 1;
  tcb.ackNow = true;
}
