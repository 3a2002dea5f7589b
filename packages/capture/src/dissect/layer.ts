// The layers of a dissected packet, as a union that `protocol` tells apart.
import type { IpAddress, Ipv4Address, Ipv6Address, MacAddress, SequenceNumber } from "@netstrata/core";
import type { CookedPacketType } from "@netstrata/link";
import type { PartialHeader } from "./partial-header.ts";

/**
 * What a checksum is worth: "unverified" when not everything that it covers was captured, or nobody asked for it to be
 * verified; "absent" where the sender made none (UDP over IPv4).
 */
export type ChecksumVerdict = "good" | "bad" | "unverified" | "absent";

interface LayerBase {
  /** Where the layer's header begins in the captured octets. */
  readonly offset: number;
  /** Octets of the header with its options; what follows it is the next layer, or data. */
  readonly headerLength: number;
}

export interface EthernetLayer extends LayerBase {
  readonly protocol: "eth";
  readonly destination: MacAddress;
  readonly source: MacAddress;
  /** The EtherType, or a length when it is at most 1500 (IEEE 802.3 §3.2.6). */
  readonly etherType: number;
}

export interface VlanLayer extends LayerBase {
  readonly protocol: "vlan";
  readonly id: number;
  readonly priority: number;
  readonly dropEligible: boolean;
  readonly etherType: number;
}

/** IEEE 802.2, with the EtherType that a SNAP header announces (RFC 1042). */
export interface LlcLayer extends LayerBase {
  readonly protocol: "llc";
  readonly destinationServiceAccessPoint: number;
  readonly sourceServiceAccessPoint: number;
  readonly control: number;
  readonly etherType?: number;
}

/** BSD loopback: an address family instead of a link header. */
export interface NullLayer extends LayerBase {
  readonly protocol: "null";
  readonly family: number;
}

/** Linux "cooked" captures, versions 1 and 2. */
export interface CookedLayer extends LayerBase {
  readonly protocol: "sll";
  readonly packetType: CookedPacketType;
  readonly hardwareType: number;
  /** At most 8 octets, in hexadecimal with colons; may be empty. */
  readonly linkAddress: string;
  readonly etherType: number;
}

export interface ArpLayer extends LayerBase {
  readonly protocol: "arp";
  readonly operation: number;
  readonly senderHardware: MacAddress;
  readonly senderProtocol: Ipv4Address;
  readonly targetHardware: MacAddress;
  readonly targetProtocol: Ipv4Address;
}

/** An option of an IPv4 or TCP header, in the order of the header. */
export interface HeaderOption {
  readonly kind: number;
  readonly name: string;
  /** Octets with kind and length, as the option says. */
  readonly length: number;
  /** MSS in octets, or the shift count of a window scale, or the octets of others in hexadecimal. */
  readonly value?: number | string;
  /** TCP timestamps (RFC 7323 §3.2). */
  readonly timestamp?: number;
  readonly echoReply?: number;
  /** TCP SACK blocks (RFC 2018 §3), [left, right). */
  readonly blocks?: readonly { readonly left: SequenceNumber; readonly right: SequenceNumber }[];
}

export interface Ipv4Layer extends LayerBase {
  readonly protocol: "ipv4";
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
  readonly trafficClass: number;
  readonly totalLength: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In octets. */
  readonly fragmentOffset: number;
  readonly timeToLive: number;
  /** What the payload is: IANA's protocol number. */
  readonly payloadProtocol: number;
  readonly checksum: ChecksumVerdict;
  readonly options: readonly HeaderOption[];
  /** Octets behind the header, as many as the frame had room for. */
  readonly payloadLength: number;
  /** Where a source route (RFC 791 §3.1) that still has hops to go will end. */
  readonly finalDestination?: Ipv4Address;
}

