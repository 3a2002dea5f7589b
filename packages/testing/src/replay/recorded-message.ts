// ICMP errors of a recording (RFC 792): which conversation the quoted datagram belongs to.
import { PacketBuffer } from "@netstrata/core";
import {
  ICMP_HEADER_LENGTH,
  type IcmpHeader,
  type Ipv4Header,
  isIcmpError,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  readIcmp,
  readUncheckedIpv4Header,
} from "@netstrata/internet";
import type { RecordedDatagram } from "./recorded-datagram.ts";

export interface RecordedError {
  readonly datagram: RecordedDatagram;
  readonly fromOwn: boolean;
  readonly message: IcmpHeader;
  readonly quoted: Ipv4Header;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** The quoted datagram's first 8 octets of TCP or UDP hold the ports in the same place. */
export function readError(datagram: RecordedDatagram): Omit<RecordedError, "fromOwn"> | undefined {
  const packet = PacketBuffer.wrap(datagram.bytes, datagram.header.headerLength);
  const message = readIcmp(packet);
  if (typeof message === "string" || !isIcmpError(message.type)) return undefined;
  const quoted = readUncheckedIpv4Header(packet);
  if (typeof quoted === "string" || quoted.fragmentOffset > 0) return undefined;
  if (quoted.protocol !== PROTOCOL_TCP && quoted.protocol !== PROTOCOL_UDP) return undefined;
  packet.consume(quoted.headerLength);
  if (packet.length < 8) return undefined;
  return { datagram, message, quoted, sourcePort: packet.u16(0), destinationPort: packet.u16(2) };
}

/** Where the quoted TCP or UDP header begins in the datagram. */
export function quotedTransportOffset(error: Pick<RecordedError, "datagram" | "quoted">): number {
  return error.datagram.header.headerLength + ICMP_HEADER_LENGTH + error.quoted.headerLength;
}
