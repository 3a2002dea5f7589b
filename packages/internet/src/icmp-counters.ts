// What ICMP counts, under the names of Linux's `/proc/net/snmp` (RFC 1213 §6 "icmp"), and why it drops.
import { type Counters, createCounters, type Host } from "@netstrata/core";
import { DropCounters } from "./drop-counters.ts";

/** How the counters spell each type: `InEchos`, `OutEchoReps`, … */
const TYPE_NAMES = {
  0: "EchoReps",
  3: "DestUnreachs",
  4: "SrcQuenchs",
  5: "Redirects",
  8: "Echos",
  11: "TimeExcds",
  12: "ParmProbs",
  13: "Timestamps",
  14: "TimestampReps",
} as const;

type TypeName = (typeof TYPE_NAMES)[keyof typeof TYPE_NAMES];

export type IcmpCounter =
  | `${"In" | "Out"}${TypeName}`
  | "InMsgs"
  | "InErrors"
  | "InCsumErrors"
  | "OutMsgs"
  | "OutErrors"
  /** An error that was not sent because too many were (Linux: `OutRateLimitHost`). */
  | "OutRateLimitHost"
  /** A message that is ignored by rule and is no error of anybody. */
  | "InIgnored";

export type IcmpCounters = Counters<IcmpCounter>;

export function createIcmpCounters(): IcmpCounters {
  const types = Object.values(TYPE_NAMES);
  return createCounters<IcmpCounter>([
    "InMsgs",
    "InErrors",
    "InCsumErrors",
    "InIgnored",
    "OutMsgs",
    "OutErrors",
    "OutRateLimitHost",
    ...types.map((name) => `In${name}` as const),
    ...types.map((name) => `Out${name}` as const),
  ]);
}

/** Counts a message under its type; types without a name are counted nowhere but in `InMsgs` and `OutMsgs`. */
export function countIcmpType(counters: IcmpCounters, direction: "In" | "Out", type: number): void {
  const name: TypeName | undefined = TYPE_NAMES[type as keyof typeof TYPE_NAMES];
  if (name !== undefined) counters[`${direction}${name}`] += 1;
}

const ICMP_DROPS = {
  truncated: ["InErrors", "RFC 792"],
  "bad-checksum": ["InCsumErrors", "RFC 792"],
  "unknown-type": ["InIgnored", "RFC 1122 §3.2.2"],
  "unknown-code": ["InErrors", "RFC 1122 §3.2.2.1"],
  "error-to-broadcast": ["InErrors", "RFC 1122 §3.2.2"],
  "redirect-ignored": ["InIgnored", "RFC 1812 §5.2.7.2"],
  "source-quench-ignored": ["InIgnored", "RFC 6633 §3"],
  "echo-to-broadcast": ["InIgnored", "RFC 1122 §3.2.2.6"],
  "echo-reply-unasked": ["InIgnored", "RFC 1122 §3.2.2.6"],
  "error-unasked": ["InIgnored", "RFC 1122 §3.2.2.6"],
  "bad-quotation": ["InErrors", "RFC 1122 §3.2.2"],
  "quotation-not-ours": ["InErrors", "RFC 5927 §4"],
  "quotation-of-unknown-protocol": ["InErrors", "RFC 1122 §3.2.2"],
  // Errors that were not sent.
  "error-about-error": ["OutErrors", "RFC 1122 §3.2.2"],
  "error-about-broadcast": ["OutErrors", "RFC 1122 §3.2.2"],
  "error-about-fragment": ["OutErrors", "RFC 1122 §3.2.2"],
  "error-to-no-host": ["OutErrors", "RFC 1122 §3.2.2"],
  "rate-limited": ["OutRateLimitHost", "RFC 1812 §4.3.2.8"],
} as const;

export type IcmpDropReason = keyof typeof ICMP_DROPS;
export type IcmpDrops = DropCounters<IcmpDropReason, IcmpCounter>;

export function createIcmpDrops(host: Host, counters: IcmpCounters): IcmpDrops {
  return new DropCounters<IcmpDropReason, IcmpCounter>(host, "icmp", ICMP_DROPS, counters);
}
