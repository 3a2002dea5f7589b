// Challenge acknowledgments: the answer to a RST or SYN that might be forged (RFC 9293 §3.10.7.4, RFC 5961 §3, §4, §5, §7).
import { type Host, type Milliseconds, randomBelow } from "@netstrata/core";
import type { Segment } from "./segment.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** RFC 5961 §7 throttles them: so many a second for the whole stack by default. */
export const DEFAULT_CHALLENGE_ACKS = 1000;
const SECOND: Milliseconds = 1000;

/**
 * What a stack may spend on challenges. A limit that all connections share, and that is known, tells an attacker by what is left of
 * it about connections of others; so each second has another one, between half and one and a half of it.
 */
export class ChallengeBudget {
  private readonly host: Host;
  private readonly limit: number;
  private left = 0;
  private since: Milliseconds = Number.NEGATIVE_INFINITY;

  constructor(host: Host, limit: number) {
    this.host = host;
    this.limit = limit;
  }

  take(): boolean {
    const now = this.host.clock.now();
    if (now - this.since >= SECOND) {
      this.since = now;
      const unlimited = this.limit === Number.POSITIVE_INFINITY;
      this.left = unlimited ? this.limit : Math.ceil(this.limit / 2) + randomBelow(this.host.random, Math.max(1, this.limit));
    }
    if (this.left <= 0) return false;
    this.left -= 1;
    return true;
  }
}

/** A true peer answers the challenge with a RST that fits exactly, or stays silent. */
export function challenge(tcb: TransmissionControlBlock): void {
  const { counters, challenges } = tcb.context;
  const mayAnswer = hasChallengeLeft(tcb) && challenges.take();
  if (mayAnswer) acknowledgeThrottled(tcb);
  counters[mayAnswer ? "TCPChallengeACK" : "TCPACKSkippedChallenge"] += 1;
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

/** The connection has not had all of this interval's answers yet. */
function hasChallengeLeft(tcb: TransmissionControlBlock): boolean {
  const now = tcb.clock.now();
  const { challengeAcks, challengeInterval } = tcb.options;
  if (now - tcb.challengeAcksSince >= challengeInterval) {
    tcb.challengeAcksSince = now;
    tcb.challengeAcks = 0;
  }
  return tcb.challengeAcks < challengeAcks;
}

function acknowledgeThrottled(tcb: TransmissionControlBlock): boolean {
  if (!hasChallengeLeft(tcb)) return false;
  tcb.challengeAcks += 1;
  tcb.ackNow = true;
  return true;
}
