// Capture files in Node: from a path or a stream, classic microsecond pcap through the pcap-parser package.
import { createReadStream } from "node:fs";
import { u16 } from "../byte-order.ts";
import type { CapturedPacket } from "../captured-packet.ts";
import { MAGIC_MICROSECONDS, PCAP_HEADER_LENGTH, type PcapHeader, readPcapHeader, readPcapMagic } from "../pcap-header.ts";
import { type ReadOptions, readCaptureBatches } from "../read-capture.ts";
import { PcapParserGuard } from "./pcap-parser-guard.ts";

export interface OpenOptions extends ReadOptions {
  /** Told, after each chunk, how many octets of the file have been read so far. */
  readonly onProgress?: (octets: number) => void;
}

/** Reads a file packet after packet. @throws CaptureError, after every whole packet before the fault; Node's own error when the file cannot be read */
export async function* openCapture(path: string, options: OpenOptions = {}): AsyncGenerator<CapturedPacket, void, void> {
  for await (const batch of openCaptureBatches(path, options)) yield* batch;
}

/** The same in batches: faster, because there is one promise for many packets. No batch is empty. */
export function openCaptureBatches(path: string, options: OpenOptions = {}): AsyncGenerator<readonly CapturedPacket[], void, void> {
  return readStreamBatches(createReadStream(path, { highWaterMark: 65536 }), { name: path, ...options });
}

/** Reads any stream of octets, such as `process.stdin`. */
export async function* readStreamBatches(
  stream: AsyncIterable<Uint8Array>,
  options: OpenOptions = {},
): AsyncGenerator<readonly CapturedPacket[], void, void> {
  const { name: file = "capture", longRecords = "refuse" } = options;
  const chunks = stream[Symbol.asyncIterator]();
  const { head, ended } = await readHead(chunks);
  const rest = restOf(head, ended, chunks, options.onProgress);
  const header = parserHeader(head, file);
  if (header === undefined) return yield* readCaptureBatches(rest, options);
  const guard = new PcapParserGuard(header, { file, packetNumber: 1, byteOffset: PCAP_HEADER_LENGTH }, longRecords);
  for await (const chunk of rest) yield* guard.push(chunk);
  guard.end();
}

/** The header when pcap-parser can read the file, undefined when our own readers are to read it, or to say what is wrong with it. */
function parserHeader(head: Uint8Array, file: string): PcapHeader | undefined {
  if (head.length < PCAP_HEADER_LENGTH) return undefined;
  const magic = readPcapMagic(head);
  if (magic?.magic !== MAGIC_MICROSECONDS || u16(head, 4, magic.littleEndian) !== 2 || u16(head, 6, magic.littleEndian) !== 4)
    return undefined;
  return readPcapHeader(head, file);
}

/** Reads chunks until a file header is whole. */
async function readHead(chunks: AsyncIterator<Uint8Array>): Promise<{ head: Uint8Array; ended: boolean }> {
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < PCAP_HEADER_LENGTH) {
    const result = await chunks.next();
    if (result.done) return { head, ended: true };
    head = head.length === 0 ? result.value : Buffer.concat([head, result.value]);
  }
  return { head, ended: false };
}

/** All chunks of the file again, the head first. */
async function* restOf(
  head: Uint8Array,
  ended: boolean,
  chunks: AsyncIterator<Uint8Array>,
  onProgress: OpenOptions["onProgress"],
): AsyncGenerator<Uint8Array, void, void> {
  let octets = head.length;
  try {
    yield head;
    onProgress?.(octets);
    while (!ended) {
      const result = await chunks.next();
      if (result.done) return;
      yield result.value;
      onProgress?.((octets += result.value.length));
    }
  } finally {
    // Whoever stops reading early closes the file.
    await chunks.return?.();
  }
}
