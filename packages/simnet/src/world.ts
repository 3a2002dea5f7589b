// A world: hosts, what joins them, and the clock they share. The same program runs in a simulated one and in the real one.
import { type Clock, formatIp, type Host, type Milliseconds, type PacketEvent, prefix, type Random } from "@netstrata/core";
import type { Route } from "@netstrata/internet";
import { EthernetSwitch, type Medium, type PacketSink } from "@netstrata/link";
import { Hosts, type InterfaceOptions, Stack, type StackOptions } from "@netstrata/socket";
import { type Member, Network } from "./network.ts";
import { shortestPaths } from "./shortest-paths.ts";
import { WorldEvents, type WorldListener } from "./world-events.ts";
import { WorldSwitch, type WorldSwitchOptions } from "./world-switch.ts";
import { createWireDevices, WorldWire, type WorldWireOptions } from "./world-wire.ts";

/** Everything about a stack but what the world itself decides. */
export type WorldHostOptions = Omit<StackOptions, "host" | "name" | "hosts">;

/** An interface whose packets can be captured. */
export interface CapturePoint {
  readonly host: string;
  readonly interface: string;
  readonly medium: Medium;
}

export interface RunOptions {
  /** Fails when the program is not done after so long on the world's clock. @default a day */
  readonly limit?: Milliseconds;
}

export const DEFAULT_RUN_LIMIT: Milliseconds = 86_400_000;

export abstract class World implements AsyncDisposable {
  /** The same seed and the same program: the same packets, in a simulated world. */
  readonly seed: number;
  readonly clock: Clock & { readonly armedTimers: number };
  private readonly randomFor: (label: string) => Random;
  private readonly stacks: Map<string, Stack> = new Map();
  private readonly hosts: Hosts = new Hosts();
  private readonly events: WorldEvents;
  private readonly networks: Network[] = [];
  private readonly wires: WorldWire[] = [];
  private readonly switches: EthernetSwitch[] = [];
  /** Wires and switches have been added since routes were computed. */
  private needsRoutes = false;
  private readonly computed: WeakSet<Route> = new WeakSet();

  constructor(seed: number, clock: Clock & { readonly armedTimers: number }, randomFor: (label: string) => Random) {
    this.seed = seed;
    this.clock = clock;
    this.randomFor = randomFor;
    this.events = new WorldEvents(clock);
  }

  get now(): Milliseconds {
    return this.clock.now();
  }

  /** All hosts in the order in which they were made. */
  get all(): readonly Stack[] {
    return [...this.stacks.values()];
  }

  // Building

  /** A host that other hosts know by its name. */
  host(name: string, options: WorldHostOptions = {}): Stack {
    if (this.stacks.has(name)) throw new RangeError(`there is a host ${name} already`);
    const host: Host = { name, clock: this.clock, random: this.randomFor(name) };
    const stack = new Stack({ ...options, host, hosts: this.hosts });
    this.stacks.set(name, stack);
    this.events.add(host);
    return stack;
  }

  /** A host that forwards. */
  router(name: string, options: WorldHostOptions = {}): Stack {
    return this.host(name, { forwarding: true, ...options });
  }

  /** Joins two hosts; each gets an interface and an address. */
  wire(a: Stack, b: Stack, options: WorldWireOptions = {}): WorldWire {
    for (const stack of [a, b]) this.requireHost(stack);
    const network = new Network(options.network ?? options.addresses?.[0] ?? this.nextNetwork());
    const addresses = options.addresses ?? [network.nextAddress(), network.nextAddress()];
    const names = options.names ?? [nextName(a), a === b ? `${nextName(b)}b` : nextName(b)];
    const label = `wire ${this.wires.length}`;
    const hosts = [a, b].map((stack, end) => faultHost(stack.host, this.randomFor(`${label} end ${end}`))) as [Host, Host];
    const devices = createWireDevices(hosts, names, options);
    const [first, second] = [a, b].map((stack, end) => {
      const device = devices.ends[end];
      return { stack, device, interface: this.plugIn(stack, { device, address: addresses[end], name: names[end] }) };
    });
    const wire = new WorldWire(first, second, devices);
    for (const { stack, interface: networkInterface } of [first, second]) network.join(stack, networkInterface);
    this.networks.push(network);
    this.wires.push(wire);
    return wire;
  }

  /** A learning switch; `attach` plugs hosts in. */
  switch(options: WorldSwitchOptions = {}): WorldSwitch {
    const { network: text, ...rest } = options;
    const network = new Network(text ?? this.nextNetwork());
    const device = new EthernetSwitch(this.clock, { name: `switch${this.switches.length}-`, ...rest });
    this.networks.push(network);
    this.switches.push(device);
    return new WorldSwitch(device, network, (stack, wanted) => this.plugIn(stack, { name: nextName(stack), ...wanted }));
  }

