// Forwarding (RFC 1812 §5.2, §5.3): other hosts' datagrams on their way through this one, when it is a router.
import {
  foldChecksum,
  type IpAddress,
  isIpv4,
  isLoopback,
  isReservedIpv4,
  type PacketBuffer,
  sumBytes,
  updateChecksum,
} from "@netstrata/core";
import type { LinkCast } from "@netstrata/link";
import type { DestinationCache } from "./destination-cache.ts";
import type { Icmp } from "./icmp.ts";
import {
  ICMP_DESTINATION_UNREACHABLE,
  ICMP_TIME_EXCEEDED,
  type IcmpHeader,
  TIME_EXCEEDED_IN_TRANSIT,
  UNREACHABLE_FRAGMENTATION_NEEDED,
  UNREACHABLE_NETWORK,
} from "./icmp-message.ts";
import type { Ipv4Counters, Ipv4DropReason, Ipv4Drops } from "./ipv4-counters.ts";
import { IPV4_HEADER_LENGTH, type Ipv4Header } from "./ipv4-header.ts";
import { recordRoute } from "./ipv4-options.ts";
import { sendToLink } from "./link-output.ts";

const NETWORK_UNREACHABLE: IcmpHeader = { type: ICMP_DESTINATION_UNREACHABLE, code: UNREACHABLE_NETWORK, rest: 0 };
const TIME_EXCEEDED: IcmpHeader = { type: ICMP_TIME_EXCEEDED, code: TIME_EXCEEDED_IN_TRANSIT, rest: 0 };

export class Forwarding {
  /** The switch of RFC 1122 §3.1: off until somebody who knows turns it on, however many interfaces there are. */
  enabled = false;
  /** The switch of RFC 1812 §5.3.5.2; off, as RFC 2644 has changed it, because such broadcasts amplify attacks. */
  directedBroadcasts = false;
  private readonly counters: Ipv4Counters;
  private readonly drops: Ipv4Drops;
  private readonly destinations: DestinationCache;
  private readonly icmp: Icmp;

  constructor(counters: Ipv4Counters, drops: Ipv4Drops, destinations: DestinationCache, icmp: Icmp) {
    this.counters = counters;
    this.drops = drops;
    this.destinations = destinations;
    this.icmp = icmp;
  }

  /**
   * Sends a datagram on to its next hop.
   * @param datagram its window is the payload; it is lent, so what goes on is a copy. Afterwards it starts at the IP header
   */
  forward(datagram: PacketBuffer, header: Ipv4Header, cast: LinkCast): void {
    datagram.rewind(header.headerLength);
    // RFC 1812 §5.3.7. What is for many has been dealt with: it is delivered, or nobody's here.
    const { destination } = header;
    if (destination >>> 24 === 0 || isLoopback(destination) || isReservedIpv4(destination)) {
      this.drops.count("martian-destination", datagram);
      return;
    }
    const next = this.destinations.lookup(destination);
    if (next === undefined) {
      this.refuse("no-route", datagram, header, cast, NETWORK_UNREACHABLE);
      return;
    }
    // RFC 1812 §5.3.1: the TTL matters only once it is decided that the datagram is to go on.
    if (header.timeToLive <= 1) {
      this.refuse("time-exceeded", datagram, header, cast, TIME_EXCEEDED);
      return;
    }
    const link = next.interface;
    const onward = datagram.copy(link.headroom);
    decrementTimeToLive(onward);
    if (header.headerLength > IPV4_HEADER_LENGTH) recordOurselves(onward, header.headerLength, next.source);
    if (sendToLink(onward, next, link.mtu, this.counters)) {
      this.counters.ForwDatagrams += 1;
      return;
    }
    // RFC 1191 §4: the message carries the MTU that was too small.
    const message = { type: ICMP_DESTINATION_UNREACHABLE, code: UNREACHABLE_FRAGMENTATION_NEEDED, rest: link.mtu };
    this.refuse("fragmentation-needed", datagram, header, cast, message);
  }

  private refuse(reason: Ipv4DropReason, datagram: PacketBuffer, header: Ipv4Header, cast: LinkCast, message: IcmpHeader): void {
    this.drops.count(reason, datagram);
    this.icmp.sendError(datagram, header, cast, message);
  }
}

/** RFC 1812 §5.3.1, with the checksum updated by the difference (RFC 1624): a router must not hide damage by summing anew. */
function decrementTimeToLive(datagram: PacketBuffer): void {
  const before = datagram.u16(8);
  const after = before - 0x100;
  datagram.setU16(8, after);
  datagram.setU16(10, updateChecksum(datagram.u16(10), before, after));
}

/** RFC 1812 §4.2.2.2: what a router writes into options is the address of the interface the datagram leaves by. */
function recordOurselves(datagram: PacketBuffer, headerLength: number, own: IpAddress | undefined): void {
  const options = datagram.view(IPV4_HEADER_LENGTH, headerLength - IPV4_HEADER_LENGTH);
  if (own === undefined || !isIpv4(own) || !recordRoute(options, own)) return;
  datagram.setU16(10, 0);
  datagram.setU16(10, foldChecksum(sumBytes(datagram.bytes, datagram.start, datagram.start + headerLength)));
}
