// A switch of a world: a network on which every host gets the next address.
import type { EthernetSwitch, NetworkInterface, SwitchOptions } from "@netstrata/link";
import type { InterfaceOptions, Stack } from "@netstrata/socket";
import type { Network } from "./network.ts";

export interface WorldSwitchOptions extends SwitchOptions {
  /** Of either family. @default the next free 10.x.y.0/24 */
  readonly network?: string;
}

export interface AttachOptions extends Pick<InterfaceOptions, "name" | "mac" | "gateway" | "neighbours" | "ipv6"> {
  /** With its prefix length; an empty list for none. @default the next free one of the network */
  readonly address?: string | readonly string[];
}

export class WorldSwitch {
  readonly device: EthernetSwitch;
  readonly network: Network;
  private readonly onAttach: (stack: Stack, options: InterfaceOptions) => NetworkInterface;

  constructor(device: EthernetSwitch, network: Network, onAttach: (stack: Stack, options: InterfaceOptions) => NetworkInterface) {
    this.device = device;
    this.network = network;
    this.onAttach = onAttach;
  }

  /** Plugs a host in. */
  attach(stack: Stack, options: AttachOptions = {}): NetworkInterface {
    const { address = this.network.nextAddress(), ...rest } = options;
    const networkInterface = this.onAttach(stack, { ...rest, address, device: this.device.port() });
    this.network.join(stack, networkInterface);
    return networkInterface;
  }
}
