// A recorded segment made to fit a connection of ours: its acknowledgments speak of our numbers (RFC 9293 §3.4; options RFC 7323, 2018).
import { foldChecksum, foldSum, PacketBuffer, type SequenceNumber, sequenceAdd, sequenceDistance, sumPacket } from "@netstrata/core";
import { ICMP_HEADER_LENGTH } from "@netstrata/internet";
import { ACK, TCP_HEADER_LENGTH } from "@netstrata/transport";
import type { OwnOutput } from "./own-output.ts";
import { quotedTransportOffset, type RecordedError } from "./recorded-message.ts";
import type { RecordedSegment } from "./recorded-segment.ts";
import type { TcpPlan } from "./tcp-plan.ts";

const KIND_END = 0;
const KIND_NO_OPERATION = 1;
const KIND_WINDOW_SCALE = 3;
const KIND_SACK_PERMITTED = 4;
const KIND_SACK = 5;
const KIND_TIMESTAMPS = 8;

/** The offset of an option's value behind kind and length. */
const VALUE = 2;

export interface SegmentMapping {
  /** What is added to a recorded number of the end we play to get ours. */
  readonly shift: number;
  /** The timestamp that the peer echoes: our latest. */
  readonly echoReply: number;
  /** Which options the two ends agreed on; a peer that had met our stack would not send the others. */
  readonly agreed: { readonly windowScale: boolean; readonly sack: boolean; readonly timestamps: boolean };
  /** Its checksums were made behind the place of the capture: take them as right. */
  readonly repair: boolean;
}

/** What fits now, with what our stack has said so far. */
export function mappingFor({ own, peer }: TcpPlan, { isn, offered, timestamp }: OwnOutput): SegmentMapping {
  const recorded = own.syn?.options ?? {};
  // Before our SYN is out, the recorded host's answer says what its peer may go on with.
  const both = (option: "windowScale" | "sackPermitted" | "timestamps"): boolean =>
    recorded[option] !== undefined && (offered === undefined || offered[option] !== undefined);
  return {
    shift: isn === undefined ? 0 : sequenceDistance(own.isn, isn),
    echoReply: timestamp,
    agreed: { windowScale: both("windowScale"), sack: both("sackPermitted"), timestamps: both("timestamps") },
    repair: peer.checksumsLater,
  };
}

/** The datagram with the segment in it, ready to be received. */
export function mapSegment(segment: RecordedSegment, mapping: SegmentMapping): PacketBuffer {
  const { bytes, header } = segment.datagram;
  const packet = PacketBuffer.wrap(bytes).copy();
  if (mapping.repair) refreshHeaderChecksum(packet, header.headerLength);
  packet.consume(header.headerLength);
  const before = sumPacket(packet) - packet.u16(16);
  if ((segment.flags & ACK) !== 0) packet.setU32(8, sequenceAdd(segment.ack, mapping.shift));
  mapOptions(packet, mapping);
  const after = sumPacket(packet) - packet.u16(16);
  // RFC 1624 §3, over the whole segment at once: what was right stays right, what was wrong stays wrong.
  packet.setU16(16, foldChecksum((~packet.u16(16) & 0xffff) + foldSum(after) + (~foldSum(before) & 0xffff)));
  if (mapping.repair) packet.checksum = "verified";
  packet.rewind(header.headerLength);
  return packet;
}

/** The peer's acknowledgment of less than it acknowledged in the recording: the same header without text, for the number `ack` of ours. */
export function acknowledgmentOnly(segment: RecordedSegment, ack: SequenceNumber, mapping: SegmentMapping): PacketBuffer {
  const { bytes, header } = segment.datagram;
  const tcpHeaderLength = (bytes[header.headerLength + 12] >>> 4) * 4;
  const packet = PacketBuffer.wrap(bytes, 0, header.headerLength + tcpHeaderLength).copy();
  packet.setU16(2, packet.length);
  refreshHeaderChecksum(packet, header.headerLength);
  packet.consume(header.headerLength);
  packet.setU32(8, ack);
  packet.setU16(12, (tcpHeaderLength << 10) | ACK);
  packet.setU16(18, 0);
  // Its blocks tell of more than has been sent to our peer.
  mapOptions(packet, { ...mapping, agreed: { ...mapping.agreed, sack: false } });
  packet.rewind(header.headerLength);
  packet.checksum = "verified";
  return packet;
}

/** An ICMP error quotes a segment of ours, by our numbers. */
export function mapQuotation(error: RecordedError, shift: number): PacketBuffer {
  const packet = PacketBuffer.wrap(error.datagram.bytes).copy();
  const at = quotedTransportOffset(error) + 4;
  packet.setU32(at, sequenceAdd(packet.u32(at), shift));
  packet.consume(error.datagram.header.headerLength);
  packet.setU16(2, 0);
  if (packet.length >= ICMP_HEADER_LENGTH) packet.setU16(2, foldChecksum(sumPacket(packet)));
  packet.rewind(error.datagram.header.headerLength);
  return packet;
}

function mapOptions(packet: PacketBuffer, { agreed, shift, echoReply }: SegmentMapping): void {
  const headerLength = (packet.u8(12) >>> 4) * 4;
  const wanted = new Map([
    [KIND_WINDOW_SCALE, agreed.windowScale],
    [KIND_SACK_PERMITTED, agreed.sack],
    [KIND_SACK, agreed.sack],
    [KIND_TIMESTAMPS, agreed.timestamps],
  ]);
  for (let at = TCP_HEADER_LENGTH; at < headerLength; ) {
    const kind = packet.u8(at);
    if (kind === KIND_END) return;
    const length = kind === KIND_NO_OPERATION ? 1 : packet.u8(at + 1);
    if ((length < 2 && kind !== KIND_NO_OPERATION) || at + length > headerLength) return;
    if (wanted.get(kind) === false) {
      for (let index = at; index < at + length; index += 1) packet.setU8(index, KIND_NO_OPERATION);
    } else if (kind === KIND_TIMESTAMPS && length === 10) {
      packet.setU32(at + VALUE + 4, echoReply);
    } else if (kind === KIND_SACK) {
      for (let edge = at + VALUE; edge + 4 <= at + length; edge += 4) packet.setU32(edge, sequenceAdd(packet.u32(edge), shift));
    }
    at += length;
  }
}

/** Writes the right checksum into the IPv4 header at the window's start. */
export function refreshHeaderChecksum(packet: PacketBuffer, headerLength: number): void {
  packet.setU16(10, 0);
  const header = PacketBuffer.wrap(packet.bytes, packet.start, packet.start + headerLength);
  packet.setU16(10, foldChecksum(sumPacket(header)));
}
