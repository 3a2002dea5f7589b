// What IPv6 counts, under the names of Linux's `/proc/net/snmp6` without their "Ip6" (RFC 4293), and why it drops.
import { type Counters, createCounters, type Host } from "@netstrata/core";
import { DropCounters } from "./drop-counters.ts";

const IPV6_COUNTERS = [
  "InReceives",
  "InNoECTPkts",
  "InECT1Pkts",
  "InECT0Pkts",
  "InCEPkts",
  "InHdrErrors",
  "InTooBigErrors",
  "InNoRoutes",
  "InAddrErrors",
  "InUnknownProtos",
  "InTruncatedPkts",
  "InDiscards",
  "InDelivers",
  "OutForwDatagrams",
  "OutRequests",
  "OutDiscards",
  "OutNoRoutes",
  "ReasmTimeout",
  "ReasmReqds",
  "ReasmOKs",
  "ReasmFails",
  "FragOKs",
  "FragFails",
  "FragCreates",
] as const;

export type Ipv6Counter = (typeof IPV6_COUNTERS)[number];
export type Ipv6Counters = Counters<Ipv6Counter>;

export function createIpv6Counters(): Ipv6Counters {
  return createCounters(IPV6_COUNTERS);
}

const IPV6_DROPS = {
  // The header.
  truncated: ["InHdrErrors", "RFC 8200 §3"],
  "bad-version": ["InHdrErrors", "RFC 8200 §3"],
  "bad-payload-length": ["InTruncatedPkts", "RFC 8200 §3"],
  // The addresses.
  "martian-source": ["InAddrErrors", "RFC 4291 §2.5"],
  "martian-destination": ["InAddrErrors", "RFC 4291 §2.5.3"],
  "mapped-address": ["InAddrErrors", "RFC 4291 §2.5.5.2"],
  "bad-multicast-scope": ["InAddrErrors", "RFC 4291 §2.7"],
  "not-for-us": ["InAddrErrors", "RFC 8200 §3"],
  "not-a-group-of-ours": ["InAddrErrors", "RFC 4291 §2.8"],
  // Extension headers and their options.
  "bad-extension-header": ["InHdrErrors", "RFC 8200 §4"],
  "too-many-extension-headers": ["InHdrErrors", "RFC 8504 §5.3"],
  "too-many-extension-octets": ["InHdrErrors", "RFC 8504 §5.3"],
  "too-many-options": ["InHdrErrors", "RFC 8504 §5.3"],
  "too-much-padding": ["InHdrErrors", "RFC 8504 §5.3"],
  "bad-option": ["InHdrErrors", "RFC 8200 §4.2"],
  "unknown-option": ["InHdrErrors", "RFC 8200 §4.2"],
  "misplaced-hop-by-hop": ["InHdrErrors", "RFC 8200 §4"],
  "unknown-routing-type": ["InHdrErrors", "RFC 8200 §4.4"],
  "no-next-header": ["InDiscards", "RFC 8200 §4.7"],
  // Forwarding.
  "beyond-scope": ["InAddrErrors", "RFC 4291 §2.5.6"],
  "hop-limit-exceeded": ["InHdrErrors", "RFC 8200 §3"],
  "no-route": ["InNoRoutes", "RFC 4443 §3.1"],
  "packet-too-big": ["InTooBigErrors", "RFC 4443 §3.2"],
  "no-neighbour": ["OutDiscards", "RFC 4861 §7.2.2"],
  // Fragments.
  "empty-fragment": ["ReasmFails", "RFC 8200 §4.5"],
  "unaligned-fragment": ["ReasmFails", "RFC 8200 §4.5"],
  "oversize-datagram": ["ReasmFails", "RFC 8200 §4.5"],
  "incomplete-header-chain": ["ReasmFails", "RFC 7112 §5"],
  "nested-fragment": ["ReasmFails", "RFC 8200 §4.1"],
  "duplicate-fragment": ["ReasmFails", "RFC 8200 §4.5"],
  "overlapping-fragment": ["ReasmFails", "RFC 5722 §4"],
  "conflicting-fragment": ["ReasmFails", "RFC 5722 §4"],
  "fragment-of-rejected": ["ReasmFails", "RFC 5722 §4"],
  "too-many-fragments": ["ReasmFails", "RFC 8200 §4.5"],
  "mixed-ecn": ["ReasmFails", "RFC 3168 §5.3"],
  "reassembly-evicted": ["ReasmFails", "RFC 8200 §4.5"],
  "reassembly-timeout": ["ReasmFails", "RFC 8200 §4.5"],
  // The gateway: filter, reverse-path check.
  filtered: ["InDiscards", "RFC 4443 §3.1"],
  "filtered-output": ["OutDiscards", "RFC 4443 §3.1"],
  "reverse-path": ["InAddrErrors", "RFC 3704 §2.2"],
  untranslatable: ["InDiscards", "RFC 3022 §2"],
  "no-free-port": ["OutDiscards", "RFC 5508 §6"],
  "tracking-full": ["OutDiscards", "RFC 4443 §3.1"],
  "fragment-without-first": ["InDiscards", "RFC 7112 §5"],
  // Delivery.
  "unknown-protocol": ["InUnknownProtos", "RFC 4443 §3.4"],
  // Sending.
  "no-route-to-send": ["OutNoRoutes", "RFC 4861 §5.2"],
  "foreign-source": ["OutDiscards", "RFC 6724 §4"],
  "message-too-long": ["FragFails", "RFC 8200 §5"],
} as const;

export type Ipv6DropReason = keyof typeof IPV6_DROPS;
export type Ipv6Drops = DropCounters<Ipv6DropReason, Ipv6Counter>;

export function createIpv6Drops(host: Host, counters: Ipv6Counters): Ipv6Drops {
  return new DropCounters<Ipv6DropReason, Ipv6Counter>(host, "ipv6", IPV6_DROPS, counters);
}
