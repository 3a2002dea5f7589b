// The 4-octet header of BSD loopback captures: LINKTYPE_NULL in the writer's byte order, LINKTYPE_LOOP in network order
// (tcpdump.org link-layer header types).
import type { PacketBuffer } from "@netstrata/core";
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from "./ethernet-header.ts";

export const NULL_HEADER_LENGTH = 4;

/** AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on Darwin. */
const ETHERTYPES: Readonly<Record<number, number>> = {
  2: ETHERTYPE_IPV4,
  10: ETHERTYPE_IPV6,
  24: ETHERTYPE_IPV6,
  28: ETHERTYPE_IPV6,
  30: ETHERTYPE_IPV6,
};

export interface NullHeader {
  /** The writer's AF_ value. */
  readonly family: number;
  /** The EtherType of that family, 0 when it is no IP. */
  readonly etherType: number;
  readonly headerLength: number;
}

/** Reads and consumes a LINKTYPE_NULL header, in whichever byte order it is. The packet is unchanged when the answer is a string. */
export function readNullHeader(packet: PacketBuffer): NullHeader | "truncated" {
  if (packet.length < NULL_HEADER_LENGTH) return "truncated";
  const family = packet.u32(0);
  // Families are small numbers, so their octets say which order they are in, whatever machine reads them.
  return nullHeader(packet, family > 0xffff ? swapOctets(family) : family);
}

/** Reads and consumes a LINKTYPE_LOOP header. The packet is unchanged when the answer is a string. */
export function readLoopHeader(packet: PacketBuffer): NullHeader | "truncated" {
  if (packet.length < NULL_HEADER_LENGTH) return "truncated";
  return nullHeader(packet, packet.u32(0));
}

function nullHeader(packet: PacketBuffer, family: number): NullHeader {
  packet.consume(NULL_HEADER_LENGTH);
  return { family, etherType: ETHERTYPES[family] ?? 0, headerLength: NULL_HEADER_LENGTH };
}

function swapOctets(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
