// Protocol numbers in the Protocol and Next Header fields (IANA registry).

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_IGMP = 2;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_IPV6_HOP_BY_HOP = 0;
export const PROTOCOL_IPV6_ROUTING = 43;
export const PROTOCOL_IPV6_FRAGMENT = 44;
export const PROTOCOL_ICMPV6 = 58;
export const PROTOCOL_IPV6_NO_NEXT = 59;
export const PROTOCOL_IPV6_DESTINATION = 60;
export const PROTOCOL_EIGRP = 88;
export const PROTOCOL_OSPF = 89;
