// A wire of a world: two ends on two hosts, with or without faults between.
import type { Host } from "@netstrata/core";
import {
  createWire,
  FaultInjector,
  type FaultRates,
  type LineOptions,
  type LinkDevice,
  type LinkOffload,
  type Medium,
  MemoryDevice,
  type NamedFault,
  type NetworkInterface,
} from "@netstrata/link";
import type { Stack } from "@netstrata/socket";

export interface DirectionOptions extends LineOptions {
  readonly faults?: FaultRates;
}

/** Times in ms, rates in bit/s, sizes in octets. */
export interface WorldWireOptions extends DirectionOptions {
  /** @default "ethernet" */
  readonly medium?: Medium;
  /** @default 1500 */
  readonly mtu?: number;
  /** Ignored on a wire with faults, which hit finished packets only. */
  readonly offload?: LinkOffload;
  /** The network of this wire, of either family: `"10.0.9.0/24"`, `"2001:db8:9::/64"`. @default the next free 10.x.y.0/24 */
  readonly network?: string;
  /** The addresses of both ends with their prefix lengths. @default the first two of the network */
  readonly addresses?: readonly [string, string];
  /** Names of the interfaces. @default "eth0", "eth1" … on each host */
  readonly names?: readonly [string, string];
  /** What is different from the first host to the second. */
  readonly aToB?: DirectionOptions;
  /** What is different from the second host to the first. */
  readonly bToA?: DirectionOptions;
}

export interface WireEnd {
  readonly stack: Stack;
  readonly interface: NetworkInterface;
  readonly device: LinkDevice;
}

/** A fault for packets that one of the two hosts sends. */
export interface WireFault extends Omit<NamedFault, "direction"> {
  readonly from: Stack;
}

export class WorldWire {
  readonly a: WireEnd;
  readonly b: WireEnd;
  private readonly injectors: readonly FaultInjector[];
  private readonly lines: readonly LinkDevice[];

  constructor(a: WireEnd, b: WireEnd, devices: WireDevices) {
    this.a = a;
    this.b = b;
    this.injectors = devices.injectors;
    this.lines = devices.lines;
  }

  /** Packets in a queue, on their way, or held back by a fault. */
  get inFlight(): number {
    let count = 0;
    for (const line of this.lines) if (line instanceof MemoryDevice) count += line.inbound.length;
    for (const injector of this.injectors) count += injector.held;
    return count;
  }

  /** Names packets to be hit, besides what happens by chance. The wire must have been made with `faults`, if only `{}`. */
  plan(fault: WireFault): void {
    const { from, ...named } = fault;
    this.injectorOf(from).plan({ ...named, direction: "out" });
  }

  /** Changes the probabilities for what `from` sends. */
  setFaults(from: Stack, rates: FaultRates): void {
    this.injectorOf(from).setRates("out", rates);
  }

  /** What is on the wire is lost; nothing more arrives. */
  close(): void {
    for (const device of [...this.injectors, ...this.lines]) device.close();
  }

  private injectorOf(stack: Stack): FaultInjector {
    if (stack !== this.a.stack && stack !== this.b.stack) throw new RangeError(`host ${stack.name} is not on this wire`);
    const injector = this.injectors[stack === this.a.stack ? 0 : 1];
    if (injector === undefined) throw new RangeError("this wire was made without faults: give it `faults: {}`");
    return injector;
  }
}

export interface WireDevices {
  /** What the hosts' interfaces are put on. */
  readonly ends: readonly [LinkDevice, LinkDevice];
  readonly lines: readonly [LinkDevice, LinkDevice];
  /** Of both ends, or none. */
  readonly injectors: readonly FaultInjector[];
}

/** @param hosts clock, chance and observer of each end's faults */
export function createWireDevices(hosts: readonly [Host, Host], names: readonly [string, string], options: WorldWireOptions): WireDevices {
  const { medium, mtu, offload, faults, aToB, bToA, network: _, addresses: __, names: ___, ...line } = options;
  const wire = createWire(hosts[0].clock, { medium, mtu, offload, names, aToB, bToA, ...line });
  const lines: [LinkDevice, LinkDevice] = [wire.a, wire.b];
  if (faults === undefined && aToB?.faults === undefined && bToA?.faults === undefined) return { ends: lines, lines, injectors: [] };
  // Each end does the faults of what it sends, so that a capture at the other end shows what is left.
  const a = new FaultInjector(wire.a, hosts[0], { out: { ...faults, ...aToB?.faults } });
  const b = new FaultInjector(wire.b, hosts[1], { out: { ...faults, ...bToA?.faults } });
  return { ends: [a, b], lines, injectors: [a, b] };
}
