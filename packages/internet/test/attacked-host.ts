// A host with everything in its place, from Ethernet to TCP, with tight limits, on devices that trust nobody.
import { type Host, type IpAddress, type IpPrefix, ip, type MacAddress, prefix, SeededRandom, VirtualClock } from "@netstrata/core";
import {
  CaptureWriter,
  EthernetInterface,
  FaultInjector,
  IpInterface,
  LoopbackDevice,
  NEIGHBOUR_LIMITS,
  type NeighbourCache,
  type NeighbourLimits,
  type NetworkInterface,
  Tracer,
} from "@netstrata/link";
import { Tcp, type TcpListener, Udp, type UdpEndpoint } from "@netstrata/transport";
import { InternetLayer } from "../src/index.ts";
import { HostileDevice } from "./hostile-device.ts";

export const OWN_ADDRESSES = ["192.0.2.1", "198.51.100.1", "203.0.113.1"] as const;

const TIGHT: Partial<NeighbourLimits> = { maxEntries: 6, queueLimit: 2, totalQueueLimit: 5 };
const REASSEMBLY = { octets: 20_000, datagrams: 5, fragmentsPerDatagram: 8 };
const DESTINATIONS = 20;
const HELD_LIMIT = 6;
const CONNECTIONS = 40;

export interface Link {
  readonly far: HostileDevice;
  readonly interface: NetworkInterface;
  /** Undefined on a medium that carries bare datagrams. */
  readonly macAddress: MacAddress | undefined;
  readonly vlan: number;
  readonly faults: FaultInjector | undefined;
  readonly neighbours: NeighbourCache | undefined;
}

export class AttackedHost {
  readonly clock: VirtualClock = new VirtualClock();
  /** An Ethernet, a VLAN with a small MTU, and a TUN device; around one of them there may be a fault injector. */
  readonly links: Link[] = [];
  readonly layer: InternetLayer;
  readonly tcp: Tcp;
  readonly udp: Udp;
  /** Every address that it has or had: what it has just given up may still be on its way. */
  readonly own: Set<IpAddress> = new Set(OWN_ADDRESSES.map(ip));
  /** UDP, port 7. */
  readonly echo: UdpEndpoint;
  private readonly host: Host;
  private readonly loopback: IpInterface;
  private readonly limits: NeighbourLimits;
  /** TCP, port 80. */
  private readonly listener: TcpListener;

  constructor(seed: number) {
    this.host = { name: "host", clock: this.clock, random: new SeededRandom(seed), observer: { observe: () => {} } };
    this.limits = seed % 2 === 0 ? { ...NEIGHBOUR_LIMITS, ...TIGHT } : NEIGHBOUR_LIMITS;
    const roles = { forwarding: seed % 3 !== 0, directedBroadcasts: seed % 5 === 0 };
    this.layer = new InternetLayer(this.host, { ...roles, reassembly: REASSEMBLY, destinations: DESTINATIONS });
    this.loopback = new IpInterface(this.host, new LoopbackDevice(this.clock));
    this.loopback.addAddress(prefix("127.0.0.1/8"));
    this.layer.addInterface(this.loopback, { loopback: true });
    this.plug(new HostileDevice("eth0", "ethernet", 1500), OWN_ADDRESSES[0], 0, seed % 4 === 0);
    this.plug(new HostileDevice("eth1", "ethernet", 576, Buffer.alloc(66_000)), OWN_ADDRESSES[1], 7, seed % 4 === 1);
    this.plug(new HostileDevice("tun0", "ip", 1280), OWN_ADDRESSES[2], 0, seed % 4 === 2);
    const [eth0, , tun0] = this.links;
    if (seed % 7 !== 0) this.layer.routes.add({ prefix: prefix("0.0.0.0/0"), interface: eth0.interface, nextHop: ip("192.0.2.254") });
    this.layer.routes.add({ prefix: prefix("8.0.0.0/8"), interface: tun0.interface });
    this.tcp = new Tcp(this.host, this.layer, { maxConnections: CONNECTIONS, acceptSourceRoutes: true });
    this.udp = new Udp(this.host, this.layer);
    this.echo = served(this.udp.bind({ port: 7 }, { received: (endpoint, payload, from) => void endpoint.send(payload, from) }));
    const user = { acceptable: (listener: TcpListener): void => listener.accept()?.close() };
    this.listener = served(this.tcp.listen({ address: ip("0.0.0.0"), port: 80 }, user, { backlog: 3 }));
  }

  private plug(far: HostileDevice, address: string, vlan: number, isFaulty: boolean): void {
    const rates = { duplicate: 0.05, reorder: 0.05, delay: 0.05, drop: 0.02 };
    const faults = isFaulty ? new FaultInjector(far, this.host, { in: rates, out: rates, heldLimit: HELD_LIMIT }) : undefined;
    const device = new Tracer(new CaptureWriter(faults ?? far, this.clock, { packet: () => {} }), () => {});
    const options = { vlan, neighbours: this.limits };
    const networkInterface = far.medium === "ip" ? new IpInterface(this.host, device) : new EthernetInterface(this.host, device, options);
    this.layer.addInterface(networkInterface);
    this.layer.addAddress(networkInterface, prefix(`${address}/24`));
    const ethernet = networkInterface instanceof EthernetInterface ? networkInterface : undefined;
    this.links.push({ far, interface: networkInterface, macAddress: ethernet?.macAddress, vlan, faults, neighbours: ethernet?.arp.cache });
  }

  addAddress(networkInterface: NetworkInterface, address: IpPrefix): void {
    this.own.add(address.address);
    this.layer.addAddress(networkInterface, address);
  }

  /** Datagrams that wait for a link address. */
  get waiting(): number {
    return this.links.reduce((sum, { neighbours }) => sum + (neighbours?.waiting ?? 0), 0);
  }

  /** Frames that a fault injector holds back. */
  get heldBack(): number {
    return this.links.reduce((sum, { faults }) => sum + (faults?.held ?? 0), 0);
  }

  get isFaulty(): boolean {
    return this.links.some(({ faults }) => faults !== undefined);
  }

  /** @throws when there is more of anything than its limit */
  checkLimits(): void {
    const { reassembler } = this.layer.ipv4;
    for (const { neighbours, faults } of this.links) {
      within("neighbours", neighbours?.size ?? 0, this.limits.maxEntries);
      within("datagrams that wait", neighbours?.waiting ?? 0, this.limits.totalQueueLimit);
      within("packets held back", faults?.held ?? 0, 2 * HELD_LIMIT);
    }
    within("octets of fragments", reassembler.octets, REASSEMBLY.octets);
    within("unfinished datagrams", reassembler.size, REASSEMBLY.datagrams);
    within("destinations", this.layer.destinations.size, DESTINATIONS);
    within("connections", this.tcp.connectionCount, CONNECTIONS);
  }

  endFaults(): void {
    for (const { faults } of this.links) {
      faults?.setRates("in", {});
      faults?.setRates("out", {});
    }
  }

  /** @returns how many timers are left */
  close(): number {
    this.tcp.close();
    this.listener.close();
    this.echo.close();
    this.layer.close();
    for (const { interface: networkInterface } of this.links) networkInterface.close();
    this.loopback.close();
    return this.clock.armedTimers;
  }
}

function within(what: string, count: number, limit: number): void {
  if (!(count <= limit)) throw new Error(`${count} ${what}: the limit is ${limit}`);
}

function served<T extends object>(result: T | string): T {
  if (typeof result === "string") throw new Error(result);
  return result;
}
