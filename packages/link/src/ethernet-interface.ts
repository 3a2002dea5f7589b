// An interface on an Ethernet: frames (RFC 894), ARP for IPv4, multicast and broadcast mapping, VLAN tags.
import {
  BROADCAST_MAC,
  broadcastOf,
  type DropReasons,
  type Host,
  IPV4_BROADCAST,
  type IpAddress,
  type IpPrefix,
  type IpVersion,
  ipVersion,
  isGroupMac,
  isIpv4,
  isMulticast,
  type MacAddress,
  type PacketBuffer,
  randomMac,
} from "@netstrata/core";
import { Arp, type ArpLink } from "./arp.ts";
import { DeviceInterface, type DeviceInterfaceOptions } from "./device-interface.ts";
import {
  ETHERNET_HEADER_LENGTH,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ETHERTYPE_VLAN,
  padEthernet,
  prependEthernet,
  prependVlanTag,
  readEthernet,
  VLAN_TAG_LENGTH,
  type VlanTag,
} from "./ethernet-header.ts";
import type { LinkDevice } from "./link-device.ts";
import { multicastMac } from "./multicast-mac.ts";
import type { NeighbourLimits } from "./neighbour-limits.ts";
import type { NeighbourResolver } from "./neighbour-protocol.ts";
import type { LinkCast } from "./network-interface.ts";
import { rawIpEtherType } from "./raw-ip.ts";

export type EthernetDrop =
  | "truncated"
  | "too-many-tags"
  | "other-vlan"
  | "not-for-us"
  | "unknown-ethertype"
  | "other-ethertype"
  | "no-receiver"
  | "too-long"
  | "no-resolver"
  | "no-headroom"
  | "closed";

const ETHERNET_DROPS: DropReasons<EthernetDrop> = {
  truncated: "RFC 894",
  "too-many-tags": undefined,
  "other-vlan": "IEEE 802.1Q §6.9",
  "not-for-us": undefined,
  "unknown-ethertype": "RFC 894",
  "other-ethertype": "RFC 2464 §3",
  "no-receiver": undefined,
  "too-long": "RFC 1122 §3.3.3",
  "no-resolver": undefined,
  "no-headroom": undefined,
  closed: undefined,
};

export interface EthernetInterfaceOptions extends DeviceInterfaceOptions {
  /** @default a random, locally administered one */
  readonly macAddress?: MacAddress;
  /** 1 … 4094: frames are sent with this tag, and only frames with it are received. @default no tag */
  readonly vlan?: number;
  /** Of the ARP cache. */
  readonly neighbours?: Partial<NeighbourLimits>;
}

export class EthernetInterface extends DeviceInterface<EthernetDrop> implements ArpLink {
  readonly resolvesNeighbours = true;
  readonly headroom: number;
  readonly macAddress: MacAddress;
  readonly arp: Arp;
  private readonly vlan: number;
  private readonly resolvers: Map<IpVersion, NeighbourResolver> = new Map();
  private broadcasts: ReadonlySet<IpAddress> = new Set([IPV4_BROADCAST]);
  private closed = false;

  constructor(host: Host, device: LinkDevice, options: EthernetInterfaceOptions = {}) {
    if (device.medium !== "ethernet") throw new TypeError(`device ${device.name} carries no Ethernet frames`);
    super(host, device, ETHERNET_DROPS, options);
    const { macAddress = randomMac(host.random), vlan = 0 } = options;
    if (!(Number.isInteger(vlan) && vlan >= 0 && vlan <= 4094)) throw new RangeError(`vlan ${vlan}: not 1 to 4094`);
    if (isGroupMac(macAddress)) throw new RangeError("an interface's own MAC address is no group address");
    this.macAddress = macAddress;
    this.vlan = vlan;
    this.headroom = ETHERNET_HEADER_LENGTH + (vlan === 0 ? 0 : VLAN_TAG_LENGTH);
    this.arp = new Arp(host, this, options.neighbours);
    this.registerResolver(4, this.arp.cache);
    device.attach(this);
  }

  /** Sets who resolves the next hops of one IP version; the one before is closed. */
  registerResolver(version: IpVersion, resolver: NeighbourResolver): void {
    this.resolvers.get(version)?.close();
    this.resolvers.set(version, resolver);
  }

  override addAddress(address: IpPrefix): void {
    super.addAddress(address);
    this.updateBroadcasts();
    if (isIpv4(address.address)) this.arp.announce(address.address);
  }

