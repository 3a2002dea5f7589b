// An arriving segment: SEG.SEQ, SEG.ACK, SEG.LEN, SEG.WND, SEG.UP (RFC 9293 §3.3.1).
import { type PacketBuffer, type SequenceNumber, sequenceAdd } from "@netstrata/core";
import { ECN_FIELD } from "./ecn/ecn-field.ts";
import { ACK, FIN, RST, SYN, TCP_HEADER_LENGTH, type TcpHeader } from "./tcp-header.ts";
import { readTcpOptions, type TcpOptions } from "./tcp-options.ts";

const NO_OPTIONS: TcpOptions = {};

/** Its fields are trimmed to the receive window on the way through SEGMENT ARRIVES. */
export class Segment {
  seq: SequenceNumber;
  readonly ack: SequenceNumber;
  flags: number;
  /** As in the header: not scaled. */
  readonly window: number;
  /** SEG.UP as a sequence number: one past the last urgent octet, wherever the segment is trimmed to. */
  readonly up: SequenceNumber;
  readonly options: TcpOptions;
  /** The ECN field of the datagram it came in (RFC 3168 §5). */
  readonly ecnField: number;
  /** RFC 7323 §4.3 (2): its timestamp is the next to be echoed. */
  advancesTimestamp = false;
  /** The window on the payload, lent. */
  readonly payload: PacketBuffer;

  /** `packet` starts with the header and is narrowed to the payload. `trafficClass` is the datagram's. */
  constructor(header: TcpHeader, packet: PacketBuffer, trafficClass = 0) {
    this.ecnField = trafficClass & ECN_FIELD;
    this.seq = header.seq;
    this.ack = header.ack;
    this.flags = header.flags;
    this.window = header.window;
    this.up = sequenceAdd(header.seq, header.urgentPointer);
    this.options = header.headerLength > TCP_HEADER_LENGTH ? readTcpOptions(packet, header.headerLength) : NO_OPTIONS;
    packet.consume(header.headerLength);
    this.payload = packet;
  }

  get hasSyn(): boolean {
    return (this.flags & SYN) !== 0;
  }

  get hasAck(): boolean {
    return (this.flags & ACK) !== 0;
  }

  get hasFin(): boolean {
    return (this.flags & FIN) !== 0;
  }

  get hasRst(): boolean {
    return (this.flags & RST) !== 0;
  }

  /** SEG.LEN: the octets of text, plus one each for SYN and FIN. */
  get length(): number {
    return this.payload.length + (this.hasSyn ? 1 : 0) + (this.hasFin ? 1 : 0);
  }
}
