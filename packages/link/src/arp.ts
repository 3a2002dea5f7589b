// ARP (RFC 826), with the defence of own addresses from RFC 5227 §2.4 and the limits of RFC 1122 §2.3.2.
import {
  BROADCAST_MAC,
  type DropReasons,
  Drops,
  type Host,
  IPV4_ANY,
  IPV4_BROADCAST,
  type IpAddress,
  type IpPrefix,
  type Ipv4Address,
  isGroupMac,
  isIpv4,
  isLoopback,
  isMulticast,
  type MacAddress,
  type Milliseconds,
  NULL_MAC,
  PacketBuffer,
  prefixContains,
} from "@netstrata/core";
import { ARP_LENGTH, ARP_REPLY, ARP_REQUEST, type ArpMessage, readArp, writeArp } from "./arp-message.ts";
import { ETHERNET_HEADER_LENGTH, ETHERNET_MINIMUM_LENGTH, ETHERTYPE_ARP, VLAN_TAG_LENGTH } from "./ethernet-header.ts";
import { NeighbourCache } from "./neighbour-cache.ts";
import type { NeighbourLimits } from "./neighbour-limits.ts";
import type { NeighbourLink, NeighbourProtocol } from "./neighbour-protocol.ts";

/** RFC 5227 §1.1, DEFEND_INTERVAL: an address is defended at most so often, or two hosts would defend it against each other for ever. */
export const DEFEND_INTERVAL: Milliseconds = 10_000;

export type ArpDrop =
  | "truncated"
  | "bad-hardware"
  | "bad-protocol"
  | "bad-operation"
  | "bad-sender"
  | "own-message"
  | "address-conflict"
  | "not-for-us"
  | "unsolicited";

const ARP_DROPS: DropReasons<ArpDrop> = {
  truncated: "RFC 826",
  "bad-hardware": "RFC 826",
  "bad-protocol": "RFC 826",
  "bad-operation": "RFC 826",
  // RFC 1812 §3.3.2: a reply that gives a broadcast or multicast link address is not believed.
  "bad-sender": "RFC 1812 §3.3.2",
  "own-message": undefined,
  "address-conflict": "RFC 5227 §2.4",
  "not-for-us": "RFC 826",
  unsolicited: undefined,
};

/** What ARP needs of the interface it serves. */
export interface ArpLink extends NeighbourLink {
  readonly macAddress: MacAddress;
  readonly addresses: readonly IpPrefix[];
  /** Takes ownership of the payload and sends it in a frame. */
  transmitFrame(payload: PacketBuffer, destination: MacAddress, etherType: number): void;
}

export class Arp implements NeighbourProtocol {
  readonly cache: NeighbourCache;
  readonly drops: Drops<ArpDrop>;
  private readonly host: Host;
  private readonly link: ArpLink;
  private readonly defendedAt: Map<IpAddress, Milliseconds> = new Map();

  constructor(host: Host, link: ArpLink, limits: Partial<NeighbourLimits> = {}) {
    this.host = host;
    this.link = link;
    this.drops = new Drops(host, "arp", ARP_DROPS);
    this.cache = new NeighbourCache(host, link, this, limits);
  }

  /** A request for `target`; nothing is sent while the interface has no IPv4 address to ask from. */
  solicit(target: IpAddress, linkAddress: MacAddress | undefined): void {
    const sender = this.sourceFor(target);
    if (sender === undefined || !isIpv4(target)) return;
    this.transmit(ARP_REQUEST, sender, NULL_MAC, target, linkAddress ?? BROADCAST_MAC);
  }

  /** An ARP Announcement (RFC 5227 §2.3): whoever knew another link address for `address` learns this one. */
  announce(address: Ipv4Address): void {
    this.transmit(ARP_REQUEST, address, NULL_MAC, address, BROADCAST_MAC);
  }

  /** The interface no longer has `address`. */
  release(address: IpAddress): void {
    this.defendedAt.delete(address);
  }

