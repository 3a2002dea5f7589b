// A TCP segment of a recording (RFC 9293 §3.1), with what a replay asks of it.
import { PacketBuffer, type SequenceNumber } from "@netstrata/core";
import { ACK, FIN, RST, readTcp, readTcpOptions, readUncheckedTcp, SYN, type TcpOptions } from "@netstrata/transport";
import type { RecordedDatagram } from "./recorded-datagram.ts";

export interface RecordedSegment {
  readonly datagram: RecordedDatagram;
  /** Sent by the end that our stack plays. */
  readonly fromOwn: boolean;
  readonly seq: SequenceNumber;
  readonly ack: SequenceNumber;
  readonly flags: number;
  /** As in the header: not scaled. */
  readonly window: number;
  readonly urgentPointer: number;
  readonly options: TcpOptions;
  readonly payload: Uint8Array;
  /** Those of the segment and of its IP header. */
  readonly checksumGood: boolean;
}

/** Ports and segment of a datagram that carries TCP; undefined when its header cannot be read. */
export function readSegment(datagram: RecordedDatagram): (Omit<RecordedSegment, "fromOwn"> & TcpPorts) | undefined {
  const { bytes, header: ip } = datagram;
  const packet = PacketBuffer.wrap(bytes, ip.headerLength);
  const header = readUncheckedTcp(packet);
  if (typeof header === "string" || header.headerLength > packet.length) return undefined;
  return {
    datagram,
    sourcePort: header.sourcePort,
    destinationPort: header.destinationPort,
    seq: header.seq,
    ack: header.ack,
    flags: header.flags,
    window: header.window,
    urgentPointer: header.urgentPointer,
    options: readTcpOptions(packet, header.headerLength),
    payload: packet.view(header.headerLength),
    checksumGood: datagram.checksumGood && typeof readTcp(packet, ip.source, ip.destination) !== "string",
  };
}

export interface TcpPorts {
  readonly sourcePort: number;
  readonly destinationPort: number;
}

export function has(segment: { readonly flags: number }, flag: number): boolean {
  return (segment.flags & flag) !== 0;
}

/** SYN without ACK: the first packet of a conversation. */
export function isOpening(segment: RecordedSegment): boolean {
  return (segment.flags & (SYN | ACK | RST)) === SYN;
}

/** SEG.LEN */
export function segmentLength(segment: RecordedSegment): number {
  return segment.payload.length + segment.datagram.missing + (has(segment, SYN) ? 1 : 0) + (has(segment, FIN) ? 1 : 0);
}
