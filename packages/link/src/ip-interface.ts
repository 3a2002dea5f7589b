// An interface on a medium that carries bare IP datagrams between two ends: TUN, raw sockets, PPP, loopback.
import type { DropReasons, Host, IpAddress, PacketBuffer } from "@netstrata/core";
import { DeviceInterface, type DeviceInterfaceOptions } from "./device-interface.ts";
import type { LinkDevice } from "./link-device.ts";

export type IpInterfaceDrop = "too-long" | "no-receiver" | "closed";

const IP_DROPS: DropReasons<IpInterfaceDrop> = {
  "too-long": "RFC 1122 §3.3.3",
  "no-receiver": undefined,
  closed: undefined,
};

/** No link addresses, so nothing to resolve: whatever is sent reaches the other end. */
export class IpInterface extends DeviceInterface<IpInterfaceDrop> {
  readonly headroom = 0;
  readonly resolvesNeighbours = false;
  private closed = false;

  constructor(host: Host, device: LinkDevice, options: DeviceInterfaceOptions = {}) {
    if (device.medium !== "ip") throw new TypeError(`device ${device.name} carries ${device.medium} frames, not IP datagrams`);
    super(host, device, IP_DROPS, options);
    device.attach(this);
  }

  send(datagram: PacketBuffer, _nextHop: IpAddress): void {
    if (this.closed) {
      this.drops.count("closed", datagram);
    } else if (!this.fitsMtu(datagram)) {
      this.drops.count("too-long", datagram);
    } else {
      this.tell("out", datagram);
      this.device.transmit(datagram);
    }
  }

  receive(datagram: PacketBuffer): void {
    this.tell("in", datagram);
    // There is no frame that could have been a broadcast; whether the datagram is one, IP sees in its address.
    if (this.receiver === undefined) this.drops.count("no-receiver", datagram);
    else this.receiver.receive(datagram, this, "unicast");
  }

  /** Nothing to confirm: there is no neighbour that could have moved. */
  confirm(_nextHop: IpAddress): void {}

  close(): void {
    this.closed = true;
    this.receiver = undefined;
    this.device.close();
  }
}
