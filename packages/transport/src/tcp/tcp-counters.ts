// Counters under Linux's names: Tcp in /proc/net/snmp, TcpExt in /proc/net/netstat; and one for each reason to drop a segment.
import { type Counters, createCounters, type DropReasons } from "@netstrata/core";

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
  "OutOfWindowIcmps",
  "ListenDrops",
  "SyncookiesSent",
  "SyncookiesRecv",
  "SyncookiesFailed",
  "TCPReqQFullDoCookies",
  "TCPReqQFullDrop",
  "TCPDeferAcceptDrop",
  "TCPFastOpenActive",
  "TCPFastOpenActiveFail",
  "TCPFastOpenPassive",
  "TCPFastOpenPassiveFail",
  "TCPFastOpenPassiveAltKey",
  "TCPFastOpenListenOverflow",
  "TCPFastOpenCookieReqd",
  "TCPFastOpenBlackhole",
  "DelayedACKs",
  "TCPTimeouts",
  "TCPRenoRecovery",
  "TCPSackRecovery",
  "TCPLossProbes",
  "TCPLossProbeRecovery",
  "TCPSpuriousRTOs",
  "TCPLossUndo",
  "TCPFullUndo",
  "TCPPartialUndo",
  "TCPDSACKUndo",
  "TCPSACKReneging",
  "TCPSACKReorder",
  "TCPRenoReorder",
  "TCPTSReorder",
  "TCPLostRetransmit",
  "TCPFastRetrans",
  "TCPSlowStartRetrans",
  "TCPDSACKOldSent",
  "TCPDSACKOfoSent",
  "TCPDSACKRecv",
  "TCPDSACKOfoRecv",
  "TCPDSACKIgnoredOld",
  "TCPDSACKIgnoredDubious",
  "TCPOFOQueue",
  "TCPOFODrop",
  "TCPOFOMerge",
  "TCPChallengeACK",
  "TCPACKSkippedChallenge",
  "TCPACKSkippedSeq",
  "TCPACKSkippedPAWS",
  "PAWSActive",
  "PAWSEstab",
  "PAWSTimewait",
  "PAWSOldAck",
  "TCPKeepAlive",
  "TCPWinProbe",
  "TCPAbortOnTimeout",
  "TCPAbortOnData",
  "TCPAbortOnClose",
  "TCPAbortOnMemory",
  "TCPMemoryPressures",
  "TCPRcvQDrop",
  "PruneCalled",
  "OfoPruned",
  "TCPAbortOnLinger",
] as const;

export type TcpCounterName = (typeof NAMES)[number];

export function createTcpCounters(): Counters<TcpCounterName> {
  return createCounters(NAMES);
}

export type TcpDropReason =
  | "truncated"
  | "bad-header-length"
  | "bad-checksum"
  | "bad-address"
  | "no-connection"
  | "out-of-window"
  | "old-timestamp"
  | "missing-timestamps"
  | "acknowledgment-out-of-range"
  | "missing-acknowledgment"
  | "reset-out-of-window"
  | "reset-challenged"
  | "syn-challenged"
  | "backlog-full"
  | "accept-queue-full"
  | "connection-limit"
  | "reassembly-full"
  | "memory-limit"
  | "after-fin";

export const TCP_DROPS: DropReasons<TcpDropReason> = {
  truncated: "RFC 9293 §3.1",
  "bad-header-length": "RFC 9293 §3.1",
  "bad-checksum": "RFC 9293 §3.1 (MUST-3)",
  "bad-address": "RFC 9293 §3.9.2.3 (MUST-57, MUST-63)",
  "no-connection": "RFC 9293 §3.10.7.1",
  "out-of-window": "RFC 9293 §3.10.7.4",
  "old-timestamp": "RFC 7323 §5.3",
  "missing-timestamps": "RFC 7323 §3.2",
  "acknowledgment-out-of-range": "RFC 9293 §3.10.7.4",
  "missing-acknowledgment": "RFC 9293 §3.10.7.4",
  "reset-out-of-window": "RFC 9293 §3.10.7.3",
  "reset-challenged": "RFC 5961 §3.2",
  "syn-challenged": "RFC 5961 §4.2",
  "backlog-full": "RFC 4987 §3.3",
  "accept-queue-full": undefined,
  "connection-limit": undefined,
  // A limit of ours, which RFC 9293 §3.10.7.4 leaves room for: what is not acknowledged comes again.
  "reassembly-full": undefined,
  "memory-limit": undefined,
  "after-fin": "RFC 9293 §3.10.7.4",
};
