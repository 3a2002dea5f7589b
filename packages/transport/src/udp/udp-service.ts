// The contract between UDP and what lies above it (RFC 768 "User Interface", RFC 1122 §4.1.4).
import type { ErrorCode, IpAddress } from "@netstrata/core";
import type { Arrival } from "@netstrata/internet";
import type { NetworkInterface } from "@netstrata/link";
import type { Endpoint } from "../endpoint.ts";

export interface UdpUser {
  /** A datagram for this endpoint. `payload` is a view that is lent for the duration of the call. */
  received(endpoint: UdpEndpoint, payload: Uint8Array, from: Endpoint, details: UdpDetails): void;
  /** ICMP said something about a datagram that this endpoint sent to `about` (RFC 1122 §4.1.3.3). */
  failed?(endpoint: UdpEndpoint, error: ErrorCode, about: Endpoint): void;
}

/** What came with a datagram (RFC 1122 §4.1.3.2, §4.1.3.5, §4.1.4). */
export interface UdpDetails {
  /** The address it was sent to: one of ours, a broadcast or a multicast address. */
  readonly destination: Endpoint;
  readonly timeToLive: number;
  readonly trafficClass: number;
  /** The IPv4 options as they came, lent for the duration of the call; undefined when there were none. */
  readonly ipOptions: Uint8Array | undefined;
  readonly arrival: Arrival;
}

/** What can be chosen for each datagram; absent means as the endpoint's own options say. */
export interface UdpSendOptions {
  readonly timeToLive?: number;
  readonly trafficClass?: number;
  /** IPv4 options, padded to a multiple of 4 octets (RFC 1122 §4.1.3.2). */
  readonly ipOptions?: Uint8Array;
  /** Set "don't fragment": a datagram larger than the path takes fails with EMSGSIZE. @default false */
  readonly dontFragment?: boolean;
  /** Send from this address of the host, so that an endpoint bound to all can answer from the one that was asked. */
  readonly source?: IpAddress;
  /** Send through this interface, whatever the routes say: for broadcast and multicast on a host with several. */
  readonly interface?: NetworkInterface;
}

export interface UdpOptions extends UdpSendOptions {
  /** Allow sending to broadcast addresses. @default false */
  readonly broadcast?: boolean;
  /** Allow several endpoints on one port: multicast and broadcast go to all, unicast to the newest. @default false */
  readonly reuseAddress?: boolean;
  /** Send without a checksum, which only IPv4 allows (RFC 1122 §4.1.3.4). @default false */
  readonly noChecksum?: boolean;
  /** Drop what arrives without a checksum (RFC 1122 §4.1.3.4). @default false */
  readonly requireChecksum?: boolean;
  /** An endpoint bound to "::" is for IPv6 only; decided when it is bound (RFC 3493 §5.3). @default false */
  readonly ipv6Only?: boolean;
}

export interface UdpEndpoint {
  /** The port is never 0; the address may be unspecified. Connecting an endpoint fixes the address it sends from. */
  readonly local: Endpoint;
  /** The peer of a connected endpoint. */
  readonly remote: Endpoint | undefined;
  readonly isClosed: boolean;
  user: UdpUser;
  readonly options: UdpOptions;
  /** Changes the options that are given and leaves the others. */
  set(options: UdpOptions): void;
  /** Fixes the peer: only its datagrams and errors are received. Undefined dissolves it. The errors are those of `send`. */
  connect(remote: Endpoint | undefined): ErrorCode | undefined;
  /**
   * Sends a copy of `payload`. Without `to` it goes to the connected peer; with it elsewhere, as in Linux, also when there is one.
   * EDESTADDRREQ, EMSGSIZE, ENETUNREACH, EADDRNOTAVAIL, EACCES (broadcast without the option), EAFNOSUPPORT (mixed
   * families), EINVAL (port 0), EBADF after close.
   */
  send(payload: Uint8Array, to?: Endpoint, options?: UdpSendOptions): ErrorCode | undefined;
  close(): void;
}

export interface UdpService {
  /**
   * EADDRINUSE, EADDRNOTAVAIL, ENOBUFS. An absent or unspecified address receives on all of its family (absent: IPv4); an
   * absent or 0 port gets a random free one (RFC 6056).
   */
  bind(local: Partial<Endpoint>, user: UdpUser, options?: UdpOptions): UdpEndpoint | ErrorCode;
}
