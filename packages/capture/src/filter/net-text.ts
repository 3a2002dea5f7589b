// Networks as tcpdump's filters write them: `10.0.0.0/8`, `10.0.0.0 mask 255.0.0.0`, and `10` or `192.168` for whole octets.
import { type IpPrefix, ipv4Mask, isIpv4, networkOf, parseIpv4, parsePrefix } from "@netstrata/core";

/** The network, its host bits cleared; undefined when the text is not one. */
export function parseNet(text: string, maskText?: string): IpPrefix | undefined {
  const octets = /^[0-9]+(\.[0-9]+){0,2}$/.test(text) ? text.split(".") : undefined;
  const whole = octets === undefined ? text : [...octets, "0", "0", "0"].slice(0, 4).join(".");
  const prefix = parsePrefix(whole);
  if (prefix === undefined) return undefined;
  if (maskText !== undefined) {
    const mask = parseIpv4(maskText);
    const length = mask === undefined ? -1 : 32 - Math.log2((~mask >>> 0) + 1);
    const isMask = Number.isInteger(length) && length >= 0 && ipv4Mask(length) === mask;
    return isIpv4(prefix.address) && isMask ? networkOf({ address: prefix.address, length }) : undefined;
  }
  return networkOf(octets === undefined ? prefix : { address: prefix.address, length: 8 * octets.length });
}
