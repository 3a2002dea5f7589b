// Counters under Linux's names: Tcp in /proc/net/snmp, TcpExt in /proc/net/netstat; and one for each reason to drop a segment.
import { type Counters, createCounters } from "@netstrata/core";

const NAMES = [
  "ActiveOpens",
  "PassiveOpens",
  "AttemptFails",
  "EstabResets",
  "InSegs",
  "OutSegs",
  "RetransSegs",
  "InErrs",
  "OutRsts",
  "InCsumErrors",
  "ListenOverflows",
  "ListenDrops",
  "DelayedACKs",
  "TCPTimeouts",
  "TCPRenoRecovery",
  "TCPOFOQueue",
  "TCPOFODrop",
  "TCPOFOMerge",
  "TCPChallengeACK",
  "TCPACKSkippedChallenge",
  "TCPKeepAlive",
  "TCPWinProbe",
  "TCPAbortOnTimeout",
  "TCPAbortOnData",
  "TCPAbortOnClose",
  "TCPAbortOnMemory",
] as const;

export type TcpCounterName = (typeof NAMES)[number];

export function createTcpCounters(): Counters<TcpCounterName> {
  return createCounters(NAMES);
}

const DROP_REASONS = [
  "truncated",
  "bad-header-length",
  "bad-checksum",
  "bad-address",
  "no-connection",
  "out-of-window",
  "acknowledgment-out-of-range",
  "missing-acknowledgment",
  "reset-out-of-window",
  "reset-challenged",
  "syn-challenged",
  "backlog-full",
  "accept-queue-full",
  "connection-limit",
  "reassembly-full",
  "after-fin",
] as const;

export type TcpDropReason = (typeof DROP_REASONS)[number];

export function createTcpDrops(): Counters<TcpDropReason> {
  return createCounters(DROP_REASONS);
}
