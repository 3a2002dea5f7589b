// Names for what an IP header carries (IANA's protocol numbers), for people.

const NAMES: ReadonlyMap<number, string> = new Map([
  [1, "icmp"],
  [2, "igmp"],
  [4, "ipip"],
  [6, "tcp"],
  [17, "udp"],
  [33, "dccp"],
  [41, "ipv6"],
  [46, "rsvp"],
  [47, "gre"],
  [50, "esp"],
  [51, "ah"],
  [58, "icmp6"],
  [88, "eigrp"],
  [89, "ospf"],
  [103, "pim"],
  [108, "ipcomp"],
  [112, "vrrp"],
  [115, "l2tp"],
  [132, "sctp"],
]);

/** `udp`, or `ip-proto-253` for one without a name here. */
export function ipProtocolName(protocol: number): string {
  return NAMES.get(protocol) ?? `ip-proto-${protocol}`;
}
