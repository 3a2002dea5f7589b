// The defaults of everything that can be chosen for a connection.
import type { Milliseconds } from "@netstrata/core";
import { MAX_WINDOW_SCALE } from "./tcp-options.ts";
import type { TcpConnection, TcpConnectionOptions } from "./tcp-service.ts";

export type ResolvedTcpOptions = TcpConnection["options"];

export const DEFAULT_TCP_OPTIONS: ResolvedTcpOptions = {
  receiveBuffer: 262144,
  receiveBufferMaximum: 6 * 2 ** 20,
  sendBuffer: 262144,
  sendBufferMaximum: 4 * 2 ** 20,
  autoTuning: true,
  windowGrowth: "full",
  minimumSegmentSize: 64,
  noDelay: false,
  nagle: "rfc",
  cork: false,
  sack: true,
  dsack: true,
  lossRecovery: "rack",
  tailLossProbe: true,
  limitedTransmit: true,
  earlyRetransmit: false,
  proportionalRateReduction: true,
  frto: true,
  undo: true,
  // SHLD-8; asking still costs a connection in a thousand its first SYN, so that has to be wanted.
  ecn: "passive",
  ecnFallback: true,
  accurateEcnOption: true,
  timeWaitFeedback: true,
  // RFC 7323 §1: for all, as every quick path needs them.
  timestamps: true,
  timestampOffset: true,
  paws: "rfc",
  windowScaling: true,
  // RFC 7323 appendix A
  optionLayout: "linux",
  // MUST-25
  keepAlive: false,
  // MUST-28: two hours.
  keepAliveIdle: 7_200_000,
  keepAliveInterval: 75_000,
  // MUST-29: one unanswered probe proves nothing.
  keepAliveProbes: 9,
  // RFC 9293 §3.9.1.1 names five minutes; SHLD-11 asks for at least 100 s.
  // RFC 5482 §3: ENABLED is false; CHANGEABLE is true until the user has chosen a timeout.
  userTimeoutOption: 0,
  userTimeoutChangeable: true,
  userTimeout: 300_000,
  retryCounting: "count",
  retries: Number.POSITIVE_INFINITY,
  orphanRetries: 15,
  // MUST-23: a SYN is tried for at least three minutes.
  synTimeout: 180_000,
  synRetries: Number.POSITIVE_INFINITY,
  synLinearTimeouts: 0,
  synAckRetries: Number.POSITIVE_INFINITY,
  // RFC 5961 §7
  challengeAcks: 10,
  challengeInterval: 1000,
  // RFC 5461 §4
  unreachableEndsHandshake: false,
  zeroWindowProbe: "octet",
  resetOnTimeout: true,
  resetWithAck: false,
  linger: Number.POSITIVE_INFINITY,
  // MUST-40: less than 500 ms.
  delayedAck: 40,
  acknowledgments: "rfc",
  // RFC 6298 §2.4
  rtoMinimum: 1000,
  congestionControl: "cubic",
  // RFC 6298 §2.5
  rtoMaximum: 60_000,
  // RFC 6298 §2.1
  rtoInitial: 1000,
  rtoEstimator: "rfc",
  congestionAccounting: "octets",
  hystart: true,
  pacing: false,
  unpacedSegments: 0,
  maximumPacingRate: Number.POSITIVE_INFINITY,
  slowStartAfterIdle: true,
  burstSegments: 0,
  burstDivisor: 3,
  windowValidation: "rfc7661",
  // RFC 9293 §3.4.2: MSL is two minutes.
  timeWait: 240_000,
  // MAY-2, RFC 6191
  timeWaitReuse: "passive",
  finWait2: 60_000,
};

/** MUST-40: an acknowledgment is delayed by less than this. */
const LONGEST_DELAYED_ACK: Milliseconds = 499;
/** The largest window that can be announced is 65535 << 14 (RFC 7323 §2.3). */
const LARGEST_BUFFER = 2 ** 30;
const SMALLEST_BUFFER = 1;

/** `changes` over `base`, each value brought into the range in which it makes sense. */
export function resolveTcpOptions(base: ResolvedTcpOptions, changes: TcpConnectionOptions): ResolvedTcpOptions {
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  // RFC 5482 §3: who asks for a timeout gets it, whatever the peer would like.
  const userTimeoutChangeable = changes.userTimeoutChangeable ?? (changes.userTimeout === undefined && base.userTimeoutChangeable);
  const resolved = { ...base, ...given, userTimeoutChangeable };
  return {
    ...resolved,
    receiveBuffer: clamp(resolved.receiveBuffer, SMALLEST_BUFFER, LARGEST_BUFFER),
    receiveBufferMaximum: maximumOf(changes.receiveBuffer, changes.receiveBufferMaximum, resolved.receiveBufferMaximum),
    windowScale: resolved.windowScale === undefined ? undefined : clamp(resolved.windowScale, 0, MAX_WINDOW_SCALE),
    sendBuffer: clamp(resolved.sendBuffer, SMALLEST_BUFFER, LARGEST_BUFFER),
    sendBufferMaximum: maximumOf(changes.sendBuffer, changes.sendBufferMaximum, resolved.sendBufferMaximum),
    delayedAck: clamp(resolved.delayedAck, 0, LONGEST_DELAYED_ACK),
  };
}

/** Whoever chooses a size without a maximum wants that size, as with Linux's SO_RCVBUF. */
function maximumOf(size: number | undefined, maximum: number | undefined, inForce: number): number {
  return clamp(maximum ?? size ?? inForce, SMALLEST_BUFFER, LARGEST_BUFFER);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
