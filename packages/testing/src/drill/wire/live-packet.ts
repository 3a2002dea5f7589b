// A packet that the stack has sent (RFC 791, RFC 8200, RFC 9293, RFC 768, RFC 792), read for comparison.
import { foldChecksum, type IpAddress, type IpVersion, PacketBuffer, sumPacket } from "@netstrata/core";
import {
  type IpHeader,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  readIpv4Header,
  readUncheckedIpv4Header,
  readUncheckedIpv6Header,
  sumPseudoHeader,
} from "@netstrata/internet";
import { readUncheckedTcp, readUncheckedUdp, type TcpHeader, type UdpHeader } from "@netstrata/transport";
import type { TcpOptionDescription } from "../language/packet.ts";
import { decodeTcpOptions } from "./tcp-option-bytes.ts";

export const PROTOCOL_ICMPV6 = 58;

export interface LivePacket {
  /** Virtual time at which it came out, in ms. */
  readonly time: number;
  readonly bytes: Uint8Array;
  readonly version: IpVersion;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly ip: IpHeader;
  readonly flowLabel: number;
  /** What is wrong with it in itself: a checksum, a length. */
  readonly fault: string | undefined;
  readonly body: LiveSegment | LiveDatagram | LiveMessage | undefined;
}

export interface LiveSegment {
  readonly protocol: "tcp";
  readonly header: TcpHeader;
  readonly options: readonly TcpOptionDescription[];
  readonly payload: Uint8Array;
}

export interface LiveDatagram {
  readonly protocol: "udp";
  readonly header: UdpHeader;
  readonly payload: Uint8Array;
}

/** ICMP. */
export interface LiveMessage {
  readonly protocol: "icmp";
  readonly type: number;
  readonly code: number;
  readonly rest: number;
  readonly payload: Uint8Array;
}

/** Undefined for what is no IP packet. */
export function readLivePacket(bytes: Uint8Array, time: number): LivePacket | undefined {
  const packet = PacketBuffer.wrap(bytes);
  const version = bytes[0] >>> 4;
  const ip = version === 4 ? readUncheckedIpv4Header(packet) : version === 6 ? readUncheckedIpv6Header(packet) : "bad-version";
  if (typeof ip === "string") return undefined;
  const flowLabel = version === 6 ? packet.u32(0) & 0xfffff : 0;
  const ipFault =
    version === 4 && typeof readIpv4Header(PacketBuffer.wrap(bytes)) === "string" ? "the IP header's checksum is wrong" : undefined;
  packet.consume(ip.headerLength);
  const { source, destination } = ip;
  const checksum = foldChecksum(
    sumPacket(packet, needsPseudoHeader(ip) ? sumPseudoHeader(source, destination, ip.protocol, packet.length) : 0),
  );
  const body = readBody(packet, ip);
  const isSumless = body?.protocol === "udp" && body.header.checksum === 0;
  const fault = ipFault ?? (body !== undefined && checksum !== 0 && !isSumless ? `the ${body.protocol} checksum is wrong` : undefined);
  return { time, bytes, version: ip.version, source, destination, ip, flowLabel, fault, body };
}

function needsPseudoHeader({ protocol }: IpHeader): boolean {
  return protocol !== PROTOCOL_ICMP;
}

function readBody(packet: PacketBuffer, { protocol }: IpHeader): LivePacket["body"] {
  if (protocol === PROTOCOL_TCP) {
    const header = readUncheckedTcp(packet);
    if (typeof header === "string" || header.headerLength > packet.length) return undefined;
    const options = decodeTcpOptions(packet.slice(20, header.headerLength - 20));
    return { protocol: "tcp", header, options, payload: packet.slice(header.headerLength) };
  }
  if (protocol === PROTOCOL_UDP) {
    const header = readUncheckedUdp(packet);
    return typeof header === "string" ? undefined : { protocol: "udp", header, payload: packet.slice(8) };
  }
  if ((protocol !== PROTOCOL_ICMP && protocol !== PROTOCOL_ICMPV6) || packet.length < 8) return undefined;
  return { protocol: "icmp", type: packet.u8(0), code: packet.u8(1), rest: packet.u32(4), payload: packet.slice(8) };
}
