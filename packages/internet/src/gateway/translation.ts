// Address and port translation of an IPv4 datagram (RFC 3022 §4): headers, what an ICMP error quotes, and every checksum by its difference (RFC 1624).
import { foldChecksum, foldSum, type IpAddress, type Ipv4Address, type PacketBuffer, sumBytes, updateChecksum } from "@netstrata/core";
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from "../ip-protocol.ts";
import { type Flow, type MessageKind, reversed } from "./flow.ts";

const SOURCE = 12;
const DESTINATION = 16;
const IP_CHECKSUM = 10;
const ICMP_HEADER = 8;
const ICMP_CHECKSUM = 2;
const IDENTIFIER = 4;

/** Where the checksum lies in each transport header that covers the addresses. */
const CHECKSUM_AT: Readonly<Record<number, number>> = { [PROTOCOL_TCP]: 16, [PROTOCOL_UDP]: 6 };

/**
 * Makes a datagram of flow `from` one of flow `to`.
 * @param datagram its window starts at the IP header; it is written to
 * @param kind "error" when it is an ICMP error about what went the other way: its quotation is translated back
 */
export function translate(datagram: PacketBuffer, kind: MessageKind, from: Flow, to: Flow): void {
  const at = headerLengthOf(datagram, 0);
  if (kind === "error") {
    translateError(datagram, at, from, to);
    return;
  }
  translateMessage(datagram, 0, datagram.length, from, to, datagram.checksum === "partial");
}

/** RFC 5508 §4.2: the quotation is of a datagram as it was on the other side, so it becomes what its sender has sent. */
function translateError(datagram: PacketBuffer, at: number, from: Flow, to: Flow): void {
  const quotation = at + ICMP_HEADER;
  const headers = Math.min(datagram.length, quotation + headerLengthOf(datagram, quotation) + LONGEST_COVERED);
  const before = sumOf(datagram, quotation, headers);
  translateMessage(datagram, quotation, datagram.length, reversed(from), reversed(to), false);
  const after = sumOf(datagram, quotation, headers);
  const checksum = datagram.u16(at + ICMP_CHECKSUM);
  datagram.setU16(at + ICMP_CHECKSUM, foldChecksum((~checksum & 0xffff) + (~before & 0xffff) + after));
  // REQ-5 (c): a router inside that nobody outside knows speaks with the address that its hosts speak with.
  const speaker = datagram.u32(SOURCE) as Ipv4Address;
  if (speaker === from.source || from.source !== to.source) setAddress(datagram, 0, SOURCE, to.source, undefined, false);
  setAddress(datagram, 0, DESTINATION, to.destination, undefined, false);
}

/** TCP's header up to its checksum: nothing behind it is changed. */
const LONGEST_COVERED = 18;

/**
 * @param ip octets from the window's start to the IP header
 * @param end behind the last octet that there is of it
 * @param isPartial its transport checksum is the pseudo-header's sum only, see `ChecksumState`
 */
function translateMessage(datagram: PacketBuffer, ip: number, end: number, from: Flow, to: Flow, isPartial: boolean): void {
  const transport = ip + headerLengthOf(datagram, ip);
  const checksum = checksumField(datagram, transport, end, from.protocol);
  if (from.source !== to.source) setAddress(datagram, ip, SOURCE, to.source, checksum, isPartial);
  if (from.destination !== to.destination) setAddress(datagram, ip, DESTINATION, to.destination, checksum, isPartial);
  if (from.protocol === PROTOCOL_ICMP) {
    // Both ports of an echo are its identifier.
    setWord(datagram, transport + IDENTIFIER, to.sourcePort, transport + ICMP_CHECKSUM);
  } else if (from.protocol === PROTOCOL_TCP || from.protocol === PROTOCOL_UDP) {
    // A partial checksum does not cover the ports yet.
    const covering = isPartial ? undefined : checksum;
    setWord(datagram, transport, to.sourcePort, covering);
    setWord(datagram, transport + 2, to.destinationPort, covering);
  }
  const isUdp = from.protocol === PROTOCOL_UDP;
  if (isUdp && checksum !== undefined && !isPartial && datagram.u16(checksum) === 0) datagram.setU16(checksum, 0xffff);
}

/** Undefined where there is none: cut off in a quotation, or a UDP checksum that was never computed (RFC 768). */
function checksumField(datagram: PacketBuffer, transport: number, end: number, protocol: number): number | undefined {
  const field = transport + CHECKSUM_AT[protocol];
  // A protocol without an offset makes this comparison false.
  if (!(field + 2 <= end)) return undefined;
  return protocol === PROTOCOL_UDP && datagram.u16(field) === 0 ? undefined : field;
}

function setAddress(
  datagram: PacketBuffer,
  ip: number,
  field: number,
  address: IpAddress,
  checksum: number | undefined,
  isPartial: boolean,
): void {
  const value = address as Ipv4Address;
  for (const [at, word] of [
    [ip + field, value >>> 16],
    [ip + field + 2, value & 0xffff],
  ]) {
    const before = datagram.u16(at);
    setWord(datagram, at, word, ip + IP_CHECKSUM);
    if (checksum === undefined) continue;
    const former = datagram.u16(checksum);
    datagram.setU16(checksum, isPartial ? foldSum(former + (~before & 0xffff) + word) : updateChecksum(former, before, word));
  }
}

function setWord(datagram: PacketBuffer, at: number, word: number, checksum: number | undefined): void {
  const before = datagram.u16(at);
  if (before === word) return;
  datagram.setU16(at, word);
  if (checksum !== undefined) datagram.setU16(checksum, updateChecksum(datagram.u16(checksum), before, word));
}

/** RFC 6864 §5.3.1: datagrams of several hosts must not be mixed up behind one address, where they may be cut. */
export function setIdentification(datagram: PacketBuffer, identification: number): void {
  setWord(datagram, 4, identification, IP_CHECKSUM);
}

function headerLengthOf(datagram: PacketBuffer, ip: number): number {
  return (datagram.u8(ip) & 0xf) * 4;
}

function sumOf(datagram: PacketBuffer, from: number, to: number): number {
  return foldSum(sumBytes(datagram.bytes, datagram.start + from, datagram.start + to));
}
