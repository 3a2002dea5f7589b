// ICMPv6 errors (RFC 4443): which of them may be sent (§2.4 e), and what a received one means to the transport.
import { isLoopback, isMulticast, isUnspecified, type PacketBuffer } from "@netstrata/core";
import type { LinkCast } from "@netstrata/link";
import type { IcmpHeader } from "./icmp-message.ts";
import type { Icmpv6DropReason } from "./icmpv6-counters.ts";
import {
  ICMPV6_DESTINATION_UNREACHABLE,
  ICMPV6_PACKET_TOO_BIG,
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_REDIRECT,
  ICMPV6_TIME_EXCEEDED,
  isIcmpv6Error,
} from "./icmpv6-message.ts";
import { PROTOCOL_ICMPV6 } from "./ip-protocol.ts";
import type { IcmpErrorKind } from "./ip-service.ts";
import { type Ipv6Header, readUncheckedIpv6Header } from "./ipv6-header.ts";
import type { LocalAddresses } from "./local-addresses.ts";

/**
 * Why no error may be sent about this datagram; undefined when one may.
 * @param datagram its window starts at the IPv6 header
 * @param cast how the frame was addressed
 * @param evenForGroups the error is one of the two that may be about a datagram to a group (§2.4 e.3): path MTU discovery works
 *   for groups, and an unknown option can ask for it
 */
export function reasonForSilenceV6(
  datagram: PacketBuffer,
  header: Ipv6Header,
  cast: LinkCast,
  evenForGroups: boolean,
  addresses: LocalAddresses,
): Icmpv6DropReason | undefined {
  if (mayBeIcmpv6Error(datagram)) return "error-about-error";
  if (!evenForGroups && (cast !== "unicast" || isMulticast(header.destination))) return "error-about-group";
  const { source } = header;
  if (isUnspecified(source) || isMulticast(source)) return "error-to-no-host";
  if (isLoopback(source) && !addresses.isLocal(source)) return "error-to-no-host";
  return undefined;
}

/** True also when the type is out of sight, as in a fragment that is not the first. */
function mayBeIcmpv6Error(datagram: PacketBuffer): boolean {
  const header = readUncheckedIpv6Header(datagram);
  // A chain that cannot be followed to its end hides what it carries, but nothing of ours ever sends an error in such a one.
  if (typeof header === "string" || header.protocol !== PROTOCOL_ICMPV6) return false;
  if ((header.fragment?.offset ?? 0) > 0 || datagram.length <= header.headerLength) return true;
  const type = datagram.u8(header.headerLength);
  return isIcmpv6Error(type) || type === ICMPV6_REDIRECT;
}

/** By code; RFC 4443 §3.1, and code 7 of RFC 6550 §20.18. */
const UNREACHABLE_KINDS: readonly IcmpErrorKind[] = [
  "network-unreachable",
  "prohibited",
  "host-unreachable", // 2: beyond the scope of the source address
  "host-unreachable",
  "port-unreachable",
  "prohibited", // 5: source address failed ingress or egress policy
  "prohibited", // 6: reject route
  "source-route-failed",
];

/** What an error says. RFC 4443 §2.4 (a): one of unknown type is for the transport, too, which hears of it as "unknown". */
export function icmpv6ErrorKind(message: IcmpHeader): IcmpErrorKind {
  switch (message.type) {
    case ICMPV6_DESTINATION_UNREACHABLE:
      return UNREACHABLE_KINDS[message.code] ?? "network-unreachable";
    case ICMPV6_PACKET_TOO_BIG:
      return "packet-too-big";
    case ICMPV6_TIME_EXCEEDED:
      return "time-exceeded";
    case ICMPV6_PARAMETER_PROBLEM:
      // An unknown Next Header is what IPv4 calls a protocol that is not there (RFC 4443 §3.4).
      return message.code === 1 ? "protocol-unreachable" : "parameter-problem";
    default:
      return "unknown";
  }
}
