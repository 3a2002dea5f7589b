// The bench with an interface on which neighbours have to be found, and messages of neighbours and routers.
import {
  formatIp,
  type IpAddress,
  type IpVersion,
  isIpv6,
  isMulticast,
  type MacAddress,
  PacketBuffer as Packet,
  type PacketBuffer,
  prefix,
} from "@netstrata/core";
import type { NeighbourResolver } from "@netstrata/link";
import type { InternetOptions, Ipv6InterfaceOptions, NeighbourDiscovery } from "../../src/index.ts";
import { Bench } from "../bench-host.ts";
import { bytesOf, type DatagramV6Fields, icmpv6, icmpv6Of, RecordingV6Interface, type SentV6, v6 } from "../ipv6-bench.ts";

export const OUR_MAC = 0x020000000001 as MacAddress;
export const THEIR_MAC = [2, 0, 0, 0, 0, 2] as const;

/** What was sent, and to which link address; undefined for a group. */
export interface SentFrame extends SentV6 {
  readonly linkAddress: MacAddress | undefined;
}

export class DiscoveryInterface extends RecordingV6Interface {
  readonly macAddress = OUR_MAC;
  readonly frames: SentFrame[] = [];
  private resolver: NeighbourResolver | undefined;

  registerResolver(version: IpVersion, resolver: NeighbourResolver): void {
    if (version === 6) this.resolver = resolver;
  }

  override send(datagram: PacketBuffer, nextHop: IpAddress): void {
    if (!isIpv6(nextHop)) super.send(datagram, nextHop);
    else if (isMulticast(nextHop)) this.record(datagram, nextHop, undefined);
    else this.resolver?.send(datagram, nextHop);
  }

  transmitDatagram(datagram: PacketBuffer, linkAddress: MacAddress): void {
    this.record(datagram, v6("::"), linkAddress);
  }

  unresolved(datagram: PacketBuffer, nextHop: IpAddress): void {
    this.receiver?.unresolved(datagram, this, nextHop);
  }

  takeFrames(): SentFrame[] {
    return this.frames.splice(0);
  }

  private record(datagram: PacketBuffer, nextHop: IpAddress, linkAddress: MacAddress | undefined): void {
    super.send(datagram, nextHop);
    this.frames.push({ ...this.takeV6()[0], linkAddress });
  }
}

/** 2001:db8::1/64 on an Ethernet; what is sent at the beginning has been sent, and no address is in doubt. */
export class DiscoveryBench extends Bench {
  readonly eth: DiscoveryInterface;
  readonly discovery: NeighbourDiscovery;

  constructor(ipv6: Ipv6InterfaceOptions = {}, options: InternetOptions = {}) {
    const eth = new DiscoveryInterface("eth0");
    super({ addressSecret: [1, 2, 3, 4], ...options }, eth);
    this.eth = eth;
    this.discovery = this.layer.enableIpv6(eth, ipv6) as NeighbourDiscovery;
    this.layer.addAddress(eth, prefix("2001:db8::1/64"));
    this.clock.advance(3000);
    eth.takeFrames();
    this.takeDrops();
  }

  get addresses(): string[] {
    return this.eth.addresses.map(({ address }) => formatIp(address)).filter((text) => text.includes(":"));
  }
}

const LINK_ADDRESS = (type: number, mac: readonly number[]): number[] => [type, 1, ...mac];
export const sourceLinkAddress = (mac: readonly number[] = THEIR_MAC): number[] => LINK_ADDRESS(1, mac);
export const targetLinkAddress = (mac: readonly number[] = THEIR_MAC): number[] => LINK_ADDRESS(2, mac);

export const FLAGS = { router: 0x80000000, solicited: 0x40000000, override: 0x20000000 } as const;

/** A neighbour solicitation from 2001:db8::2 for our address, in most respects. */
export function solicitation(
  target = "2001:db8::1",
  options: readonly number[] = sourceLinkAddress(),
  fields: DatagramV6Fields = {},
): PacketBuffer {
  const to = { destination: "ff02::1:ff00:1", timeToLive: 255, ...fields };
  return icmpv6({ type: 135, code: 0, rest: 0 }, bytesOf(octetsOf(target), options), to);
}

/** A neighbour advertisement of 2001:db8::2 to us, in most respects. */
export function advertisement(
  flags: number,
  target = "2001:db8::2",
  options: readonly number[] = targetLinkAddress(),
  fields: DatagramV6Fields = {},
): PacketBuffer {
  return icmpv6({ type: 136, code: 0, rest: flags >>> 0 }, bytesOf(octetsOf(target), options), { timeToLive: 255, ...fields });
}

export interface RouterFields {
  readonly lifetime?: number;
  readonly preference?: number;
  readonly options?: readonly number[];
  readonly source?: string;
  readonly timeToLive?: number;
}

/** A router advertisement of fe80::9. */
export function routerAdvertisement({
  lifetime = 1800,
  preference = 0,
  options = [],
  source = "fe80::9",
  timeToLive = 255,
}: RouterFields = {}): PacketBuffer {
  const body = bytesOf([0, 0, 0, 0, 0, 0, 0, 0], sourceLinkAddress([2, 0, 0, 0, 0, 9]), options);
  return icmpv6({ type: 134, code: 0, rest: (64 << 24) | ((preference & 3) << 19) | lifetime }, body, {
    source,
    timeToLive,
    destination: "ff02::1",
  });
}

/** A prefix information option; on link and autonomous. */
export function prefixOption(network: string, valid: number, preferred: number, length = 64, flags = 0xc0): number[] {
  return [3, 4, length, flags, ...word(valid), ...word(preferred), 0, 0, 0, 0, ...octetsOf(network)];
}

export function word(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

export function octetsOf(address: string): number[] {
  return [...v6(address)].flatMap((group) => [group.charCodeAt(0) >>> 8, group.charCodeAt(0) & 255]);
}

/** Type, flags and target of the neighbour messages among what was sent. */
export function neighbourMessages(frames: readonly SentFrame[]): unknown[] {
  return frames
    .filter(({ header }) => header.protocol === 58)
    .map((frame) => ({ frame, message: icmpv6Of(frame) }))
    .filter(({ message }) => message.type === 135 || message.type === 136)
    .map(({ frame, message }) => ({
      type: message.type,
      flags: message.rest,
      target: formatIp(targetOf(message.body)),
      to: formatIp(frame.header.destination),
      from: formatIp(frame.header.source),
      linkAddress: frame.linkAddress,
    }));
}

function targetOf(body: Uint8Array): IpAddress {
  const packet = Packet.wrap(body.slice());
  let text = "";
  for (let at = 0; at < 16; at += 2) text += String.fromCharCode(packet.u16(at));
  return text as IpAddress;
}
