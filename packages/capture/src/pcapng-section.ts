// One section of a pcapng file: what its header says, its interfaces, and how its blocks of packets are read.
import { u16, u32 } from "./byte-order.ts";
import { CaptureError, type CapturePlace } from "./capture-error.ts";
import type { CapturedPacket, CaptureInterface, CaptureSection } from "./captured-packet.ts";
import { checkRecordLength, type LongRecords } from "./pcap-header.ts";
import * as ng from "./pcapng-block.ts";
import { type TimestampResolution, timestampResolution, toNanoseconds } from "./timestamp-resolution.ts";

/** A file of nothing but interface descriptions must not fill memory. */
export const MAX_INTERFACES = 65536;

interface TimedInterface extends CaptureInterface {
  readonly resolution: TimestampResolution;
}

type BlockReader = (section: PcapngSection, body: Uint8Array) => CapturedPacket | undefined;

const BLOCK_READERS: ReadonlyMap<number, BlockReader> = new Map<number, BlockReader>([
  [ng.BLOCK_INTERFACE_DESCRIPTION, (section, body) => section.addInterface(body)],
  [ng.BLOCK_PACKET, (section, body) => section.readPacket(body, u16(body, 0, section.littleEndian))],
  [ng.BLOCK_ENHANCED_PACKET, (section, body) => section.readPacket(body, u32(body, 0, section.littleEndian))],
  [ng.BLOCK_SIMPLE_PACKET, (section, body) => section.readSimplePacket(body)],
]);

export class PcapngSection {
  readonly littleEndian: boolean;
  private readonly section: CaptureSection;
  private readonly interfaces: TimedInterface[] = [];
  private readonly place: CapturePlace;
  private readonly longRecords: LongRecords;

  /** @param body what stands behind the byte-order magic */
  constructor(body: Uint8Array, littleEndian: boolean, place: CapturePlace, longRecords: LongRecords) {
    this.littleEndian = littleEndian;
    this.place = place;
    this.longRecords = longRecords;
    const major = u16(body, 0, littleEndian);
    // Minor versions 0 and 2 are the same (§4.1).
    if (major !== 1) throw new CaptureError("unsupported-version", place, `pcapng version ${major}.${u16(body, 2, littleEndian)}`);
    const options = this.options(body, 12);
    this.section = {
      format: "pcapng",
      littleEndian,
      comments: ng.optionTexts(options, ng.OPTION_COMMENT),
      hardware: ng.optionTexts(options, ng.OPTION_SECTION_HARDWARE)[0],
      operatingSystem: ng.optionTexts(options, ng.OPTION_SECTION_OPERATING_SYSTEM)[0],
      application: ng.optionTexts(options, ng.OPTION_SECTION_APPLICATION)[0],
    };
  }

  /** Reads a block of one of the types in `FIXED_LENGTHS`; the answer is undefined when it is not a packet. */
  readBlock(type: number, body: Uint8Array): CapturedPacket | undefined {
    return BLOCK_READERS.get(type)?.(this, body);
  }

  /** §4.2 */
  addInterface(body: Uint8Array): undefined {
    if (this.interfaces.length === MAX_INTERFACES) {
      throw new CaptureError("too-many-interfaces", this.place, `more than ${MAX_INTERFACES} interfaces`);
    }
    const options = this.options(body, 8);
    const value = (code: number): Uint8Array | undefined => options.find((option) => option.code === code)?.value;
    this.interfaces.push({
      section: this.section,
      index: this.interfaces.length,
      linkType: u16(body, 0, this.littleEndian),
      snapLength: u32(body, 4, this.littleEndian),
      fcsLength: value(ng.OPTION_INTERFACE_FCS_LENGTH)?.[0],
      name: ng.optionTexts(options, ng.OPTION_INTERFACE_NAME)[0],
      description: ng.optionTexts(options, ng.OPTION_INTERFACE_DESCRIPTION)[0],
      comments: ng.optionTexts(options, ng.OPTION_COMMENT),
      resolution: timestampResolution(
        value(ng.OPTION_INTERFACE_TIMESTAMP_RESOLUTION)?.[0],
        value(ng.OPTION_INTERFACE_TIMESTAMP_OFFSET),
        this.littleEndian,
      ),
    });
  }

  /** §4.3, and the obsolete packet block, which has the same layout behind its interface. */
  readPacket(body: Uint8Array, interfaceIndex: number): CapturedPacket {
    const { littleEndian } = this;
    const from = this.interfaceAt(interfaceIndex);
    const capturedLength = u32(body, 12, littleEndian);
    const bytes = this.packetBytes(body, 20, capturedLength, from);
    const timestamp = toNanoseconds(u32(body, 4, littleEndian), u32(body, 8, littleEndian), from.resolution);
    const packet = this.packet(from, timestamp, bytes, u32(body, 16, littleEndian));
    const optionsAt = 20 + capturedLength + ng.padding(capturedLength);
    if (body.length <= optionsAt) return packet;
    const options = this.options(body, optionsAt);
    const comments = ng.optionTexts(options, ng.OPTION_COMMENT);
    const flags = options.find((option) => option.code === ng.OPTION_PACKET_FLAGS && option.value.length === 4);
    return {
      ...packet,
      direction: flags && ng.DIRECTIONS[u32(flags.value, 0, littleEndian) & 3],
      comments: comments.length > 0 ? comments : undefined,
    };
  }

  /** §4.4: no time, no captured length, always the first interface. */
  readSimplePacket(body: Uint8Array): CapturedPacket {
    const from = this.interfaceAt(0);
    const originalLength = u32(body, 0, this.littleEndian);
    const capturedLength = from.snapLength === 0 ? originalLength : Math.min(originalLength, from.snapLength);
    return this.packet(from, 0n, this.packetBytes(body, 4, capturedLength, from), originalLength);
  }

  private packet(from: CaptureInterface, timestamp: bigint, bytes: Uint8Array, originalLength: number): CapturedPacket {
    return { number: this.place.packetNumber, timestamp, linkType: from.linkType, bytes, originalLength, interface: from };
  }

  private packetBytes(body: Uint8Array, at: number, length: number, from: CaptureInterface): Uint8Array {
    checkRecordLength(length, from.snapLength, this.longRecords, this.place);
    if (at + length > body.length) {
      throw new CaptureError("bad-block", this.place, `a packet of ${length} octets in a block with room for ${body.length - at}`);
    }
    return body.subarray(at, at + length);
  }

  private interfaceAt(index: number): TimedInterface {
    const found = this.interfaces[index];
    if (found === undefined) throw new CaptureError("unknown-interface", this.place, `no block has described interface ${index}`);
    return found;
  }

  private options(body: Uint8Array, at: number): ng.PcapngOption[] {
    const options = ng.readOptions(body.subarray(at), this.littleEndian);
    if (options === undefined) throw new CaptureError("bad-block", this.place, "an option reaches beyond the end of its block");
    return options;
  }
}
