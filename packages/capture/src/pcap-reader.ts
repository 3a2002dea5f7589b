// Reads classic pcap (draft-ietf-opsawg-pcap): microseconds, nanoseconds and the modified format, in both byte orders.
import { u32 } from "./byte-order.ts";
import type { ByteQueue } from "./byte-queue.ts";
import type { CapturePlace } from "./capture-error.ts";
import type { CapturedPacket } from "./captured-packet.ts";
import { checkRecordLength, type LongRecords, PCAP_HEADER_LENGTH, pcapInterface, pcapTimestamp, readPcapHeader } from "./pcap-header.ts";

/**
 * Yields packets, and undefined whenever it needs more octets in the queue.
 * @param magic the file's first four octets, which have been taken from the queue already
 * @param place kept up to date, for messages
 */
export function* readPcap(
  queue: ByteQueue,
  magic: Uint8Array,
  place: CapturePlace,
  longRecords: LongRecords,
): Generator<CapturedPacket | undefined, never> {
  let bytes: Uint8Array | undefined;
  while ((bytes = queue.take(PCAP_HEADER_LENGTH - magic.length)) === undefined) yield undefined;
  const header = readPcapHeader(Uint8Array.of(...magic, ...bytes), place.file);
  const { linkType, littleEndian, minorVersion, recordHeaderLength, snapLength, tick } = header;
  const captureInterface = pcapInterface(header);
  for (let number = 1; ; number += 1) {
    place.packetNumber = number;
    place.byteOffset = queue.offset;
    while ((bytes = queue.take(recordHeaderLength)) === undefined) yield undefined;
    const timestamp = pcapTimestamp(u32(bytes, 0, littleEndian), u32(bytes, 4, littleEndian), tick);
    let capturedLength = u32(bytes, 8, littleEndian);
    let originalLength = u32(bytes, 12, littleEndian);
    // Before version 2.3 the two lengths stood the other way round, and some writers of 2.3 had not heard of the change.
    if (minorVersion < 3 || (minorVersion === 3 && capturedLength > originalLength)) {
      [capturedLength, originalLength] = [originalLength, capturedLength];
    }
    checkRecordLength(capturedLength, snapLength, longRecords, place);
    while ((bytes = queue.take(capturedLength)) === undefined) yield undefined;
    yield { number, timestamp, linkType, bytes, originalLength, interface: captureInterface };
  }
}
