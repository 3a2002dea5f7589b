// What UDP counts, and why it drops (RFC 1122 §4.1.3).
import type { Counters, DropReasons } from "@netstrata/core";

/** As in Linux's `/proc/net/snmp`. `RcvbufErrors` is about the queue that somebody keeps above. */
export type UdpCounterName =
  | "InDatagrams"
  | "NoPorts"
  | "InErrors"
  | "OutDatagrams"
  | "RcvbufErrors"
  | "SndbufErrors"
  | "InCsumErrors"
  | "IgnoredMulti";

export type UdpCounters = Counters<UdpCounterName>;

export const UDP_COUNTERS: readonly UdpCounterName[] = [
  "InDatagrams",
  "NoPorts",
  "InErrors",
  "OutDatagrams",
  "RcvbufErrors",
  "SndbufErrors",
  "InCsumErrors",
  "IgnoredMulti",
];

export type UdpDropReason =
  | "truncated"
  | "bad-length"
  | "bad-checksum"
  | "no-checksum"
  | "bad-source"
  | "no-port"
  | "no-member"
  | "receive-buffer-full";

export const UDP_DROPS: DropReasons<UdpDropReason> = {
  truncated: "RFC 768",
  "bad-length": "RFC 768",
  "bad-checksum": "RFC 1122 §4.1.3.4",
  "no-checksum": "RFC 1122 §4.1.3.4",
  "bad-source": "RFC 1122 §4.1.3.6",
  "no-port": "RFC 1122 §4.1.3.1",
  // Nobody is told that a broadcast or multicast datagram found no taker.
  "no-member": "RFC 1122 §3.2.2",
  "receive-buffer-full": undefined,
};

/** The counters of Linux that a drop adds to. */
export const COUNTERS_OF_DROP: Readonly<Record<UdpDropReason, readonly UdpCounterName[]>> = {
  truncated: ["InErrors"],
  "bad-length": ["InErrors"],
  "bad-checksum": ["InErrors", "InCsumErrors"],
  "no-checksum": ["InErrors", "InCsumErrors"],
  "bad-source": ["InErrors"],
  "no-port": ["NoPorts"],
  "no-member": ["IgnoredMulti"],
  "receive-buffer-full": ["InErrors", "RcvbufErrors"],
};
