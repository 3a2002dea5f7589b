// Writes classic pcap (draft-ietf-opsawg-pcap) of version 2.4.
import { setU16, setU32 } from "./byte-order.ts";
import { MAX_RECORD_LENGTH } from "./captured-packet.ts";
import { MAGIC_MICROSECONDS, MAGIC_NANOSECONDS, PCAP_HEADER_LENGTH } from "./pcap-header.ts";

/** Takes the octets of a file piece by piece; a piece is the sink's to keep. */
export type ChunkSink = (chunk: Uint8Array) => void;

/** The part of a `CapturedPacket` that every file format can keep. */
export interface PacketRecord {
  /** Nanoseconds since 1970. */
  readonly timestamp: bigint;
  readonly bytes: Uint8Array;
  /** @default bytes.length */
  readonly originalLength?: number;
}

export interface PcapWriterOptions {
  readonly linkType: number;
  /** What is longer is cut; 0, as in files without a limit, means the default. @default 262144 */
  readonly snapLength?: number;
  /** @default "microseconds" */
  readonly resolution?: "microseconds" | "nanoseconds";
  /** @default true */
  readonly littleEndian?: boolean;
}

export class PcapWriter {
  private readonly sink: ChunkSink;
  private readonly snapLength: number;
  private readonly tick: bigint;
  private readonly littleEndian: boolean;

  /** Writes the file header at once. */
  constructor(sink: ChunkSink, options: PcapWriterOptions) {
    const nanoseconds = options.resolution === "nanoseconds";
    this.sink = sink;
    this.snapLength = options.snapLength || MAX_RECORD_LENGTH;
    this.tick = nanoseconds ? 1n : 1000n;
    this.littleEndian = options.littleEndian ?? true;
    const header = new Uint8Array(PCAP_HEADER_LENGTH);
    setU32(header, 0, nanoseconds ? MAGIC_NANOSECONDS : MAGIC_MICROSECONDS, this.littleEndian);
    setU16(header, 4, 2, this.littleEndian);
    setU16(header, 6, 4, this.littleEndian);
    setU32(header, 16, this.snapLength, this.littleEndian);
    setU32(header, 20, options.linkType, this.littleEndian);
    sink(header);
  }

  /** Writes one record. Its time is kept modulo 2^32 seconds, which the format's first word ends at. */
  packet(packet: PacketRecord): void {
    const { littleEndian } = this;
    const capturedLength = Math.min(packet.bytes.length, this.snapLength);
    const record = new Uint8Array(16 + capturedLength);
    setU32(record, 0, Number(BigInt.asUintN(32, packet.timestamp / 1_000_000_000n)), littleEndian);
    setU32(record, 4, Number((packet.timestamp % 1_000_000_000n) / this.tick), littleEndian);
    setU32(record, 8, capturedLength, littleEndian);
    setU32(record, 12, packet.originalLength ?? packet.bytes.length, littleEndian);
    record.set(packet.bytes.subarray(0, capturedLength), 16);
    this.sink(record);
  }
}
