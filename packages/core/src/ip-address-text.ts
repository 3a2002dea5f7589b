// Addresses and prefixes as people write them: dotted quads, and RFC 4291 §2.2 read, RFC 5952 written.
import { type IpAddress, type Ipv4Address, type Ipv6Address, isIpv4 } from "./ip-address.ts";
import type { IpPrefix } from "./ip-prefix.ts";

/** Writes `192.0.2.1` or, by RFC 5952 §4, `2001:db8::1` (and `::ffff:192.0.2.1` for a mapped address, §5). */
export function formatIp(address: IpAddress): string {
  return isIpv4(address) ? formatIpv4(address) : formatIpv6(address);
}

/** Reads an address of either family; undefined when the text is not one. */
export function parseIp(text: string): IpAddress | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** `parseIp` for text that the program itself wrote: throws a RangeError when it is not an address. */
export function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new RangeError(`not an IP address: ${JSON.stringify(text)}`);
  return address;
}

/** Reads `a.b.c.d`, decimal without leading zeros (an octal reading of 010 is a classic hole); undefined otherwise. */
export function parseIpv4(text: string): Ipv4Address | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let address = 0;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    address = address * 256 + Number(part);
  }
  return address as Ipv4Address;
}

/** Reads any form of RFC 4291 §2.2, with `::` and with a dotted quad at the end; undefined otherwise. Zones (`%eth0`) are not part of an address. */
export function parseIpv6(text: string): Ipv6Address | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0], halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1], true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  // "::" stands for at least one group.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return String.fromCharCode(...head, ...new Array<number>(missing).fill(0), ...tail) as Ipv6Address;
}

function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (mayEndInIpv4 && index === parts.length - 1 && part.includes(".")) {
      const quad = parseIpv4(part);
      if (quad === undefined) return undefined;
      groups.push(quad >>> 16, quad & 0xffff);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

function formatIpv4(address: Ipv4Address): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

function formatIpv6(address: Ipv6Address): string {
  const groups = Array.from({ length: 8 }, (_, index) => address.charCodeAt(index));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${formatIpv4((((groups[6] << 16) | groups[7]) >>> 0) as Ipv4Address)}`;
  }
  // RFC 5952 §4.2: "::" replaces the first of the longest runs of two or more zero groups.
  let bestStart = 0;
  let bestLength = 1;
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length += 1;
    if (length > bestLength) {
      bestStart = start;
      bestLength = length;
    }
  }
  const digits = groups.map((group) => group.toString(16));
  if (bestLength < 2) return digits.join(":");
  return `${digits.slice(0, bestStart).join(":")}::${digits.slice(bestStart + bestLength).join(":")}`;
}

/** Writes `192.0.2.0/24`. */
export function formatPrefix(prefix: IpPrefix): string {
  return `${formatIp(prefix.address)}/${prefix.length}`;
}

/** Reads `ADDRESS/LENGTH`; a bare address is a host prefix. Host bits are kept, so that an interface's own address can be written so. */
export function parsePrefix(text: string): IpPrefix | undefined {
  const [addressText, lengthText, ...rest] = text.split("/");
  const address = parseIp(addressText);
  if (address === undefined || rest.length > 0) return undefined;
  const bits = isIpv4(address) ? 32 : 128;
  if (lengthText === undefined) return { address, length: bits };
  if (!/^(0|[1-9][0-9]{0,2})$/.test(lengthText) || Number(lengthText) > bits) return undefined;
  return { address, length: Number(lengthText) };
}

/** `parsePrefix` for text that the program itself wrote: throws a RangeError when it is not a prefix. */
export function prefix(text: string): IpPrefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(`not an address with prefix length: ${JSON.stringify(text)}`);
  return parsed;
}
