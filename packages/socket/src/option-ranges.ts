// The numbers that users may choose. What makes no sense throws here, at the call, before TCP or UDP reckon with it.
import { SystemError } from "./system-error.ts";

interface Range {
  readonly low: number;
  readonly high: number;
  /** False for times, which may be fractions, or Infinity for "never". */
  readonly isInteger: boolean;
}

const octets = (low: number): Range => ({ low, high: 2 ** 30, isInteger: true });
const count = (low: number, high: number): Range => ({ low, high, isInteger: true });
/** A timer that is armed again and again, but not for less than this, lets time pass. */
const milliseconds = (low: number): Range => ({ low, high: Number.POSITIVE_INFINITY, isInteger: false });

/** How often something is tried: whole, or Infinity where only time ends it. */
const attempts: Range = { low: 0, high: Number.POSITIVE_INFINITY, isInteger: true };
/** Rates and factors; Infinity for "without limit". */
const positive: Range = { low: 1, high: Number.POSITIVE_INFINITY, isInteger: false };

/** By name, for the options of connections, listeners and UDP sockets alike. */
const RANGES: ReadonlyMap<string, Range> = new Map([
  ["receiveBuffer", octets(1)],
  ["receiveBufferMaximum", octets(1)],
  ["sendBuffer", octets(1)],
  ["sendBufferMaximum", octets(1)],
  ["minimumSegmentSize", count(1, 65535)],
  // RFC 7323 §2.3
  ["windowScale", count(0, 14)],
  ["maximumSegmentSize", count(1, 65535)],
  ["keepAliveIdle", milliseconds(1)],
  ["keepAliveInterval", milliseconds(1)],
  ["keepAliveProbes", count(0, 2 ** 31 - 1)],
  ["userTimeout", milliseconds(1)],
  ["userTimeoutOption", milliseconds(0)],
  ["retries", attempts],
  ["orphanRetries", attempts],
  ["synTimeout", milliseconds(1)],
  ["synRetries", attempts],
  ["synLinearTimeouts", attempts],
  ["synAckRetries", attempts],
  ["challengeAcks", attempts],
  ["challengeInterval", milliseconds(0)],
  ["linger", milliseconds(0)],
  ["deferAccept", milliseconds(0)],
  ["delayedAck", milliseconds(0)],
  ["rtoMinimum", milliseconds(1)],
  ["rtoMaximum", milliseconds(1)],
  ["rtoInitial", milliseconds(1)],
  ["slowStartLimit", positive],
  ["initialWindow", count(1, 65535)],
  // Octets a second.
  ["maximumPacingRate", positive],
  ["burstSegments", count(0, 65535)],
  ["burstDivisor", positive],
  ["fastOpenBacklog", count(0, 2 ** 31 - 1)],
  ["timeWait", milliseconds(0)],
  ["finWait2", milliseconds(0)],
  ["timeToLive", count(1, 255)],
  ["trafficClass", count(0, 255)],
  // As listen(2) has it, 0 is as good as 1, and a large one is what memory allows.
  ["backlog", count(0, 2 ** 31 - 1)],
]);

/** Throws EINVAL that names the option. Absent ones are the stack's to choose. */
export function requireRanges(options: object, syscall: string): void {
  for (const [name, value] of Object.entries(options)) {
    const range = RANGES.get(name);
    if (range === undefined || value === undefined || isWithin(range, value)) continue;
    const kind = range.isInteger ? "an integer" : "a number";
    const bounds = range.high === Number.POSITIVE_INFINITY ? `of at least ${range.low}` : `from ${range.low} to ${range.high}`;
    throw new SystemError("EINVAL", syscall, { detail: `${name} is ${kind} ${bounds}, not ${String(value)}` });
  }
}

function isWithin({ low, high, isInteger }: Range, value: unknown): boolean {
  return (
    typeof value === "number" &&
    value >= low &&
    value <= high &&
    (!isInteger || Number.isInteger(value) || value === Number.POSITIVE_INFINITY)
  );
}
