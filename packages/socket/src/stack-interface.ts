// Interfaces and routes as users describe them.
import { type Host, type IpPrefix, isIpv4, type MacAddress, parseMac, parsePrefix, prefix, prefixContains } from "@netstrata/core";
import type { InternetLayer, Ipv6InterfaceOptions } from "@netstrata/internet";
import {
  EthernetInterface,
  IpInterface,
  type LinkDevice,
  LoopbackDevice,
  type NeighbourLimits,
  type NetworkInterface,
} from "@netstrata/link";
import type { Hosts } from "./socket-address.ts";

export interface InterfaceOptions {
  /** What carries the packets: a wire's end, a switch's port, a TUN device … */
  readonly device?: LinkDevice;
  /** Instead of a device: an interface made already. */
  readonly networkInterface?: NetworkInterface;
  /** `"10.0.0.1/24"`: the addresses with the length of their network's prefix; the first is the primary one. */
  readonly address?: string | readonly string[];
  /** The router behind which everything else lies: a default route. */
  readonly gateway?: string;
  /** @default a random, locally administered one */
  readonly mac?: string;
  /** In octets, at most the device's. */
  readonly mtu?: number;
  /** @default the device's */
  readonly name?: string;
  readonly vlan?: number;
  readonly neighbours?: Partial<NeighbourLimits>;
  /** On an Ethernet: autoconfiguration, router advertisements. @default IPv6 is spoken when there is an IPv6 address */
  readonly ipv6?: Ipv6InterfaceOptions;
}

export interface RouteOptions {
  /** `"10.2.0.0/16"`, or `"default"`. */
  readonly to: string;
  /** The router; absent when the network is on the interface itself. */
  readonly via?: string;
  /** The interface's name. @default the one in whose network `via` is */
  readonly interface?: string;
  readonly metric?: number;
}

/** Makes the interface, if need be, and takes it into use. Misuse throws. */
export function addInterface(host: Host, internet: InternetLayer, options: InterfaceOptions): NetworkInterface {
  const { address = [], gateway } = options;
  const prefixes = (typeof address === "string" ? [address] : address).map(prefix);
  const networkInterface = options.networkInterface ?? createInterface(host, options);
  internet.addInterface(networkInterface);
  if (options.ipv6 !== undefined) internet.enableIpv6(networkInterface, options.ipv6);
  for (const each of prefixes) internet.addAddress(networkInterface, each);
  if (gateway !== undefined) addRoute(internet, { to: "default", via: gateway, interface: networkInterface.name });
  return networkInterface;
}

function createInterface(host: Host, options: InterfaceOptions): NetworkInterface {
  const { device, mac, mtu, name, vlan, neighbours } = options;
  if (device === undefined) throw new RangeError("an interface needs a device, or a networkInterface made already");
  if (device.medium === "ip") return new IpInterface(host, device, { mtu, name });
  return new EthernetInterface(host, device, { mtu, name, vlan, neighbours, macAddress: mac === undefined ? undefined : macAddress(mac) });
}

function macAddress(text: string): MacAddress {
  const parsed = parseMac(text);
  if (parsed === undefined) throw new RangeError(`not a MAC address: ${JSON.stringify(text)}`);
  return parsed;
}

/** 127.0.0.1/8 and ::1/128, which every host has (RFC 1122 §3.2.1.3 g, RFC 4291 §2.5.3). */
export function addLoopback(host: Host, internet: InternetLayer): void {
  const loopback = new IpInterface(host, new LoopbackDevice(host.clock));
  internet.addInterface(loopback, { loopback: true });
  internet.addAddress(loopback, prefix("127.0.0.1/8"));
  internet.addAddress(loopback, prefix("::1/128"));
}

/** Throws a RangeError when no interface leads to the router. */
export function addRoute(internet: InternetLayer, options: RouteOptions, hosts?: Hosts): void {
  const { to, via, metric } = options;
  const nextHop = via === undefined ? undefined : (hosts?.find(via) ?? prefix(via).address);
  const through = internet.interfaces.find((candidate) =>
    options.interface === undefined
      ? nextHop !== undefined && candidate.addresses.some((own) => prefixContains(own, nextHop))
      : candidate.name === options.interface,
  );
  if (through === undefined) throw new RangeError(`route to ${to}: no interface ${options.interface ?? `leads to ${via ?? "it"}`}`);
  internet.routes.add({ prefix: destination(to, nextHop === undefined || isIpv4(nextHop)), nextHop, interface: through, metric });
}

function destination(to: string, isVersion4: boolean): IpPrefix {
  if (to === "default") return prefix(isVersion4 ? "0.0.0.0/0" : "::/0");
  const parsed = parsePrefix(to);
  if (parsed === undefined) throw new RangeError(`route to ${JSON.stringify(to)}: not a prefix`);
  return parsed;
}
