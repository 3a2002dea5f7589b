// What an AF_INET6 socket makes of IPv4: mapped addresses at its calls, plain ones below (RFC 3493 §3.7, §5.3).
import { ipv4FromMapped, isIpv4, isMappedIpv4, mappedFromIpv4 } from "@netstrata/core";
import type { Endpoint } from "@netstrata/transport";
import { AF_INET } from "./linux-numbers.ts";

/** What the calls need to know of a socket. */
export interface SocketFamily {
  readonly domain: number;
  readonly onlyIpv6: boolean;
}

/**
 * An address from a caller as the layers below have it: ::ffff:192.0.2.1 is 192.0.2.1.
 * @returns undefined for one that this socket has no use for
 */
export function addressBelow({ domain, onlyIpv6 }: SocketFamily, endpoint: Endpoint): Endpoint | undefined {
  const { address, port } = endpoint;
  if (isIpv4(address)) return domain === AF_INET ? endpoint : undefined;
  if (domain === AF_INET) return undefined;
  if (!isMappedIpv4(address)) return endpoint;
  return onlyIpv6 ? undefined : { address: ipv4FromMapped(address), port };
}

/** An address for a caller: of the socket's own family, whatever was on the wire. */
export function addressAbove({ domain }: SocketFamily, endpoint: Endpoint): Endpoint {
  const { address, port } = endpoint;
  return domain === AF_INET || !isIpv4(address) ? endpoint : { address: mappedFromIpv4(address), port };
}
