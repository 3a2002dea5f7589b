// Which message of ICMPv6 goes to which part of neighbour discovery, on the interface it came in by (RFC 4861 §4, RFC 3810 §5.1).
import type { NetworkInterface } from "@netstrata/link";
import type { Icmpv6, Icmpv6Listener } from "../icmpv6.ts";
import {
  ICMPV6_LISTENER_QUERY,
  ICMPV6_NEIGHBOUR_ADVERTISEMENT,
  ICMPV6_NEIGHBOUR_SOLICITATION,
  ICMPV6_ROUTER_ADVERTISEMENT,
  ICMPV6_ROUTER_SOLICITATION,
} from "../icmpv6-message.ts";
import type { DiscoveryDrop, NeighbourDiscovery } from "./neighbour-discovery.ts";

type Receive = (discovery: NeighbourDiscovery, ...message: Parameters<Icmpv6Listener>) => DiscoveryDrop | undefined;

const RECEIVERS: readonly (readonly [type: number, receive: Receive])[] = [
  [ICMPV6_NEIGHBOUR_SOLICITATION, (discovery, packet, message, header) => discovery.receiveSolicitation(packet, message, header)],
  [ICMPV6_NEIGHBOUR_ADVERTISEMENT, (discovery, packet, message, header) => discovery.receiveAdvertisement(packet, message, header)],
  [ICMPV6_ROUTER_SOLICITATION, (discovery, packet, message, header) => discovery.receiveRouterSolicitation(packet, message, header)],
  [ICMPV6_ROUTER_ADVERTISEMENT, (discovery, packet, message, header) => discovery.receiveRouterAdvertisement(packet, message, header)],
];

/** @param discoveryOn undefined for an interface on which there is nothing to discover */
export function listenForDiscovery(
  icmp: Icmpv6,
  discoveryOn: (networkInterface: NetworkInterface) => NeighbourDiscovery | undefined,
): void {
  for (const [type, receive] of RECEIVERS) {
    icmp.listen(type, (packet, message, header, arrival) => {
      const discovery = discoveryOn(arrival.interface);
      if (discovery === undefined) {
        icmp.drops.count("unknown-type", packet);
        return "dropped";
      }
      const reason = receive(discovery, packet, message, header, arrival);
      if (reason === undefined) return "delivered";
      discovery.drops.count(reason, packet);
      return "dropped";
    });
  }
  icmp.listen(ICMPV6_LISTENER_QUERY, (packet, message, header, arrival) => {
    discoveryOn(arrival.interface)?.queried(packet, message, header);
    return "delivered";
  });
}
