// One end of a conversation: an address and a port.
import { formatIp, type IpAddress, isIpv6 } from "@netstrata/core";

export interface Endpoint {
  readonly address: IpAddress;
  /** 0 … 65535; 0 asks for a free one. */
  readonly port: number;
}

/** `192.0.2.1:80` or `[2001:db8::1]:80`. */
export function formatEndpoint(endpoint: Endpoint): string {
  const address = formatIp(endpoint.address);
  return isIpv6(endpoint.address) ? `[${address}]:${endpoint.port}` : `${address}:${endpoint.port}`;
}
