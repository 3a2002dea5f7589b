// What surrounds a neighbour cache: who asks for neighbours, what carries the datagrams, and who wants them sent.
import type { IpAddress, MacAddress, PacketBuffer, StackEvent } from "@netstrata/core";
import type { NeighbourState } from "./neighbour-entry.ts";

/** How neighbours are asked for: ARP requests, or neighbour solicitations. */
export interface NeighbourProtocol {
  /** Sends one solicitation for `target`: to its link address when one is given (a probe), else to everybody it may concern. */
  solicit(target: IpAddress, linkAddress: MacAddress | undefined): void;
}

/** Where resolved datagrams go: the interface. */
export interface NeighbourLink {
  /** Takes ownership of the datagram and sends it in a frame to `linkAddress`. */
  transmitDatagram(datagram: PacketBuffer, linkAddress: MacAddress): void;
  /** Gives a datagram back whose next hop did not answer; never called while `NeighbourResolver.send` is on the stack. */
  unresolved(datagram: PacketBuffer, nextHop: IpAddress): void;
}

/** What an interface needs to know of a neighbour cache: it has one for each IP version. */
export interface NeighbourResolver {
  /** Takes ownership: the datagram is sent now, or waits, or is lost and counted. */
  send(datagram: PacketBuffer, nextHop: IpAddress): void;
  /** Upper layers know that `nextHop` got what it was sent. */
  confirm(nextHop: IpAddress): void;
  close(): void;
}

/** A neighbour's state or link address changed. */
export interface NeighbourEvent extends StackEvent {
  readonly layer: "link";
  readonly kind: "neighbour";
  readonly address: IpAddress;
  readonly state: NeighbourState | "FORGOTTEN";
  readonly linkAddress?: MacAddress;
}
