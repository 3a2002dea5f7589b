// Our stack and the kernel at the two ends of one TUN or TAP device, in a network of their own.

import type { InterfaceOptions } from "@netstrata/socket";
import type { SocketCalls } from "../../src/calls/calls.ts";
import type { StackCalls } from "../../src/calls/stack-calls.ts";
import type { StackSettings } from "../../src/stack-host.ts";
import type { InterfaceSettings } from "../../src/stack-interfaces.ts";
import { NetworkNamespace } from "./network-namespace.ts";
import { RemoteHost } from "./remote-host.ts";
import type { Requirement } from "./requirements.ts";

export const KERNEL = "10.18.0.1";
export const OURS = "10.18.0.2";
export const KERNEL_V6 = "2001:db8:18::1";
export const OURS_V6 = "2001:db8:18::2";
export const INTERFACE = "ns0";

/** What every test with a pair needs. */
export const PAIR: readonly Requirement[] = ["root", "namespaces", "/dev/net/tun", "ip"];

export const MODES = ["tun", "tap"] as const;
export type Mode = (typeof MODES)[number];

export const DIRECTIONS = ["our client, the kernel's server", "the kernel's client, our server"] as const;
export type Direction = (typeof DIRECTIONS)[number];

export interface PairSettings extends Omit<StackSettings, "interfaces">, Omit<InterfaceSettings, "tun" | "kernel" | "address" | "ipv6"> {
  readonly mode: Mode;
  /** True: both have an IPv6 address, too. Or ours alone, and what we do besides. @default false */
  readonly ipv6?: boolean | { readonly addresses: readonly string[]; readonly options: InterfaceOptions["ipv6"] };
  /** What `sysctl net.NAME` is to be before our stack appears. */
  readonly kernelSettings?: Readonly<Record<string, string | number>>;
}

export type OurHost = RemoteHost<SocketCalls & StackCalls>;
export type KernelHost = RemoteHost<SocketCalls>;

export class HostPair {
  readonly network: NetworkNamespace;
  readonly ours: OurHost;
  readonly kernel: KernelHost;
  private isOver = false;

  /** Who connects to whom, each way round. */
  get directions(): Readonly<Record<Direction, { client: KernelHost; server: KernelHost; address: string }>> {
    return {
      "our client, the kernel's server": { client: this.ours, server: this.kernel, address: KERNEL },
      "the kernel's client, our server": { client: this.kernel, server: this.ours, address: OURS },
    };
  }

  private constructor(network: NetworkNamespace, ours: OurHost, kernel: KernelHost) {
    this.network = network;
    this.ours = ours;
    this.kernel = kernel;
  }

  static async open(settings: PairSettings): Promise<HostPair> {
    const { mode, kernelSettings = {}, mtu, faults, capture, neighbours, mac, ipv6 = false, ...stack } = settings;
    const network = await NetworkNamespace.create();
    try {
      for (const [name, value] of Object.entries(kernelSettings)) await network.setKernel(name, value);
      const device: InterfaceSettings = {
        tun: { name: INTERFACE, mode, mtu },
        kernel: { address: `${KERNEL}/24`, up: true },
        address: [`${OURS}/24`, ...(ipv6 === true ? [`${OURS_V6}/64`] : ipv6 === false ? [] : ipv6.addresses)],
        ipv6: typeof ipv6 === "object" ? ipv6.options : undefined,
        gateway: KERNEL,
        ...{ faults, capture, neighbours, mac },
      };
      const ours = network.node("stack-host", { ...stack, interfaces: [device] } satisfies StackSettings);
      const kernel = network.node("kernel-host", {});
      await Promise.all([ours.event("open"), kernel.event("open")]);
      // Without a test for duplicates, which would keep the address from being used for a second.
      if (ipv6 === true) await network.ip(`-6 address add ${KERNEL_V6}/64 dev ${INTERFACE} nodad`);
      return new HostPair(network, new RemoteHost(ours), new RemoteHost(kernel));
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  /** Sets what `sysctl net.NAME` would, for this network alone. */
  setKernel(name: string, value: string | number): Promise<void> {
    return this.network.setKernel(name, value);
  }

  /** Ends our stack, which must come to its end by itself and without a word. */
  async endOurs(): Promise<void> {
    this.isOver = true;
    const { code, stderr } = await this.ours.end();
    if (code !== 0 || stderr !== "") throw new Error(`our host ended with ${code}: ${stderr}`);
  }

  async close(): Promise<void> {
    try {
      if (!this.isOver) await this.endOurs();
    } finally {
      await this.network.close();
    }
  }
}
