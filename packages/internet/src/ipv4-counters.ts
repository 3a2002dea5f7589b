// What IPv4 counts, under the names of Linux's `/proc/net/snmp` (RFC 1213 §6 "ip"), and why it drops.
import { type Counters, createCounters, type Host } from "@netstrata/core";
import { DropCounters } from "./drop-counters.ts";

const IPV4_COUNTERS = [
  "InReceives",
  "InNoECTPkts",
  "InECT1Pkts",
  "InECT0Pkts",
  "InCEPkts",
  "InHdrErrors",
  "InAddrErrors",
  "ForwDatagrams",
  "InUnknownProtos",
  "InDiscards",
  "InDelivers",
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

export type Ipv4Counter = (typeof IPV4_COUNTERS)[number];
export type Ipv4Counters = Counters<Ipv4Counter>;

export function createIpv4Counters(): Ipv4Counters {
  return createCounters(IPV4_COUNTERS);
}

const IPV4_DROPS = {
  // The header, RFC 1812 §5.2.2.
  truncated: ["InHdrErrors", "RFC 1812 §5.2.2 (1)"],
  "bad-checksum": ["InHdrErrors", "RFC 1122 §3.2.1.2"],
  "bad-version": ["InHdrErrors", "RFC 1122 §3.2.1.1"],
  "bad-header-length": ["InHdrErrors", "RFC 1812 §5.2.2 (4)"],
  "bad-total-length": ["InHdrErrors", "RFC 1812 §5.2.2 (5)"],
  "bad-option": ["InHdrErrors", "RFC 1122 §3.2.2.5"],
  // The addresses.
  "martian-source": ["InAddrErrors", "RFC 1122 §3.2.1.3"],
  "martian-destination": ["InAddrErrors", "RFC 1812 §5.3.7"],
  "link-local": ["InAddrErrors", "RFC 3927 §7"],
  "martian-hop": ["InAddrErrors", "RFC 1122 §3.2.1.3"],
  "unicast-in-link-broadcast": ["InAddrErrors", "RFC 1122 §3.3.6"],
  "not-for-us": ["InAddrErrors", "RFC 1122 §3.2.1.3"],
  "not-a-group-of-ours": ["InAddrErrors", "RFC 1122 §3.2.1.3 (3)"],
  // Forwarding.
  "source-route-refused": ["InAddrErrors", "RFC 1122 §3.3.5"],
  "time-exceeded": ["InHdrErrors", "RFC 1812 §5.3.1"],
  "no-route": ["OutNoRoutes", "RFC 1812 §5.2.7.1"],
  "oversize-fragment": ["InHdrErrors", "RFC 791 §3.1"],
  "fragmentation-needed": ["FragFails", "RFC 1191 §4"],
  "no-neighbour": ["OutDiscards", "RFC 1122 §3.2.2.1"],
  // Fragments.
  "empty-fragment": ["ReasmFails", "RFC 791 §3.2"],
  "unaligned-fragment": ["ReasmFails", "RFC 791 §3.2"],
  "tiny-fragment": ["ReasmFails", "RFC 1858 §3.2.2"],
  "oversize-datagram": ["ReasmFails", "RFC 791 §3.1"],
  "overlapping-fragment": ["ReasmFails", "RFC 5722 §4"],
  "conflicting-fragment": ["ReasmFails", "RFC 5722 §4"],
  "duplicate-fragment": ["InDiscards", "RFC 791 §3.2"],
  "fragment-of-rejected": ["InDiscards", "RFC 5722 §4"],
  "too-many-fragments": ["ReasmFails", "RFC 1122 §3.3.2"],
  "mixed-ecn": ["ReasmFails", "RFC 3168 §5.3"],
  "reassembly-evicted": ["ReasmFails", "RFC 1122 §3.3.2"],
  "reassembly-timeout": ["ReasmFails", "RFC 1122 §3.3.2"],
  // The gateway: filter, translation, reverse-path check.
  filtered: ["InDiscards", "RFC 1812 §5.3.9"],
  "filtered-output": ["OutDiscards", "RFC 1812 §5.3.9"],
  "reverse-path": ["InAddrErrors", "RFC 3704 §2.2"],
  untranslatable: ["InDiscards", "RFC 3022 §2"],
  "no-free-port": ["OutDiscards", "RFC 5508 §6"],
  "tracking-full": ["OutDiscards", "RFC 5508 §6"],
  // Delivery.
  "unknown-protocol": ["InUnknownProtos", "RFC 1122 §3.2.2.1"],
  // Sending.
  "no-route-to-send": ["OutNoRoutes", "RFC 1122 §3.3.1.1"],
  "foreign-source": ["OutDiscards", "RFC 1122 §3.2.1.3"],
  "message-too-long": ["FragFails", "RFC 1122 §3.3.3"],
} as const;

export type Ipv4DropReason = keyof typeof IPV4_DROPS;
export type Ipv4Drops = DropCounters<Ipv4DropReason, Ipv4Counter>;

export function createIpv4Drops(host: Host, counters: Ipv4Counters): Ipv4Drops {
  return new DropCounters<Ipv4DropReason, Ipv4Counter>(host, "ipv4", IPV4_DROPS, counters);
}
