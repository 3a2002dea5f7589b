// The contract between internet and transport layer (RFC 1122 §3.4). Nothing in it depends on the IP version.
import type { IpAddress, PacketBuffer } from "@netstrata/core";
import type { LinkCast, NetworkInterface } from "@netstrata/link";
import type { IpHeader } from "./ip-header.ts";

/** How a datagram came in. */
export interface Arrival {
  readonly interface: NetworkInterface;
  /** The broader of how the frame and how the datagram was addressed. */
  readonly cast: LinkCast;
}

/**
 * What the transport did with a segment. "port-unreachable" asks the internet layer to say so to the sender (RFC 1122
 * §4.1.3.1), if the rules for ICMP errors let it (§3.2.2); everything else is done with.
 */
export type Delivery = "delivered" | "dropped" | "port-unreachable";

/** An ICMP or ICMPv6 error in terms of both. */
export type IcmpErrorKind =
  | "network-unreachable"
  | "host-unreachable"
  | "protocol-unreachable"
  | "port-unreachable"
  | "packet-too-big"
  | "source-route-failed"
  | "prohibited"
  | "time-exceeded"
  | "parameter-problem"
  /** An ICMPv6 error of a type that is not known (RFC 4443 §2.4 a). */
  | "unknown";

export interface IcmpError {
  readonly kind: IcmpErrorKind;
  /** Who says so: the destination or a router on the way. */
  readonly from: IpAddress;
  /**
   * For "packet-too-big": the next hop's MTU in octets. Where the router did not say, as before RFC 1191, it is the next
   * plateau below the size of the datagram (§7.1). 0 for every other kind.
   */
  readonly mtu: number;
}

/** Implemented by each transport protocol. */
export interface IpProtocolHandler {
  readonly protocol: number;
  /** A whole transport message, lent for the duration of the call. */
  receive(segment: PacketBuffer, header: IpHeader, arrival: Arrival): Delivery;
  /**
   * A whole message is for none of this host's addresses. True when it is wanted all the same, as by a listener for any address;
   * then it is received, as what is for this host. It is only looked at.
   */
  claims?(segment: PacketBuffer, header: IpHeader): boolean;
  /** An error about a message of ours; `quoted` holds at least its first 8 octets behind `header`, which is what we once sent. */
  receiveError(error: IcmpError, quoted: PacketBuffer, header: IpHeader): void;
}

/**
 * Where and how to send. A connection keeps one such object and passes it again and again.
 */
export interface IpSendOptions {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: number;
  /** TTL or hop limit; the stack's default when absent. */
  readonly timeToLive?: number;
  /** DSCP and ECN; 0 when absent. */
  readonly trafficClass?: number;
  /** Never fragment, here or on the way (RFC 1191 §3). False when absent. */
  readonly dontFragment?: boolean;
  /**
   * IPv4 options, padded to a multiple of 4 octets; to an IPv6 destination hop-by-hop options (RFC 8200 §4.3), padded so that with
   * the two octets in front of them they are a multiple of 8.
   */
  readonly options?: Uint8Array;
  /** The source need not be an address of this host: it speaks for others. False when absent. */
  readonly transparent?: boolean;
  /** Send through this interface, whatever the routes say: needed for broadcast and multicast on a host with several. */
  readonly interface?: NetworkInterface;
}

export type IpSendResult =
  | "sent"
  /** No route leads to the destination. */
  | "network-unreachable"
  /** Larger than the path takes, and it must not be fragmented; or larger than a datagram can be. `maxSendSize` says what fits. */
  | "message-too-long"
  /** The source is not an address of this host. */
  | "address-not-available";

/** Implemented by the internet layer. */
export interface IpService {
  /** Octets to leave in front of a transport message for every header below it. */
  readonly headroom: number;
  /** Takes ownership of the packet, whatever the result. */
  send(packet: PacketBuffer, options: IpSendOptions): IpSendResult;
  /** The address a message to `destination` would be sent from; undefined when there is no route (RFC 1122 §3.3.4.3). */
  sourceFor(destination: IpAddress): IpAddress | undefined;
  /** MMS_S: the largest transport message that goes to `destination` unfragmented, in octets (RFC 1122 §3.3.3). */
  maxSendSize(destination: IpAddress): number;
  /** The same for the link that leads there, whatever routers further on have said of the path. */
  linkSendSize(destination: IpAddress): number;
  /** MMS_R: the largest transport message that can be received and reassembled, in octets (RFC 1122 §3.3.2). */
  maxReceiveSize(destination: IpAddress): number;
  /**
   * Octets of the largest super-segment (as a transport message) that the device towards `destination` takes whole; 0 when it
   * takes none. One that a device further on does not take is cut there (`segmentTcp`).
   */
  maxSuperSegment(destination: IpAddress): number;
  /** True when a datagram to `address` stays on this host. */
  isLocal(address: IpAddress): boolean;
  /** True for the limited and the directed broadcast addresses of this host's networks (RFC 1122 §3.2.1.3). */
  isBroadcast(address: IpAddress): boolean;
  /** The peer made progress: its next hop is alive (RFC 1122 §3.3.1.4). */
  confirmReachability(destination: IpAddress): void;
  /** The peer does not answer: look for another way (RFC 1122 §3.3.1.4, RFC 9293 MUST-20). */
  adviseUnreachable(destination: IpAddress): void;
  /**
   * A router on the way takes no datagram larger than `mtu` octets. Called by a transport after it has made sure that the
   * "packet-too-big" error answers something it sent (RFC 5927 §7.2); `maxSendSize` follows at once.
   */
  pathMtuReduced(destination: IpAddress, mtu: number): void;
  /** One handler a protocol; registering another replaces it. */
  register(handler: IpProtocolHandler): void;
}
