// The five messages of neighbour discovery (RFC 4861 §4), and what each must be to be believed (§6.1, §7.1).
import { type Ipv6Address, isLinkLocal, isMulticast, isUnspecified, type PacketBuffer, readIpv6 } from "@netstrata/core";
import type { IcmpHeader } from "../icmp-message.ts";
import type { Ipv6Header } from "../ipv6-header.ts";
import { type DiscoveryOptions, preferenceOf, type RouterPreference, readDiscoveryOptions } from "./discovery-options.ts";

/** §3.1: no router has forwarded it, so that its sender is on the link. */
export const DISCOVERY_HOP_LIMIT = 255;

const FLAG_ROUTER = 0x80000000;
const FLAG_SOLICITED = 0x40000000;
const FLAG_OVERRIDE = 0x20000000;

export interface NeighbourMessage {
  readonly target: Ipv6Address;
  readonly options: DiscoveryOptions;
}

export interface NeighbourAdvertisement extends NeighbourMessage {
  readonly isRouter: boolean;
  readonly isSolicited: boolean;
  readonly override: boolean;
}

export interface RouterAdvertisement {
  /** 0 when the router has no opinion. */
  readonly hopLimit: number;
  readonly preference: RouterPreference;
  /** In seconds; 0: not a default router. */
  readonly lifetime: number;
  readonly options: DiscoveryOptions;
}

/** What every message must be; undefined when it is. RFC 6980 §5: in one piece, or an inspector on the way could not have read it. */
function isCredible(message: IcmpHeader, header: Ipv6Header): boolean {
  return header.timeToLive === DISCOVERY_HOP_LIMIT && message.code === 0 && header.fragment === undefined;
}

/** §7.1.1; undefined for what is to be dropped. */
export function readNeighbourSolicitation(packet: PacketBuffer, message: IcmpHeader, header: Ipv6Header): NeighbourMessage | undefined {
  const read = readNeighbour(packet, message, header);
  if (read === undefined || !isUnspecified(header.source)) return read;
  // Who has no address yet asks all who might have this one, and has no link address to be remembered by.
  const isToGroup = header.destination.startsWith("\uff02\0\0\0\0\u0001") && header.destination.charCodeAt(6) >>> 8 === 0xff;
  return isToGroup && read.options.sourceLinkAddress === undefined ? read : undefined;
}

/** §7.1.2. */
export function readNeighbourAdvertisement(
  packet: PacketBuffer,
  message: IcmpHeader,
  header: Ipv6Header,
): NeighbourAdvertisement | undefined {
  const read = readNeighbour(packet, message, header);
  const isSolicited = (message.rest & FLAG_SOLICITED) !== 0;
  if (read === undefined || (isSolicited && isMulticast(header.destination))) return undefined;
  return { ...read, isSolicited, isRouter: (message.rest & FLAG_ROUTER) !== 0, override: (message.rest & FLAG_OVERRIDE) !== 0 };
}

/** The second word of a neighbour advertisement (§4.4). */
export function advertisementFlags(isRouter: boolean, isSolicited: boolean, override: boolean): number {
  return (isRouter ? FLAG_ROUTER : 0) + (isSolicited ? FLAG_SOLICITED : 0) + (override ? FLAG_OVERRIDE : 0);
}

function readNeighbour(packet: PacketBuffer, message: IcmpHeader, header: Ipv6Header): NeighbourMessage | undefined {
  if (!isCredible(message, header) || packet.length < 16) return undefined;
  const target = readIpv6(packet, 0);
  const options = readDiscoveryOptions(packet, 16);
  return options === undefined || isMulticast(target) || isUnspecified(target) ? undefined : { target, options };
}

/** §6.1.1. */
export function readRouterSolicitation(packet: PacketBuffer, message: IcmpHeader, header: Ipv6Header): DiscoveryOptions | undefined {
  if (!isCredible(message, header)) return undefined;
  const options = readDiscoveryOptions(packet, 0);
  return isUnspecified(header.source) && options?.sourceLinkAddress !== undefined ? undefined : options;
}

/** §6.1.2. */
export function readRouterAdvertisement(packet: PacketBuffer, message: IcmpHeader, header: Ipv6Header): RouterAdvertisement | undefined {
  if (!isCredible(message, header) || packet.length < 8 || !isLinkLocal(header.source)) return undefined;
  const options = readDiscoveryOptions(packet, 8);
  if (options === undefined) return undefined;
  const lifetime = message.rest & 0xffff;
  // RFC 4191 §2.2: a reserved preference counts as medium.
  const preference = preferenceOf((message.rest >>> 19) & 3) ?? 0;
  return { hopLimit: message.rest >>> 24, preference, lifetime, options };
}
