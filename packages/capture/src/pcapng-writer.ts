// Writes pcapng (draft-ietf-opsawg-pcapng): one section, times in nanoseconds, comments wherever the format allows them.
import { setU16, setU32 } from "./byte-order.ts";
import { MAX_RECORD_LENGTH } from "./captured-packet.ts";
import type { ChunkSink, PacketRecord } from "./pcap-writer.ts";
import * as ng from "./pcapng-block.ts";

export interface PcapngWriterOptions {
  readonly comments?: readonly string[];
  readonly hardware?: string;
  readonly operatingSystem?: string;
  /** The program that writes the file. @default "netstrata" */
  readonly application?: string;
  /** @default true */
  readonly littleEndian?: boolean;
}

export interface PcapngInterfaceOptions {
  readonly linkType: number;
  /** What is longer is cut; 0, as in files without a limit, means the default. @default 262144 */
  readonly snapLength?: number;
  readonly name?: string;
  readonly description?: string;
  readonly comments?: readonly string[];
}

export interface PcapngPacketRecord extends PacketRecord {
  readonly direction?: "in" | "out";
  readonly comments?: readonly string[];
}

/** if_tsresol: 10^-9 seconds. */
const NANOSECONDS = 9;
const EMPTY = new Uint8Array(0);

export class PcapngWriter {
  private readonly sink: ChunkSink;
  private readonly littleEndian: boolean;
  private readonly snapLengths: number[] = [];

  /** Writes the section header at once. */
  constructor(sink: ChunkSink, options: PcapngWriterOptions = {}) {
    this.sink = sink;
    this.littleEndian = options.littleEndian ?? true;
    const fixed = new Uint8Array(16).fill(0xff, 8); // The section's length is "not specified": -1.
    setU32(fixed, 0, ng.BYTE_ORDER_MAGIC, this.littleEndian);
    setU16(fixed, 4, 1, this.littleEndian);
    this.write(ng.BLOCK_SECTION_HEADER, fixed, EMPTY, [
      ...texts(ng.OPTION_COMMENT, options.comments),
      ...texts(ng.OPTION_SECTION_HARDWARE, options.hardware),
      ...texts(ng.OPTION_SECTION_OPERATING_SYSTEM, options.operatingSystem),
      ...texts(ng.OPTION_SECTION_APPLICATION, options.application ?? "netstrata"),
    ]);
  }

  /** Describes one more interface; the answer is its number, for `packet`. */
  addInterface(options: PcapngInterfaceOptions): number {
    const snapLength = options.snapLength || MAX_RECORD_LENGTH;
    const fixed = new Uint8Array(8);
    setU16(fixed, 0, options.linkType, this.littleEndian);
    setU32(fixed, 4, snapLength, this.littleEndian);
    this.write(ng.BLOCK_INTERFACE_DESCRIPTION, fixed, EMPTY, [
      ...texts(ng.OPTION_COMMENT, options.comments),
      ...texts(ng.OPTION_INTERFACE_NAME, options.name),
      ...texts(ng.OPTION_INTERFACE_DESCRIPTION, options.description),
      { code: ng.OPTION_INTERFACE_TIMESTAMP_RESOLUTION, value: Uint8Array.of(NANOSECONDS) },
    ]);
    return this.snapLengths.push(snapLength) - 1;
  }

  packet(interfaceIndex: number, packet: PcapngPacketRecord): void {
    const snapLength = this.snapLengths[interfaceIndex];
    if (snapLength === undefined) throw new RangeError(`interface ${interfaceIndex} has not been added`);
    const { littleEndian } = this;
    const bytes = packet.bytes.subarray(0, snapLength);
    const fixed = new Uint8Array(20);
    setU32(fixed, 0, interfaceIndex, littleEndian);
    setU32(fixed, 4, Number(BigInt.asUintN(32, packet.timestamp >> 32n)), littleEndian);
    setU32(fixed, 8, Number(BigInt.asUintN(32, packet.timestamp)), littleEndian);
    setU32(fixed, 12, bytes.length, littleEndian);
    setU32(fixed, 16, packet.originalLength ?? packet.bytes.length, littleEndian);
    const options = texts(ng.OPTION_COMMENT, packet.comments);
    if (packet.direction !== undefined) {
      const value = new Uint8Array(4);
      setU32(value, 0, ng.DIRECTIONS.indexOf(packet.direction), littleEndian);
      options.push({ code: ng.OPTION_PACKET_FLAGS, value });
    }
    this.write(ng.BLOCK_ENHANCED_PACKET, fixed, bytes, options);
  }

  private write(type: number, fixed: Uint8Array, data: Uint8Array, options: readonly ng.PcapngOption[]): void {
    this.sink(ng.buildBlock(type, fixed, data, options, this.littleEndian));
  }
}

function texts(code: number, values: string | readonly string[] = []): ng.PcapngOption[] {
  return (typeof values === "string" ? [values] : values).map((text) => ng.textOption(code, text));
}
