// The contract between link and internet layer (RFC 1122 §2.4): an interface sends datagrams to a next hop.
import type { IpAddress, IpPrefix, PacketBuffer } from "@netstrata/core";
import type { LinkDevice, LinkOffload } from "./link-device.ts";

/** How a frame was addressed at the link layer; IP must know (RFC 1122 §2.4, §3.2.2). */
export type LinkCast = "unicast" | "multicast" | "broadcast";

/** Implemented by the internet layer. */
export interface DatagramReceiver {
  /** A datagram of either family; lent for the duration of the call. */
  receive(datagram: PacketBuffer, from: NetworkInterface, cast: LinkCast): void;
  /** A datagram that was given to `send` could not be resolved to a link address; it is handed back to report it (RFC 1122 §3.2.2.1). */
  unresolved(datagram: PacketBuffer, via: NetworkInterface, nextHop: IpAddress): void;
}

export interface NetworkInterface {
  readonly name: string;
  readonly device: LinkDevice;
  /** Largest datagram, in octets. May be set lower than the device's. */
  readonly mtu: number;
  readonly offload: LinkOffload;
  /** Octets that `send` needs in front of a datagram. */
  readonly headroom: number;
  /** Own addresses with the prefix of the network they are in, the primary one first. Change them with `addAddress` and `removeAddress`. */
  readonly addresses: readonly IpPrefix[];
  /** False for links on which every datagram reaches the only other end, so that no next hop need be resolved. */
  readonly resolvesNeighbours: boolean;
  addAddress(address: IpPrefix): void;
  removeAddress(address: IpAddress): void;
  /** Takes ownership; never throws. `nextHop` may be a broadcast or multicast address. */
  send(datagram: PacketBuffer, nextHop: IpAddress): void;
  attach(receiver: DatagramReceiver): void;
  /** The transport heard from beyond `nextHop`: forward progress confirms the neighbour (RFC 4861 §7.3.1, RFC 1122 §3.3.1.4). */
  confirm(nextHop: IpAddress): void;
  /** Disarms timers, empties queues and closes the device. */
  close(): void;
}
