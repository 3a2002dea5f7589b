// The bench for IPv6: an interface that records what is sent, as header and payload, and datagrams to lend to the layer.

import type { IpAddress } from "@netstrata/core";
import { formatIp, type Ipv6Address, ip, PacketBuffer as Packet, type PacketBuffer, prefix } from "@netstrata/core";
import { type LinkOffload, NO_OFFLOAD } from "@netstrata/link";
import {
  type IcmpHeader,
  type InternetOptions,
  type Ipv6Header,
  type Ipv6HeaderFields,
  prependIcmpv6,
  prependIpv6,
  readIcmpv6,
  readIpv6FixedHeader,
  readUncheckedIpv6Header,
} from "../src/index.ts";
import { Bench, octets, RecordingInterface } from "./bench-host.ts";

export interface SentV6 {
  /** With what stands in the extension headers. */
  readonly header: Ipv6Header;
  /** Behind all headers. */
  readonly payload: Uint8Array;
  /** From the IPv6 header on. */
  readonly bytes: Uint8Array;
  readonly nextHop: string;
}

export class RecordingV6Interface extends RecordingInterface {
  readonly sentV6: SentV6[] = [];

  constructor(name: string, mtu = 1500, offload: LinkOffload = NO_OFFLOAD) {
    super(name, mtu, offload);
  }

  override send(datagram: PacketBuffer, nextHop: IpAddress): void {
    if (datagram.u8(0) >>> 4 !== 6) {
      super.send(datagram, nextHop);
      return;
    }
    if (datagram.headroom < this.headroom) throw new Error("no headroom left for the frame");
    if (datagram.length > this.mtu && datagram.segmentSize === 0) throw new Error(`${datagram.length} octets on a link of ${this.mtu}`);
    const bytes = datagram.slice();
    const header = readUncheckedIpv6Header(datagram);
    const fixed = readIpv6FixedHeader(datagram);
    if (typeof header === "string" || typeof fixed === "string") throw new Error(`sent a datagram with ${JSON.stringify([header, fixed])}`);
    this.sentV6.push({ header, payload: bytes.subarray(header.headerLength), bytes, nextHop: formatIp(nextHop) });
  }

  takeV6(): SentV6[] {
    return this.sentV6.splice(0);
  }
}

/** eth0 has 2001:db8::1/64 beside its IPv4 address. */
export class Ipv6Bench extends Bench {
  readonly eth: RecordingV6Interface;

  constructor(options: InternetOptions = {}, link: RecordingV6Interface = new RecordingV6Interface("eth0")) {
    super(options, link);
    this.eth = link;
    this.loopback.addAddress(prefix("::1/128"));
    this.layer.addAddress(this.loopback, prefix("::1/128"));
    this.layer.addAddress(link, prefix("2001:db8::1/64"));
  }

  addV6Link(name: string, address: string, mtu?: number): RecordingV6Interface {
    const link = new RecordingV6Interface(name, mtu);
    this.layer.addInterface(link);
    this.layer.addAddress(link, prefix(address));
    return link;
  }
}

export interface DatagramV6Fields extends Partial<Omit<Ipv6HeaderFields, "source" | "destination">> {
  readonly source?: string;
  readonly destination?: string;
}

/** A datagram for the bench from its neighbour 2001:db8::2, in most respects. */
export function datagramV6(fields: DatagramV6Fields = {}, payload: Uint8Array = octets(16)): PacketBuffer {
  const packet = Packet.allocate(60, payload.length);
  packet.set(payload);
  prependIpv6(packet, {
    protocol: 17,
    timeToLive: 64,
    trafficClass: 0,
    flowLabel: 0,
    ...fields,
    source: v6(fields.source ?? "2001:db8::2"),
    destination: v6(fields.destination ?? "2001:db8::1"),
  });
  return packet;
}

/** An extension header of so many octets: next header, length, then `content` and zeros. */
export function extension(
  nextHeader: number,
  content: readonly number[] = [],
  length = 8 * Math.ceil((2 + content.length) / 8),
): Uint8Array {
  const header = new Uint8Array(length);
  header.set([nextHeader, length / 8 - 1, ...content]);
  return header;
}

/** A fragment header (RFC 8200 §4.5). */
export function fragmentHeader(nextHeader: number, offset: number, moreFragments: boolean, identification = 7): Uint8Array {
  const word = offset | (moreFragments ? 1 : 0);
  return Uint8Array.of(nextHeader, 0, word >>> 8, word & 0xff, 0, 0, identification >>> 8, identification & 0xff);
}

export function bytesOf(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** An ICMPv6 message in a datagram. */
export function icmpv6(message: IcmpHeader, body: Uint8Array = octets(0), fields: DatagramV6Fields = {}): PacketBuffer {
  const packet = Packet.allocate(8, body.length);
  packet.set(body);
  prependIcmpv6(packet, message, v6(fields.source ?? "2001:db8::2"), v6(fields.destination ?? "2001:db8::1"));
  return datagramV6({ ...fields, protocol: 58 }, packet.slice());
}

/** The ICMPv6 message in what was sent; its checksum is right. */
export function icmpv6Of({ header, payload }: SentV6): IcmpHeader & { readonly body: Uint8Array } {
  const packet = Packet.wrap(payload.slice());
  const message = readIcmpv6(packet, header.source, header.destination);
  if (typeof message === "string") throw new Error(`sent an ICMPv6 message with ${message}`);
  return { ...message, body: packet.slice() };
}

export function v6(text: string): Ipv6Address {
  return ip(text) as Ipv6Address;
}
