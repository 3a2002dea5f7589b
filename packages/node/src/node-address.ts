// Addresses as Node tells them: `{ address, family: "IPv4", port }`.
import { isIP } from "node:net";
import { formatIp, type IpAddress, isIpv6, parseIp } from "@netstrata/core";
import type { Stack } from "@netstrata/socket";

export interface NodeAddress {
  address: string;
  family: "IPv4" | "IPv6";
  port: number;
}

export type Endpoint = Parameters<Stack["layers"]["tcp"]["open"]>[0];

export function formatEndpoint(endpoint: Endpoint): NodeAddress {
  return { address: formatIp(endpoint.address), family: isIpv6(endpoint.address) ? "IPv6" : "IPv4", port: endpoint.port };
}

/** An address in Node's text, which may carry a zone (`fe80::1%eth0`). */
export function toEndpoint(address: string, port: number): Endpoint | undefined {
  const parsed = isIP(address) === 0 ? undefined : parseIp(address.replace(/%.*$/, ""));
  return parsed === undefined ? undefined : { address: parsed, port };
}

/** Where "this host" is reached. */
export const LOOPBACKS: ReadonlyMap<IpAddress, IpAddress> = new Map(
  [
    ["0.0.0.0", "127.0.0.1"],
    ["::", "::1"],
  ].map((pair) => pair.map((each) => parseIp(each) as IpAddress) as [IpAddress, IpAddress]),
);
