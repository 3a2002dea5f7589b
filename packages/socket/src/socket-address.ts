// Addresses as users write them, and the names a stack knows without asking anybody.
import { formatIp, IPV4_LOOPBACK, IPV6_LOOPBACK, type IpAddress, isIpv4, isIpv6, isUnspecified, parseIp } from "@netstrata/core";
import type { Endpoint } from "@netstrata/transport";
import { SystemError } from "./system-error.ts";

/** As in the WinterTC proposal; an IPv6 address stands without brackets. */
export interface SocketAddress {
  readonly hostname: string;
  readonly port: number;
}

/** Also `"host:port"` and `"[v6]:port"`, and an address as the stack reports it. */
export type AnySocketAddress = SocketAddress | { readonly address: string; readonly port: number } | string;

/** What the stack reports: always an address, never a name. */
export interface NumericAddress {
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
}

export function toNumericAddress(endpoint: Endpoint): NumericAddress {
  return { address: formatIp(endpoint.address), family: isIpv6(endpoint.address) ? 6 : 4, port: endpoint.port };
}

/** Reads any form of an address; throws EINVAL when it has none, or a port that is no port. */
export function toSocketAddress(address: AnySocketAddress, syscall: string): SocketAddress {
  // Not everybody has a compiler: what is no object at all has no host either.
  const parsed: Partial<SocketAddress & NumericAddress> = typeof address === "string" ? splitAddress(address) : Object(address);
  const { hostname = parsed.address, port } = parsed;
  if (typeof hostname !== "string" || hostname === "") {
    throw new SystemError("EINVAL", syscall, { detail: `no host in ${JSON.stringify(address)}; write "host:port" or { hostname, port }` });
  }
  requirePort(port, syscall, hostname);
  return { hostname, port };
}

export function requirePort(port: unknown, syscall: string, address?: string): asserts port is number {
  if (Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65535) return;
  const given = typeof port === "string" ? JSON.stringify(port) : String(port);
  throw new SystemError("EINVAL", syscall, { address, detail: `a port is an integer from 0 to 65535, not ${given}` });
}

function splitAddress(text: string): SocketAddress {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):([0-9]{1,5})$/.exec(text);
  return match === null ? { hostname: "", port: 0 } : { hostname: match[1] ?? match[2], port: Number(match[3]) };
}

/** Names without a name server: `localhost` and what was entered by hand, as in a hosts file. */
export class Hosts {
  private readonly entries: Map<string, IpAddress> = new Map([["localhost", IPV4_LOOPBACK]]);

  private lastLiteral: string | undefined;
  private lastAddress: IpAddress | undefined;

  constructor(entries: Readonly<Record<string, string>> = {}) {
    for (const [name, address] of Object.entries(entries)) this.set(name, address);
  }

  /** Throws a RangeError when `address` is not an IP address. */
  set(name: string, address: string): void {
    const parsed = parseIp(address);
    if (parsed === undefined) throw new RangeError(`hosts entry ${name}: ${JSON.stringify(address)} is not an IP address`);
    this.entries.set(name.toLowerCase(), parsed);
  }

  /** The address of a literal or of a known name. */
  find(hostname: string): IpAddress | undefined {
    // Who sends a thousand datagrams mostly sends them to one address, and reading it costs as much as sending one.
    if (hostname === this.lastLiteral) return this.lastAddress;
    const address = parseIp(hostname);
    if (address === undefined) return this.entries.get(hostname.toLowerCase());
    this.lastLiteral = hostname;
    this.lastAddress = address;
    return address;
  }

  /** `find`, or ENOTFOUND as Node says it. */
  resolve(hostname: string): IpAddress {
    const address = this.find(hostname);
    if (address !== undefined) return address;
    throw new SystemError("ENOTFOUND", "getaddrinfo", {
      address: hostname,
      detail: "neither an IP address nor a name in this stack's hosts; there is no DNS resolver yet",
    });
  }
}

/** "This host" as a destination means the loopback, as in all systems with sockets. */
export function reachable(address: IpAddress): IpAddress {
  if (!isUnspecified(address)) return address;
  return isIpv4(address) ? IPV4_LOOPBACK : IPV6_LOOPBACK;
}

/** The address of an error about `endpoint`. */
export function subjectOf(endpoint: Endpoint): { readonly address: string; readonly port: number } {
  return { address: formatIp(endpoint.address), port: endpoint.port };
}
