// What ICMPv6 counts, under the names of Linux's `/proc/net/snmp6` without their "Icmp6" (RFC 2466), and why it drops.
import { type Counters, createCounters, type Host } from "@netstrata/core";
import { DropCounters } from "./drop-counters.ts";

/** How the counters spell each type: `InEchos`, `OutEchoReplies`, … */
const TYPE_NAMES = {
  1: "DestUnreachs",
  2: "PktTooBigs",
  3: "TimeExcds",
  4: "ParmProblems",
  128: "Echos",
  129: "EchoReplies",
  130: "GroupMembQueries",
  131: "GroupMembResponses",
  132: "GroupMembReductions",
  133: "RouterSolicits",
  134: "RouterAdvertisements",
  135: "NeighborSolicits",
  136: "NeighborAdvertisements",
  137: "Redirects",
  143: "MLDv2Reports",
} as const;

type TypeName = (typeof TYPE_NAMES)[keyof typeof TYPE_NAMES];

export type Icmpv6Counter =
  | `${"In" | "Out"}${TypeName}`
  | "InMsgs"
  | "InErrors"
  | "InCsumErrors"
  | "OutMsgs"
  | "OutErrors"
  /** An error that was not sent because too many were. */
  | "OutRateLimitHost"
  /** A message that is ignored by rule and is no error of anybody. */
  | "InIgnored";

export type Icmpv6Counters = Counters<Icmpv6Counter>;

export function createIcmpv6Counters(): Icmpv6Counters {
  const types = Object.values(TYPE_NAMES);
  return createCounters<Icmpv6Counter>([
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
export function countIcmpv6Type(counters: Icmpv6Counters, direction: "In" | "Out", type: number): void {
  const name: TypeName | undefined = TYPE_NAMES[type as keyof typeof TYPE_NAMES];
  if (name !== undefined) counters[`${direction}${name}`] += 1;
}

const ICMPV6_DROPS = {
  truncated: ["InErrors", "RFC 4443 §2.1"],
  "bad-checksum": ["InCsumErrors", "RFC 4443 §2.3"],
  "unknown-type": ["InIgnored", "RFC 4443 §2.4 (b)"],
  "error-to-group": ["InErrors", "RFC 4443 §2.4 (e)"],
  "echo-from-no-host": ["InErrors", "RFC 4443 §4.2"],
  "echo-reply-unasked": ["InIgnored", "RFC 4443 §4.2"],
  "error-unasked": ["InIgnored", "RFC 4443 §2.4 (d)"],
  "bad-quotation": ["InErrors", "RFC 4443 §2.4 (d)"],
  "quotation-not-ours": ["InErrors", "RFC 5927 §4"],
  "quotation-of-unknown-protocol": ["InErrors", "RFC 4443 §2.4 (d)"],
  "mtu-too-small": ["InErrors", "RFC 8201 §4"],
  // Errors that were not sent.
  "error-about-error": ["OutErrors", "RFC 4443 §2.4 (e.1)"],
  "error-about-group": ["OutErrors", "RFC 4443 §2.4 (e.3)"],
  "error-to-no-host": ["OutErrors", "RFC 4443 §2.4 (e.6)"],
  "rate-limited": ["OutRateLimitHost", "RFC 4443 §2.4 (f)"],
} as const;

export type Icmpv6DropReason = keyof typeof ICMPV6_DROPS;
export type Icmpv6Drops = DropCounters<Icmpv6DropReason, Icmpv6Counter>;

export function createIcmpv6Drops(host: Host, counters: Icmpv6Counters): Icmpv6Drops {
  return new DropCounters<Icmpv6DropReason, Icmpv6Counter>(host, "icmpv6", ICMPV6_DROPS, counters);
}