  /** RFC 826, Packet Reception; the message is at the window's start. */
  receive(packet: PacketBuffer): void {
    const message = readArp(packet);
    const reason = typeof message === "string" ? message : this.accept(message);
    if (reason !== undefined) this.drops.count(reason, packet);
  }

  /** Judges, merges and answers a message; the reason when it is dropped. */
  private accept(message: ArpMessage): ArpDrop | undefined {
    const { operation, senderHardware, senderProtocol, targetProtocol } = message;
    const fault = this.faultOf(message);
    if (fault !== undefined) return fault;
    const isForUs = this.isOwn(targetProtocol);
    const isKnown = this.merge(message, isForUs);
    if (!isForUs) return "not-for-us";
    if (operation === ARP_REPLY) return isKnown ? undefined : "unsolicited";
    this.transmit(ARP_REPLY, targetProtocol, senderHardware, senderProtocol, senderHardware);
    return undefined;
  }

  /** Updates the cache by what the sender says of itself; false when there was nothing to update. */
  private merge({ operation, senderHardware, senderProtocol }: ArpMessage, isForUs: boolean): boolean {
    // RFC 5227 §2.1.1: a probe's sender has no address yet.
    if (senderProtocol === IPV4_ANY) return false;
    if (operation === ARP_REPLY && isForUs && this.cache.isSoliciting(senderProtocol)) {
      this.cache.answered(senderProtocol, senderHardware);
      return true;
    }
    // RFC 826 adds every sender that speaks to us, before the operation is looked at. We add those that ask, because
    // they will get an answer and more; a reply that nobody asked for only updates what is known.
    return this.cache.heard(senderProtocol, senderHardware, isForUs && operation === ARP_REQUEST);
  }

  private faultOf(message: ArpMessage): ArpDrop | undefined {
    const { operation, senderHardware, senderProtocol } = message;
    if (operation !== ARP_REQUEST && operation !== ARP_REPLY) return "bad-operation";
    if (isGroupMac(senderHardware) || senderHardware === NULL_MAC) return "bad-sender";
    if (isMulticast(senderProtocol) || isLoopback(senderProtocol) || senderProtocol === IPV4_BROADCAST) return "bad-sender";
    if (senderHardware === this.link.macAddress) return "own-message";
    if (senderProtocol !== IPV4_ANY && this.isOwn(senderProtocol)) {
      this.defend(senderProtocol);
      return "address-conflict";
    }
    return undefined;
  }

  /** RFC 5227 §2.4 (c): an address set by hand is kept, and defended at most once an interval. */
  private defend(address: Ipv4Address): void {
    const now = this.host.clock.now();
    const defendedAt = this.defendedAt.get(address);
    if (defendedAt !== undefined && now - defendedAt < DEFEND_INTERVAL) return;
    this.defendedAt.set(address, now);
    this.announce(address);
  }

  private isOwn(address: Ipv4Address): boolean {
    return this.link.addresses.some((own) => own.address === address);
  }

  /** The own address in the target's network, else the primary one. */
  private sourceFor(target: IpAddress): Ipv4Address | undefined {
    const own = this.link.addresses.filter((prefix) => isIpv4(prefix.address));
    const source = own.find((prefix) => prefixContains(prefix, target)) ?? own[0];
    return source?.address as Ipv4Address | undefined;
  }

  private transmit(
    operation: number,
    senderProtocol: Ipv4Address,
    targetHardware: MacAddress,
    targetProtocol: Ipv4Address,
    destination: MacAddress,
  ): void {
    const padding = ETHERNET_MINIMUM_LENGTH - ETHERNET_HEADER_LENGTH - ARP_LENGTH;
    const packet = PacketBuffer.allocate(ETHERNET_HEADER_LENGTH + VLAN_TAG_LENGTH, ARP_LENGTH, padding);
    writeArp(packet, { operation, senderHardware: this.link.macAddress, senderProtocol, targetHardware, targetProtocol });
    this.link.transmitFrame(packet, destination, ETHERTYPE_ARP);
  }
}
