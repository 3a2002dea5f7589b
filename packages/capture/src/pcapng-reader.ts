// Reads pcapng (draft-ietf-opsawg-pcapng): several sections, each in its own byte order, several interfaces, comments.
import { u32 } from "./byte-order.ts";
import type { ByteQueue } from "./byte-queue.ts";
import { CaptureError, type CapturePlace } from "./capture-error.ts";
import type { CapturedPacket } from "./captured-packet.ts";
import type { LongRecords } from "./pcap-header.ts";
import { BLOCK_SECTION_HEADER, BYTE_ORDER_MAGIC, FIXED_LENGTHS } from "./pcapng-block.ts";
import { PcapngSection } from "./pcapng-section.ts";

/** Octets. A block that is read is held in memory whole; the kinds that are skipped may have any length. */
export const MAX_BLOCK_LENGTH: number = 16 * 1024 * 1024;

/**
 * Yields packets, and undefined whenever it needs more octets in the queue.
 * @param magic the file's first four octets, which have been taken from the queue already: a section header's type
 * @param place kept up to date, for messages
 */
export function* readPcapng(
  queue: ByteQueue,
  magic: Uint8Array,
  place: CapturePlace,
  longRecords: LongRecords,
): Generator<CapturedPacket | undefined, never> {
  let section: PcapngSection | undefined;
  let littleEndian = true;
  let type: Uint8Array | undefined = magic;
  for (;;) {
    while ((type ??= queue.take(4)) === undefined) yield undefined;
    let length: Uint8Array | undefined;
    while ((length = queue.take(4)) === undefined) yield undefined;
    let readLength = 8;
    const blockType = u32(type, 0, littleEndian);
    type = undefined;
    // The type of a section header reads the same in both byte orders; how to read the rest stands behind its length.
    const isSectionHeader = blockType === BLOCK_SECTION_HEADER;
    if (isSectionHeader) {
      let byteOrder: Uint8Array | undefined;
      while ((byteOrder = queue.take(4)) === undefined) yield undefined;
      readLength += 4;
      littleEndian = u32(byteOrder, 0, true) === BYTE_ORDER_MAGIC;
      if (!littleEndian && u32(byteOrder, 0, false) !== BYTE_ORDER_MAGIC) {
        throw new CaptureError("bad-block", place, "a section header without its byte-order magic");
      }
    }
    const blockLength = u32(length, 0, littleEndian);
    const fixedLength = FIXED_LENGTHS.get(blockType);
    if (blockLength % 4 !== 0 || blockLength < 12 + (fixedLength ?? 0)) {
      throw new CaptureError("bad-block", place, `a block of type ${blockType} cannot have ${blockLength} octets`);
    }
    if (fixedLength !== undefined && blockLength > MAX_BLOCK_LENGTH) {
      throw new CaptureError("bad-block", place, `a block of ${blockLength} octets; the limit is ${MAX_BLOCK_LENGTH}`);
    }
    const bodyLength = blockLength - readLength - 4;
    let body: Uint8Array | undefined;
    if (fixedLength !== undefined) while ((body = queue.take(bodyLength)) === undefined) yield undefined;
    else while (!queue.skip(bodyLength)) yield undefined;
    let trailer: Uint8Array | undefined;
    while ((trailer = queue.take(4)) === undefined) yield undefined;
    if (u32(trailer, 0, littleEndian) !== blockLength) {
      throw new CaptureError(
        "bad-block",
        place,
        `a block says ${blockLength} octets at its start and ${u32(trailer, 0, littleEndian)} at its end`,
      );
    }
    if (isSectionHeader) {
      section = new PcapngSection(body as Uint8Array, littleEndian, place, longRecords);
      if (place.packetNumber === 0) place.packetNumber = 1;
    } else if (body !== undefined) {
      const packet = (section as PcapngSection).readBlock(blockType, body);
      if (packet !== undefined) {
        yield packet;
        place.packetNumber += 1;
      }
    }
    place.byteOffset = queue.offset;
  }
}
