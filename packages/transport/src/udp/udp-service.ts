// The contract between UDP and what lies above it (RFC 768 "User Interface", RFC 1122 §4.1.4).
import type { ErrorCode } from "@netstrata/core";
import type { Arrival } from "@netstrata/internet";
import type { Endpoint } from "../endpoint.ts";

export interface UdpUser {
  /** A datagram for this endpoint. `payload` is a view that is lent for the duration of the call. */
  received(endpoint: UdpEndpoint, payload: Uint8Array, from: Endpoint, details: UdpDetails): void;
  /** ICMP said something about a datagram that this endpoint sent to `about` (RFC 1122 §4.1.3.3). */
  failed?(endpoint: UdpEndpoint, error: ErrorCode, about: Endpoint): void;
}

/** What came with a datagram (RFC 1122 §4.1.3.5, §4.1.4). */
export interface UdpDetails {
  /** The address it was sent to: one of ours, a broadcast or a multicast address. */
  readonly destination: Endpoint;
  readonly timeToLive: number;
  readonly trafficClass: number;
  readonly arrival: Arrival;
}

export interface UdpOptions {
  readonly timeToLive?: number;
  readonly trafficClass?: number;
  /** Allow sending to broadcast addresses. @default false */
  readonly broadcast?: boolean;
  /** Allow several endpoints on one port: multicast and broadcast go to all, unicast to the newest. @default false */
  readonly reuseAddress?: boolean;
  /** Send without a checksum, which only IPv4 allows (RFC 1122 §4.1.3.4). @default false */
  readonly noChecksum?: boolean;
  /** Set "don't fragment": a datagram larger than the path takes fails with EMSGSIZE. @default false */
  readonly dontFragment?: boolean;
}

export interface UdpEndpoint {
  /** The port is never 0; the address may be unspecified. */
  readonly local: Endpoint;
  /** The peer of a connected endpoint. */
  readonly remote: Endpoint | undefined;
  user: UdpUser;
  readonly options: UdpOptions;
  set(options: UdpOptions): void;
  /** Fixes the peer: only its datagrams and errors are received. Undefined dissolves it. ENETUNREACH, EADDRNOTAVAIL, EACCES. */
  connect(remote: Endpoint | undefined): ErrorCode | undefined;
  /**
   * Sends a copy of `payload`. Without `to` it goes to the connected peer.
   * EDESTADDRREQ, EISCONN, EMSGSIZE, ENETUNREACH, EADDRNOTAVAIL, EACCES (broadcast without the option), EBADF after close.
   */
  send(payload: Uint8Array, to?: Endpoint): ErrorCode | undefined;
  close(): void;
}

export interface UdpService {
  /** EADDRINUSE, EADDRNOTAVAIL. An absent or unspecified address receives on all; an absent or 0 port gets a random free one (RFC 6056). */
  bind(local: Partial<Endpoint>, user: UdpUser, options?: UdpOptions): UdpEndpoint | ErrorCode;
}
