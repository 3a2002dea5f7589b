// The kernel's end of a device: its MTU, addresses and flags, by the requests of netdevice(7), so that no `ip` program is needed.
import { type IpPrefix, ipToBytes, ipv4Mask, isIpv4, prefix } from "@netstrata/core";
import { interfaceRequest, setSocketAddress } from "./interface-request.ts";
import { systemCalls } from "./system-calls.ts";
import { systemError } from "./tun-error.ts";

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const CLOSE_ON_EXEC = 0o2000000;

// <linux/sockios.h>
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCSIFADDR = 0x8916;
const SIOCSIFNETMASK = 0x891c;
const SIOCGIFMTU = 0x8921;
const SIOCSIFMTU = 0x8922;
const SIOCGIFINDEX = 0x8933;
const IFF_UP = 1;

const EXPLANATIONS = {
  EPERM: "needs root or CAP_NET_ADMIN",
  EACCES: "needs root or CAP_NET_ADMIN",
  ENODEV: "the interface is gone",
  EAFNOSUPPORT: "the kernel does not speak this family of addresses",
};

export interface KernelConfiguration {
  /**
   * The kernel's own address on the interface with the length of its network: `"10.0.0.1/24"`, `"fd00::1/64"`. An IPv4 address
   * takes the place of the one before, an IPv6 address joins those before.
   */
  readonly address?: string | IpPrefix;
  /** True raises the interface, false lowers it. @default unchanged */
  readonly up?: boolean;
}

/** @throws TunError when the kernel refuses, RangeError when the address cannot be read */
export function configureKernelInterface(name: string, { address, up }: KernelConfiguration): void {
  if (address !== undefined) setAddress(name, typeof address === "string" ? prefix(address) : address);
  if (up !== undefined) setUp(name, up);
}

/** The interface's MTU, in octets of link payload. */
export function kernelMtu(name: string): number {
  const request = interfaceRequest(name);
  ask(name, "SIOCGIFMTU", SIOCGIFMTU, request.bytes);
  return request.int[0];
}

export function setKernelMtu(name: string, mtu: number): void {
  const request = interfaceRequest(name);
  request.int[0] = mtu;
  ask(name, "SIOCSIFMTU", SIOCSIFMTU, request.bytes, { EINVAL: `an MTU of ${mtu} is out of range` });
}

function setAddress(name: string, { address, length }: IpPrefix): void {
  if (isIpv4(address)) setIpv4Address(name, address, ipv4Mask(length));
  else setIpv6Address(name, ipToBytes(address), length);
}

function setIpv4Address(name: string, address: number, mask: number): void {
  const request = interfaceRequest(name);
  setSocketAddress(request, AF_INET, address);
  ask(name, "SIOCSIFADDR", SIOCSIFADDR, request.bytes);
  setSocketAddress(request, AF_INET, mask);
  ask(name, "SIOCSIFNETMASK", SIOCSIFNETMASK, request.bytes);
}

/** IPv6 has a structure of its own for this request, struct in6_ifreq: address, prefix length, interface index. */
function setIpv6Address(name: string, address: Uint8Array, length: number): void {
  const interfaceIndex = interfaceRequest(name);
  ask(name, "SIOCGIFINDEX", SIOCGIFINDEX, interfaceIndex.bytes);
  const bytes = new Uint8Array(24);
  bytes.set(address);
  new Int32Array(bytes.buffer, 16).set([length, interfaceIndex.int[0]]);
  ask(name, "SIOCSIFADDR", SIOCSIFADDR, bytes, { EEXIST: "the interface has this address already" }, AF_INET6);
}

function setUp(name: string, up: boolean): void {
  const request = interfaceRequest(name);
  ask(name, "SIOCGIFFLAGS", SIOCGIFFLAGS, request.bytes);
  request.short[0] = up ? request.short[0] | IFF_UP : request.short[0] & ~IFF_UP;
  ask(name, "SIOCSIFFLAGS", SIOCSIFFLAGS, request.bytes);
}

/** Such requests are made on any socket of the family they are about. */
function ask(
  name: string,
  title: string,
  request: number,
  argument: Uint8Array,
  explanations: Record<string, string> = {},
  family: number = AF_INET,
): void {
  const calls = systemCalls();
  const socket = calls.socket(family, SOCK_DGRAM | CLOSE_ON_EXEC, 0);
  if (socket < 0) throw systemError(name, calls.errno(), "socket", EXPLANATIONS);
  try {
    if (calls.ioctl(socket, request, argument) < 0)
      throw systemError(name, calls.errno(), `ioctl(${title})`, { ...EXPLANATIONS, ...explanations });
  } finally {
    calls.close(socket);
  }
}
