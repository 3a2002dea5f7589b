// Packets and files for the tests, made with the layers' own codecs.
import { type Ipv4Address, type Ipv6Address, ip, type MacAddress, PacketBuffer } from "@netstrata/core";
import { prependIpv4, sumPseudoHeader } from "@netstrata/internet";
import { ETHERTYPE_IPV4, prependEthernet } from "@netstrata/link";
import { ACK, prependTcp, prependUdp, type TcpOptions, tcpOptionsLength, writeTcpOptions } from "@netstrata/transport";
import { type CapturedPacket, CaptureError, type ChunkSource, type ReadOptions, readCapture } from "../src/index.ts";

export const A: Ipv4Address = ip("10.0.0.1") as Ipv4Address;
export const B: Ipv4Address = ip("10.0.0.2") as Ipv4Address;
export const MAC_A: MacAddress = 0x020000000001 as MacAddress;
export const MAC_B: MacAddress = 0x020000000002 as MacAddress;

export interface Segment {
  readonly source?: Ipv4Address;
  readonly destination?: Ipv4Address;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly seq?: number;
  readonly ack?: number;
  readonly flags?: number;
  readonly window?: number;
  readonly urgentPointer?: number;
  readonly options?: TcpOptions;
  readonly payload?: Uint8Array | string;
}

function octets(payload: Uint8Array | string = ""): Uint8Array {
  return typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
}

/** A TCP segment in IPv4, without a link header. */
export function tcpDatagram(segment: Segment): Uint8Array {
  const { source = A, destination = B, options = {}, flags = ACK } = segment;
  const payload = octets(segment.payload);
  const optionsLength = tcpOptionsLength(options);
  const packet = PacketBuffer.allocate(100, optionsLength + payload.length);
  writeTcpOptions(packet, options);
  packet.set(payload, optionsLength);
  const { sourcePort = 52000, destinationPort = 80, seq = 0, ack = 0, window = 64240, urgentPointer = 0 } = segment;
  prependTcp(packet, { sourcePort, destinationPort, seq, ack, flags, window, urgentPointer }, optionsLength, source, destination);
  return ipv4(packet, 6, source, destination);
}

/** A UDP datagram in IPv4, without a link header. */
export function udpDatagram(payload: Uint8Array | string, sourcePort = 4000, destinationPort = 53): Uint8Array {
  const bytes = octets(payload);
  const packet = PacketBuffer.allocate(100, bytes.length);
  packet.set(bytes);
  prependUdp(packet, sourcePort, destinationPort, A, B);
  return ipv4(packet, 17, A, B);
}

/** Wraps a packet's window into an IPv4 header. */
export function ipv4(
  packet: PacketBuffer,
  protocol: number,
  source: Ipv4Address = A,
  destination: Ipv4Address = B,
  fields: Partial<Parameters<typeof prependIpv4>[1]> = {},
): Uint8Array {
  const base = { timeToLive: 64, trafficClass: 0, identification: 1, dontFragment: true, moreFragments: false, fragmentOffset: 0 };
  prependIpv4(packet, { ...base, source, destination, protocol, ...fields });
  return packet.slice();
}

export function ethernetFrame(payload: Uint8Array, etherType: number = ETHERTYPE_IPV4): Uint8Array {
  const packet = PacketBuffer.allocate(14, payload.length);
  packet.set(payload);
  prependEthernet(packet, MAC_B, MAC_A, etherType);
  return packet.slice();
}

/** An IPv6 datagram around `payload`, whose transport checksum (at `checksumAt`) is filled in when asked for. */
export function ipv6(nextHeader: number, payload: Uint8Array, checksumAt?: number): Uint8Array {
  const source = ip("2001:db8::1") as Ipv6Address;
  const destination = ip("2001:db8::2") as Ipv6Address;
  const packet = new Uint8Array(40 + payload.length);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x60);
  view.setUint16(4, payload.length);
  view.setUint8(6, nextHeader);
  view.setUint8(7, 64);
  for (let group = 0; group < 8; group += 1) {
    view.setUint16(8 + 2 * group, source.charCodeAt(group));
    view.setUint16(24 + 2 * group, destination.charCodeAt(group));
  }
  packet.set(payload, 40);
  if (checksumAt !== undefined) {
    let sum = sumPseudoHeader(source, destination, nextHeader, payload.length);
    for (let at = 40; at < packet.length; at += 2) sum += (packet[at] << 8) | (packet[at + 1] ?? 0);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    view.setUint16(40 + checksumAt, sum ^ 0xffff);
  }
  return packet;
}

export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.replace(/[^0-9a-f]/gi, "").match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

/** Gathers what a writer writes. */
export class Chunks {
  readonly chunks: Uint8Array[] = [];
  readonly sink = (chunk: Uint8Array): void => {
    this.chunks.push(chunk);
  };

  get bytes(): Uint8Array {
    return concat(this.chunks);
  }
}

export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** A copy with one octet changed. */
export function replaced(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
}

/** `bytes` in chunks of `size`. */
export function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export type Reader = (source: ChunkSource, options?: ReadOptions) => AsyncIterable<CapturedPacket>;

/** Everything that `reader` delivers, and what it throws at last: anything but a CaptureError is thrown on. */
export async function readAll(
  source: ChunkSource,
  options: ReadOptions = {},
  reader: Reader = readCapture,
): Promise<{ packets: CapturedPacket[]; error?: CaptureError }> {
  const packets: CapturedPacket[] = [];
  try {
    for await (const packet of reader(source, options)) packets.push(packet);
    return { packets };
  } catch (error) {
    if (error instanceof CaptureError) return { packets, error };
    throw error;
  }
}