  override removeAddress(address: IpAddress): void {
    super.removeAddress(address);
    this.updateBroadcasts();
    this.arp.release(address);
  }

  send(datagram: PacketBuffer, nextHop: IpAddress): void {
    if (!this.fitsMtu(datagram)) {
      this.drops.count("too-long", datagram);
    } else if (isMulticast(nextHop)) {
      // RFC 1122 §3.3.6: the link's broadcast and multicast carry only what is broadcast and multicast in IP too.
      this.transmitDatagram(datagram, multicastMac(nextHop));
    } else if (this.broadcasts.has(nextHop)) {
      this.transmitDatagram(datagram, BROADCAST_MAC);
    } else {
      const resolver = this.resolvers.get(ipVersion(nextHop));
      if (resolver === undefined) this.drops.count("no-resolver", datagram);
      else resolver.send(datagram, nextHop);
    }
  }

  confirm(nextHop: IpAddress): void {
    this.resolvers.get(ipVersion(nextHop))?.confirm(nextHop);
  }

  transmitDatagram(datagram: PacketBuffer, linkAddress: MacAddress): void {
    this.transmitFrame(datagram, linkAddress, datagram.u8(0) >>> 4 === 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
  }

  unresolved(datagram: PacketBuffer, nextHop: IpAddress): void {
    if (this.receiver === undefined) this.drops.count("no-receiver", datagram);
    else this.receiver.unresolved(datagram, this, nextHop);
  }

  transmitFrame(payload: PacketBuffer, destination: MacAddress, etherType: number): void {
    if (this.closed) {
      this.drops.count("closed", payload);
    } else if (payload.headroom < this.headroom) {
      this.drops.count("no-headroom", payload);
    } else {
      if (this.vlan !== 0) prependVlanTag(payload, this.vlan, etherType);
      prependEthernet(payload, destination, this.macAddress, this.vlan === 0 ? etherType : ETHERTYPE_VLAN);
      const frame = padEthernet(payload);
      this.tell("out", frame);
      this.device.transmit(frame);
    }
  }

  receive(frame: PacketBuffer): void {
    this.tell("in", frame);
    const header = readEthernet(frame);
    if (typeof header === "string") {
      this.drops.count(header, frame);
      return;
    }
    const cast = this.castOf(header.destination);
    if (!this.isOwnVlan(header.vlanTags)) this.drops.count("other-vlan", frame);
    else if (cast === undefined) this.drops.count("not-for-us", frame);
    else if (header.etherType === ETHERTYPE_ARP) this.arp.receive(frame);
    else if (header.etherType !== ETHERTYPE_IPV4 && header.etherType !== ETHERTYPE_IPV6) this.drops.count("unknown-ethertype", frame);
    else if (isOfOtherVersion(frame, header.etherType)) this.drops.count("other-ethertype", frame);
    else if (this.receiver === undefined) this.drops.count("no-receiver", frame);
    else this.receiver.receive(frame, this, cast);
  }

  close(): void {
    for (const resolver of this.resolvers.values()) resolver.close();
    this.closed = true;
    this.receiver = undefined;
    this.device.close();
  }

  /** RFC 1122 §2.4: IP is told how the frame was addressed; undefined when it was meant for somebody else. */
  private castOf(destination: MacAddress): LinkCast | undefined {
    if (destination === this.macAddress) return "unicast";
    if (destination === BROADCAST_MAC) return "broadcast";
    return isGroupMac(destination) ? "multicast" : undefined;
  }

  /** A tag with identifier 0 carries a priority only: the frame belongs to no VLAN (IEEE 802.1Q §6.9). */
  private isOwnVlan(tags: readonly VlanTag[]): boolean {
    return tags.length === 0 ? this.vlan === 0 : tags.length === 1 && tags[0].id === this.vlan;
  }

  private updateBroadcasts(): void {
    const directed = this.addresses.map(broadcastOf).filter((address) => address !== undefined);
    this.broadcasts = new Set([IPV4_BROADCAST, ...directed]);
  }
}

/** One IP version under the other's EtherType: who filters by EtherType would not have seen it. What is neither, IP counts itself. */
function isOfOtherVersion(datagram: PacketBuffer, etherType: number): boolean {
  const own = rawIpEtherType(datagram);
  return typeof own === "number" && own !== etherType;
}
