// Link types in words, also of those that we can name but not dissect (www.tcpdump.org/linktypes.html).
import {
  LINKTYPE_ETHERNET,
  LINKTYPE_IPV4,
  LINKTYPE_IPV6,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_LINUX_SLL2,
  LINKTYPE_LOOP,
  LINKTYPE_NULL,
  LINKTYPE_RAW,
} from "@netstrata/link";

const NAMES: ReadonlyMap<number, string> = new Map([
  [LINKTYPE_NULL, "BSD loopback"],
  [LINKTYPE_ETHERNET, "Ethernet"],
  [6, "Token Ring"],
  [7, "ARCNET"],
  [8, "SLIP"],
  [9, "PPP"],
  [10, "FDDI"],
  [12, "raw IP"],
  [14, "raw IP"],
  [50, "PPP in HDLC framing"],
  [51, "PPPoE"],
  [100, "LLC-encapsulated ATM"],
  [LINKTYPE_RAW, "raw IP"],
  [104, "Cisco HDLC"],
  [105, "IEEE 802.11"],
  [107, "Frame Relay"],
  [LINKTYPE_LOOP, "OpenBSD loopback"],
  [LINKTYPE_LINUX_SLL, "Linux cooked v1"],
  [117, "pflog"],
  [127, "IEEE 802.11 with radiotap"],
  [129, "ARCNET, Linux"],
  [195, "IEEE 802.15.4"],
  [LINKTYPE_IPV4, "raw IPv4"],
  [LINKTYPE_IPV6, "raw IPv6"],
  [LINKTYPE_LINUX_SLL2, "Linux cooked v2"],
]);

/** `Ethernet`, or `link type 250` for one without a name here. */
export function linkTypeName(linkType: number): string {
  return NAMES.get(linkType) ?? `link type ${linkType}`;
}
