// ICMP errors (RFC 792): which of them may be sent (RFC 1122 §3.2.2), and what a received one means to the transport.
import { isLoopback, isMulticast, isReservedIpv4, type PacketBuffer } from "@netstrata/core";
import type { LinkCast } from "@netstrata/link";
import type { IcmpDropReason } from "./icmp-counters.ts";
import {
  ICMP_DESTINATION_UNREACHABLE,
  ICMP_PARAMETER_PROBLEM,
  ICMP_TIME_EXCEEDED,
  type IcmpHeader,
  isIcmpError,
  TIME_EXCEEDED_IN_REASSEMBLY,
} from "./icmp-message.ts";
import { PROTOCOL_ICMP } from "./ip-protocol.ts";
import type { IcmpErrorKind } from "./ip-service.ts";
import type { Ipv4Header } from "./ipv4-header.ts";
import type { LocalAddresses } from "./local-addresses.ts";

/**
 * Why no error may be sent about this datagram; undefined when one may.
 * @param datagram its window starts at the IP header
 * @param cast how the frame was addressed
 */
export function reasonForSilence(
  datagram: PacketBuffer,
  header: Ipv4Header,
  cast: LinkCast,
  addresses: LocalAddresses,
): IcmpDropReason | undefined {
  const { source, destination } = header;
  if (header.protocol === PROTOCOL_ICMP && mayBeIcmpError(datagram, header)) return "error-about-error";
  if (cast !== "unicast" || isMulticast(destination) || addresses.isBroadcast(destination)) return "error-about-broadcast";
  if (header.fragmentOffset !== 0) return "error-about-fragment";
  // "A datagram whose source address does not define a single host": network 0, broadcast, multicast or Class E. A loopback
  // address defines one host only among the datagrams that never left this one.
  if (source >>> 24 === 0 || isMulticast(source) || isReservedIpv4(source) || addresses.isBroadcast(source)) return "error-to-no-host";
  if (isLoopback(source) && !addresses.isLocal(source)) return "error-to-no-host";
  return undefined;
}

/** True also when the type is out of sight or unknown, as the error of a later day might be. */
function mayBeIcmpError(datagram: PacketBuffer, header: Ipv4Header): boolean {
  if (header.fragmentOffset !== 0 || datagram.length <= header.headerLength) return true;
  const type = datagram.u8(header.headerLength);
  return isIcmpError(type) || type > LARGEST_QUERY_TYPE;
}

/** Address Mask Reply (RFC 950). */
const LARGEST_QUERY_TYPE = 18;

/** By code; RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1. */
const UNREACHABLE_KINDS: readonly IcmpErrorKind[] = [
  "network-unreachable",
  "host-unreachable",
  "protocol-unreachable",
  "port-unreachable",
  "packet-too-big",
  "source-route-failed",
  "network-unreachable", // 6: network unknown
  "host-unreachable", // 7: host unknown
  "host-unreachable", // 8: source host isolated
  "prohibited", // 9: network prohibited
  "prohibited", // 10: host prohibited
  "network-unreachable", // 11: for this type of service
  "host-unreachable", // 12: for this type of service
  "prohibited", // 13
  "prohibited", // 14: precedence violation
  "prohibited", // 15: precedence cutoff
];

/** What an error says; undefined when its code is none that is known, or when it is no error. */
export function icmpErrorKind(message: IcmpHeader): IcmpErrorKind | undefined {
  switch (message.type) {
    case ICMP_DESTINATION_UNREACHABLE:
      return UNREACHABLE_KINDS[message.code];
    case ICMP_TIME_EXCEEDED:
      return message.code <= TIME_EXCEEDED_IN_REASSEMBLY ? "time-exceeded" : undefined;
    case ICMP_PARAMETER_PROBLEM:
      return "parameter-problem";
    default:
      return undefined;
  }
}

/** MTUs that links really have, largest first (RFC 1191 §7, Table 7-1). */
const PLATEAUS: readonly number[] = [65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68];

/** The next-hop MTU that a "fragmentation needed" reports, or a guess from the size of what it quotes (RFC 1191 §5). */
export function reportedMtu(message: IcmpHeader, quoted: Ipv4Header): number {
  const mtu = message.rest & 0xffff;
  if (mtu !== 0) return mtu;
  return PLATEAUS.find((plateau) => plateau < quoted.totalLength) ?? 68;
}
