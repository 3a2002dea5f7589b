// Octets of the packets that a script sends into the stack.
import { foldChecksum, type IpAddress, isIpv4, PacketBuffer, sumPacket, writeIp } from "@netstrata/core";
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP, prependIpv4, sumPseudoHeader } from "@netstrata/internet";
import { prependTcp, prependUdp, type TcpHeaderFields } from "@netstrata/transport";
import type { IpDescription } from "../language/packet.ts";
import type { IcmpKind } from "./icmp-names.ts";
import { PROTOCOL_ICMPV6 } from "./live-packet.ts";

/** A packet that comes from next door. */
const TIME_TO_LIVE = 255;
const HEADROOM = 128;
const ECN_BITS = { noecn: 0, ect1: 1, ect0: 2, ect01: 2, ce: 3 } as const;

export interface Ends {
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

export function buildSegment(
  fields: TcpHeaderFields,
  options: Uint8Array,
  payload: Uint8Array,
  ip: IpDescription,
  ends: Ends,
): PacketBuffer {
  const packet = withPayload([options, payload]);
  prependTcp(packet, fields, options.length, ends.source, ends.destination);
  return finish(packet, PROTOCOL_TCP, 16, ip, ends);
}

export function buildDatagram(
  ports: { source: number; destination: number },
  payload: Uint8Array,
  ip: IpDescription,
  ends: Ends,
): PacketBuffer {
  const packet = withPayload([payload]);
  prependUdp(packet, ports.source, ports.destination, ends.source, ends.destination);
  return finish(packet, PROTOCOL_UDP, 6, ip, ends);
}

/** @param rest the second word of the header */
export function buildMessage(kind: IcmpKind, rest: number, payload: Uint8Array, ip: IpDescription, ends: Ends): PacketBuffer {
  const packet = withPayload([payload]);
  packet.prepend(8);
  packet.setU8(0, kind.type);
  packet.setU8(1, kind.code);
  packet.setU16(2, 0);
  packet.setU32(4, rest);
  const isVersion4 = isIpv4(ends.source);
  const pseudoHeader = isVersion4 ? 0 : sumPseudoHeader(ends.source, ends.destination, PROTOCOL_ICMPV6, packet.length);
  packet.setU16(2, foldChecksum(sumPacket(packet, pseudoHeader)));
  return finish(packet, isVersion4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6, 2, ip, ends);
}

function withPayload(pieces: readonly Uint8Array[]): PacketBuffer {
  const packet = PacketBuffer.allocate(
    HEADROOM,
    pieces.reduce((total, piece) => total + piece.length, 0),
  );
  let at = 0;
  for (const piece of pieces) {
    packet.set(piece, at);
    at += piece.length;
  }
  return packet;
}

/** @param checksumAt where in the transport header the checksum stands */
function finish(packet: PacketBuffer, protocol: number, checksumAt: number, ip: IpDescription, ends: Ends): PacketBuffer {
  const { damage } = ip;
  if (damage?.transportChecksum) packet.setU16(checksumAt, packet.u16(checksumAt) ^ 0x5555);
  prependIp(packet, protocol, ip, ends);
  if (damage?.ipChecksum && isIpv4(ends.source)) packet.setU16(10, packet.u16(10) ^ 0x5555);
  if (damage?.truncatedTo !== undefined) packet.truncate(damage.truncatedTo);
  return packet;
}

/** The header of a whole datagram, in front of the window. */
export function prependIp(packet: PacketBuffer, protocol: number, ip: IpDescription, { source, destination }: Ends): void {
  const trafficClass = (ip.trafficClass ?? 0) | (ip.ecn === undefined ? 0 : ECN_BITS[ip.ecn]);
  const timeToLive = ip.timeToLive ?? TIME_TO_LIVE;
  if (isIpv4(source) && isIpv4(destination)) {
    const fragment = { identification: 0, dontFragment: false, moreFragments: false, fragmentOffset: 0 };
    prependIpv4(packet, { source, destination, protocol, timeToLive, trafficClass, ...fragment });
    return;
  }
  const { length } = packet;
  packet.prepend(40);
  packet.setU32(0, ((6 << 28) | (trafficClass << 20) | (ip.flowLabel ?? 0)) >>> 0);
  packet.setU16(4, length);
  packet.setU8(6, protocol);
  packet.setU8(7, timeToLive);
  writeIp(packet, 8, source);
  writeIp(packet, 24, destination);
}
