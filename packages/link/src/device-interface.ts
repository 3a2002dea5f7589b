// What every network interface has, whatever its medium: a name, a device, an MTU, addresses, the receiver above (RFC 1122 §2.4).
import {
  type DropReasons,
  Drops,
  formatIp,
  type Host,
  IPV4_BROADCAST,
  type IpAddress,
  type IpPrefix,
  ipLength,
  isMulticast,
  isUnspecified,
  type PacketBuffer,
  type PacketEvent,
} from "@netstrata/core";
import type { LinkDevice, LinkOffload, PacketReceiver } from "./link-device.ts";
import type { DatagramReceiver, NetworkInterface } from "./network-interface.ts";

export interface DeviceInterfaceOptions {
  /** @default the device's name */
  readonly name?: string;
  /** Octets of the largest datagram, at most the device's MTU (RFC 1812 §3.3.4). @default the device's MTU */
  readonly mtu?: number;
}

/** A misuse throws a RangeError: an MTU the device does not carry, an address nobody can have. */
export abstract class DeviceInterface<Reason extends string> implements NetworkInterface, PacketReceiver {
  readonly name: string;
  readonly device: LinkDevice;
  readonly mtu: number;
  abstract readonly headroom: number;
  abstract readonly resolvesNeighbours: boolean;
  /** What was thrown away here, by reason. */
  readonly drops: Drops<Reason>;
  protected readonly host: Host;
  protected receiver: DatagramReceiver | undefined;
  private list: readonly IpPrefix[] = [];

  constructor(host: Host, device: LinkDevice, reasons: DropReasons<Reason>, options: DeviceInterfaceOptions) {
    const mtu = options.mtu ?? device.mtu;
    if (!(mtu > 0 && mtu <= device.mtu)) throw new RangeError(`mtu ${mtu}: device ${device.name} carries 1 to ${device.mtu} octets`);
    this.host = host;
    this.device = device;
    this.mtu = mtu;
    this.name = options.name ?? device.name;
    this.drops = new Drops(host, "link", reasons);
  }

  get offload(): LinkOffload {
    return this.device.offload;
  }

  get addresses(): readonly IpPrefix[] {
    return this.list;
  }

  addAddress(address: IpPrefix): void {
    const bits = 8 * ipLength(address.address);
    if (!(Number.isInteger(address.length) && address.length >= 0 && address.length <= bits)) {
      throw new RangeError(`prefix length ${address.length}: not 0 to ${bits}`);
    }
    if (isUnspecified(address.address) || isMulticast(address.address) || address.address === IPV4_BROADCAST) {
      throw new RangeError(`${formatIp(address.address)}: not an address that one host can have`);
    }
    const others = this.list.filter((other) => other.address !== address.address);
    const isKnown = others.length < this.list.length;
    // A known address keeps its place, so that changing the length of its prefix does not change which one is primary.
    this.list = isKnown ? this.list.map((other) => (other.address === address.address ? address : other)) : [...this.list, address];
  }

  removeAddress(address: IpAddress): void {
    this.list = this.list.filter((other) => other.address !== address);
  }

  attach(receiver: DatagramReceiver): void {
    this.receiver = receiver;
  }

  abstract send(datagram: PacketBuffer, nextHop: IpAddress): void;
  abstract receive(packet: PacketBuffer): void;
  abstract confirm(nextHop: IpAddress): void;
  abstract close(): void;

  /** Tells the observer of a packet that passes this interface, before anybody narrows its window. */
  protected tell(direction: "in" | "out", packet: PacketBuffer): void {
    const observer = this.host.observer;
    if (observer === undefined) return;
    const event: PacketEvent = { layer: "link", kind: "packet", direction, interface: this.name, packet };
    observer.observe(event);
  }

  /** True when the interface's own MTU, which may be smaller than the device's, lets the datagram pass. */
  protected fitsMtu(datagram: PacketBuffer): boolean {
    return datagram.length <= this.mtu || datagram.segmentSize > 0;
  }
}