export interface Ipv6Layer extends LayerBase {
  readonly protocol: "ipv6";
  readonly source: Ipv6Address;
  readonly destination: Ipv6Address;
  readonly trafficClass: number;
  readonly flowLabel: number;
  readonly hopLimit: number;
  /** The field in the fixed header: what comes next, be it an extension header. */
  readonly nextHeader: number;
  /** The field in the fixed header. */
  readonly payloadLengthField: number;
  /** Octets behind the fixed header, as many as the frame had room for. */
  readonly payloadLength: number;
}

/** An extension header that only leads to the next one: hop-by-hop, destination options, routing, authentication. */
export interface Ipv6ExtensionLayer extends LayerBase {
  readonly protocol: "hop-by-hop" | "destination-options" | "routing" | "authentication";
  readonly nextHeader: number;
}

export interface Ipv6FragmentLayer extends LayerBase {
  readonly protocol: "ipv6-fragment";
  readonly nextHeader: number;
  readonly identification: number;
  /** In octets. */
  readonly fragmentOffset: number;
  readonly moreFragments: boolean;
}

/** ICMP and ICMPv6. The datagram that an error quotes follows as layers of its own. */
export interface IcmpLayer extends LayerBase {
  readonly protocol: "icmp" | "icmpv6";
  readonly type: number;
  readonly code: number;
  readonly checksum: ChecksumVerdict;
  /** The second 32-bit word; undefined when the message ends before. */
  readonly rest?: number;
  /** Octets of the message, header included. */
  readonly messageLength: number;
}

export interface UdpLayer extends LayerBase {
  readonly protocol: "udp";
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** The Length field: header and payload. */
  readonly length: number;
  readonly checksum: ChecksumVerdict;
  readonly payloadLength: number;
}

export interface TcpLayer extends LayerBase {
  readonly protocol: "tcp";
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly seq: SequenceNumber;
  readonly ack: SequenceNumber;
  /** Control bits: `SYN`, `ACK` … of @netstrata/transport. */
  readonly flags: number;
  /** As sent, not scaled. */
  readonly window: number;
  readonly urgentPointer: number;
  readonly checksum: ChecksumVerdict;
  readonly options: readonly HeaderOption[];
  /** Octets on the wire, not counting SYN and FIN. */
  readonly payloadLength: number;
}

export interface GreLayer extends LayerBase {
  readonly protocol: "gre";
  readonly version: number;
  readonly etherType: number;
  readonly key?: number;
}

export interface VxlanLayer extends LayerBase {
  readonly protocol: "vxlan";
  readonly networkIdentifier: number;
}

/** What nobody here can read, or what is not to be read: a later fragment. `headerLength` is all of it. */
export interface DataLayer extends LayerBase {
  readonly protocol: "data";
}

/** Where a header should be there is something else. Dissection ends here. */
export interface MalformedLayer extends LayerBase {
  readonly protocol: "malformed";
  /** What was expected. */
  readonly expected: string;
  /** In the words of the codecs: "truncated", "bad-header-length" … */
  readonly reason: string;
  /** The fields that could be read nevertheless. */
  readonly fields: PartialHeader;
}

export interface UnknownLinkLayer extends LayerBase {
  readonly protocol: "unknown-link-type";
  readonly linkType: number;
}

export type IpLayer = Ipv4Layer | Ipv6Layer;
export type TransportLayer = TcpLayer | UdpLayer | IcmpLayer;

export type Layer =
  | EthernetLayer
  | VlanLayer
  | LlcLayer
  | NullLayer
  | CookedLayer
  | ArpLayer
  | Ipv4Layer
  | Ipv6Layer
  | Ipv6ExtensionLayer
  | Ipv6FragmentLayer
  | IcmpLayer
  | UdpLayer
  | TcpLayer
  | GreLayer
  | VxlanLayer
  | DataLayer
  | MalformedLayer
  | UnknownLinkLayer;

/** Endpoints as an IP header names them. */
export interface AddressPair {
  readonly source: IpAddress;
  readonly destination: IpAddress;
}