  /** Gives every host a route to every network, over the fewest routers. `run` and `advance` do it after each change. */
  computeRoutes(): void {
    this.needsRoutes = false;
    const networksOf = new Map<Stack, [Network, Member][]>();
    for (const network of this.networks) {
      for (const member of network.members) {
        const list = networksOf.get(member.stack);
        if (list === undefined) networksOf.set(member.stack, [[network, member]]);
        else list.push([network, member]);
      }
    }
    for (const stack of this.stacks.values()) {
      const { routes } = stack.layers.internet;
      routes.remove((route) => this.computed.has(route));
      for (const { network, nextHop, interface: through, distance } of shortestPaths(stack, networksOf)) {
        // The metric is at least 1: a route that the user has added goes before.
        this.computed.add(routes.add({ prefix: network.prefix, nextHop, interface: through, metric: distance }));
      }
    }
  }

  // Looking

  /** Tells of everything that happens on any host. @returns a function that stops it */
  observe(listener: WorldListener): () => void {
    return this.events.listen(listener);
  }

  /**
   * Captures packets as they pass interfaces, from the link header on.
   * @param sinkFor asked once for each interface, before its first packet; undefined leaves it out
   * @returns a function that ends the capture
   */
  capture(sinkFor: (point: CapturePoint) => PacketSink | undefined): () => void {
    const sinks = new Map<string, PacketSink | undefined>();
    return this.observe(({ time, host, event }) => {
      if (event.kind !== "packet" || event.layer !== "link") return;
      const { interface: name, direction, packet } = event as PacketEvent;
      const key = `${host} ${name}`;
      let sink = sinks.get(key);
      if (sink === undefined && !sinks.has(key)) {
        const interfaces = this.stacks.get(host)?.layers.internet.interfaces ?? [];
        const medium = interfaces.find((candidate) => candidate.name === name)?.device.medium ?? "ip";
        sink = sinkFor({ host, interface: name, medium });
        sinks.set(key, sink);
      }
      sink?.packet(packet.view(), time, direction);
    });
  }

  /** What is still there, one line each; nothing, when everything has ended. */
  leaks(): string[] {
    const found: [string, number, string][] = [];
    for (const { name, openSockets, layers } of this.stacks.values()) {
      found.push([name, openSockets, "sockets open"], [name, layers.tcp.connectionCount, "TCP connections"]);
      found.push([name, layers.tcp.listenerCount, "TCP listeners"], [name, [...layers.udp.endpoints].length, "UDP endpoints"]);
    }
    for (const wire of this.wires) found.push([`${wire.a.stack.name} – ${wire.b.stack.name}`, wire.inFlight, "packets on the wire"]);
    found.push(["world", this.clock.armedTimers, "timers armed"]);
    return found.filter(([, count]) => count > 0).map(([where, count, what]) => `${where}: ${count} ${what}`);
  }

  // Running

  /** Runs a program on the world's clock, and returns what it returns. */
  abstract run<T>(program: () => Promise<T>, options?: RunOptions): Promise<T>;

  /** Lets time pass, outside `run`. */
  abstract advance(duration: Milliseconds): Promise<void>;

  /** Lets time pass until no timer is armed, or `limit` is over. @returns true when none is */
  abstract settle(limit?: Milliseconds): Promise<boolean>;

  /** Waits inside a program. */
  sleep(duration: Milliseconds): Promise<void> {
    return new Promise((resolve) => this.clock.timer(resolve).arm(duration));
  }

  /** Waits for something of the outer world, a file or a subprocess: meanwhile the world stands still. */
  abstract outside<T>(promise: Promise<T>): Promise<T>;

  /** Ends every host at once: nothing is left, and what waits is told so. */
  async close(): Promise<void> {
    for (const stack of this.stacks.values()) await stack.close();
    // Hosts that went later have sent their last words to hosts that had gone.
    for (const wire of this.wires) wire.close();
    for (const device of this.switches) device.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected prepare(): void {
    if (this.needsRoutes) this.computeRoutes();
  }

  private plugIn(stack: Stack, options: InterfaceOptions): ReturnType<Stack["addInterface"]> {
    this.requireHost(stack);
    const networkInterface = stack.addInterface(options);
    const [primary] = networkInterface.addresses;
    if (primary !== undefined && this.hosts.find(stack.name) === undefined) this.hosts.set(stack.name, formatIp(primary.address));
    this.needsRoutes = true;
    return networkInterface;
  }

  private requireHost(stack: Stack): void {
    if (this.stacks.get(stack.name) !== stack) throw new RangeError(`host ${stack.name} is not of this world`);
  }

  /** Passes over what lies in a network that somebody has chosen. */
  private nextNetwork(): string {
    for (let number = this.networks.length + 1; number < 65536; number += 1) {
      const text = `10.${number >>> 8}.${number & 255}.0/24`;
      if (!this.networks.some((network) => network.overlaps(prefix(text)))) return text;
    }
    throw new RangeError("no network in 10.0.0.0/8 is free; name one yourself");
  }
}

/** "eth0", "eth1" …; the loopback is not counted. */
function nextName(stack: Stack): string {
  return `eth${stack.layers.internet.interfaces.length - 1}`;
}

/** Faults draw from a source of their own, so that a fault more does not change what the host draws; events are the host's. */
function faultHost(host: Host, random: Random): Host {
  return {
    name: host.name,
    clock: host.clock,
    random,
    get observer() {
      return host.observer;
    },
  };
}
