// Networks that everybody needs, in one call each.
import type { Stack } from "@netstrata/socket";
import type { World, WorldHostOptions } from "./world.ts";
import type { AttachOptions, WorldSwitch, WorldSwitchOptions } from "./world-switch.ts";
import type { WorldWire, WorldWireOptions } from "./world-wire.ts";

export interface PairOptions {
  readonly wire?: WorldWireOptions;
  /** Of both hosts. */
  readonly host?: WorldHostOptions;
}

export interface Pair {
  readonly client: Stack;
  readonly server: Stack;
  readonly wire: WorldWire;
}

/** client – server */
export function twoHosts(world: World, options: PairOptions = {}): Pair {
  const client = world.host("client", options.host);
  const server = world.host("server", options.host);
  return { client, server, wire: world.wire(client, server, options.wire) };
}

export interface PathOptions {
  /** Of all three wires. */
  readonly wire?: WorldWireOptions;
  /** What is different between the routers: the bottleneck, the faults. */
  readonly core?: WorldWireOptions;
  /** Of both hosts. */
  readonly host?: WorldHostOptions;
}

export interface Path {
  readonly client: Stack;
  readonly routers: readonly [Stack, Stack];
  readonly server: Stack;
  /** From the client to the server. */
  readonly wires: readonly [WorldWire, WorldWire, WorldWire];
}

/** client – left – right – server: networks 10.0.1.0/24, 10.0.2.0/24 and 10.0.3.0/24 in an empty world. */
export function twoHostsTwoRouters(world: World, options: PathOptions = {}): Path {
  const { wire, core, host } = options;
  const client = world.host("client", host);
  const left = world.router("left");
  const right = world.router("right");
  const server = world.host("server", host);
  const wires = [world.wire(client, left, wire), world.wire(left, right, { ...wire, ...core }), world.wire(right, server, wire)] as const;
  return { client, routers: [left, right], server, wires };
}

export interface LanOptions extends WorldSwitchOptions {
  /** Of all hosts. */
  readonly host?: WorldHostOptions;
  /** Of all ports. */
  readonly attach?: Pick<AttachOptions, "neighbours">;
  /** Before the number of each host. @default "host" */
  readonly prefix?: string;
}

export interface Lan {
  readonly switch: WorldSwitch;
  /** host1, host2 … */
  readonly hosts: readonly Stack[];
}

/** `count` hosts on one switch. */
export function lan(world: World, count: number, options: LanOptions = {}): Lan {
  const { host, attach, prefix = "host", ...rest } = options;
  const center = world.switch(rest);
  const hosts = Array.from({ length: count }, (_, index) => world.host(`${prefix}${index + 1}`, host));
  for (const each of hosts) center.attach(each, attach);
  return { switch: center, hosts };
}
