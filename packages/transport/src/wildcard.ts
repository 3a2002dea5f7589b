// Which addresses an end is bound to: itself, all of its family, or, as "::" unless it is for IPv6 only, all of both (RFC 3493 §5.3).
import { IPV6_ANY, type IpAddress, ipVersion, isUnspecified } from "@netstrata/core";

/** What decides it. */
export interface Binding {
  readonly address: IpAddress;
  /** IPV6_V6ONLY: "::" leaves IPv4 alone. */
  readonly ipv6Only: boolean;
}

/** True for a binding that serves IPv4 and IPv6. */
export function isDualStack({ address, ipv6Only }: Binding): boolean {
  return address === IPV6_ANY && !ipv6Only;
}

/** How exactly a binding fits what is sent to `address`: 0 not at all, 1 as one of all of both families, 2 as one of its family, 3 as itself. */
export function fitOf(binding: Binding, address: IpAddress): 0 | 1 | 2 | 3 {
  if (binding.address === address) return 3;
  if (!isUnspecified(binding.address)) return 0;
  if (ipVersion(binding.address) === ipVersion(address)) return 2;
  return isDualStack(binding) ? 1 : 0;
}

/** True when something could be sent to both. */
export function bindingsOverlap(a: Binding, b: Binding): boolean {
  return fitOf(a, b.address) > 0 || fitOf(b, a.address) > 0;
}
