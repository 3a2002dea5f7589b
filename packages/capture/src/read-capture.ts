// Reads a capture file of any format from chunks of octets, wherever they come from, in bounded memory.

import { u32 } from "./byte-order.ts";
import { ByteQueue } from "./byte-queue.ts";
import { CaptureError, type CapturePlace } from "./capture-error.ts";
import type { CapturedPacket } from "./captured-packet.ts";
import { type LongRecords, readPcapMagic, unknownFormat } from "./pcap-header.ts";
import { readPcap } from "./pcap-reader.ts";
import { BLOCK_SECTION_HEADER } from "./pcapng-block.ts";
import { readPcapng } from "./pcapng-reader.ts";

export interface ReadOptions {
  /** The file's name, for messages. @default "capture" */
  readonly name?: string;
  /**
   * A record longer than its file's snap length is a fault; "accept" reads it nevertheless, as long as it has at most 262144
   * octets. @default "refuse"
   */
  readonly longRecords?: LongRecords;
}

/** What a capture can be read from. The reader keeps views of the chunks: do not write into them afterwards. */
export type ChunkSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array> | ReadableStream<Uint8Array>;

/** Packets. A batch ends where a chunk ends, or here, when the chunks are large. */
const LARGEST_BATCH = 4096;

/** Reads packet after packet. @throws CaptureError when the file is faulty, after every whole packet before the fault */
export async function* readCapture(source: ChunkSource, options: ReadOptions = {}): AsyncGenerator<CapturedPacket, void, void> {
  for await (const batch of readCaptureBatches(source, options)) yield* batch;
}

/**
 * The same in batches, one for each chunk or so. A promise for each batch is cheaper than one for each packet: small packets
 * take half the time. No batch is empty.
 */
export async function* readCaptureBatches(
  source: ChunkSource,
  options: ReadOptions = {},
): AsyncGenerator<readonly CapturedPacket[], void, void> {
  const queue = new ByteQueue();
  const place: CapturePlace = { file: options.name ?? "capture", packetNumber: 0, byteOffset: 0 };
  const packets = readAnyFormat(queue, place, options.longRecords ?? "refuse");
  for await (const chunk of chunksOf(source)) {
    queue.push(chunk);
    let batch: readonly CapturedPacket[];
    do {
      const drained = drain(packets);
      batch = drained.batch;
      if (batch.length > 0) yield batch;
      if (drained.fault !== undefined) throw drained.fault;
    } while (batch.length === LARGEST_BATCH);
  }
  checkWhole(queue, place);
}

/** Takes up to a batch of packets out of `packets`. A fault is an answer here, because the packets before it are not to be lost. */
function drain(packets: Iterator<CapturedPacket | undefined>): { batch: CapturedPacket[]; fault?: unknown } {
  const batch: CapturedPacket[] = [];
  try {
    while (batch.length < LARGEST_BATCH) {
      const packet = packets.next().value;
      if (packet === undefined) break;
      batch.push(packet);
    }
    return { batch };
  } catch (fault) {
    return { batch, fault };
  }
}

function* readAnyFormat(queue: ByteQueue, place: CapturePlace, longRecords: LongRecords): Generator<CapturedPacket | undefined, never> {
  let magic: Uint8Array | undefined;
  while ((magic = queue.take(4)) === undefined) yield undefined;
  if (u32(magic, 0, false) === BLOCK_SECTION_HEADER) return yield* readPcapng(queue, magic, place, longRecords);
  if (readPcapMagic(magic) !== undefined) return yield* readPcap(queue, magic, place, longRecords);
  throw new CaptureError("unknown-format", place, unknownFormat(magic));
}

/** Throws when the file ended in the middle of its header, of a record or of a block. */
function checkWhole(queue: ByteQueue, place: CapturePlace): void {
  if (place.packetNumber === 0) throw new CaptureError("truncated", place, "the file ends before its header does");
  const begun = queue.offset + queue.pending - place.byteOffset;
  if (begun > 0) throw new CaptureError("truncated", place, `the file ends ${begun} octets into a record`);
}

async function* chunksOf(source: ChunkSource): AsyncGenerator<Uint8Array, void, void> {
  // Not every browser's ReadableStream can be iterated.
  if (!("getReader" in source)) return yield* source;
  const reader = source.getReader();
  try {
    for (let result = await reader.read(); !result.done; result = await reader.read()) yield result.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}
