// Files in Node: pcap-parser behind its guard, progress, giving up early, writing.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PcapParserGuard, PIECE_LENGTH } from "../src/node/pcap-parser-guard.ts";
import { type CapturedPacket, CaptureFile, openCapture, openCaptureBatches, PcapWriter, readStreamBatches } from "../src/node.ts";
import { readPcapHeader } from "../src/pcap-header.ts";
import { Chunks, cut, udpDatagram } from "./packets.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "netstrata-capture-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function pcap(packets: readonly Uint8Array[]): Uint8Array {
  const chunks = new Chunks();
  const writer = new PcapWriter(chunks.sink, { linkType: 101 });
  for (const bytes of packets) writer.packet({ timestamp: 1000n, bytes });
  return chunks.bytes;
}

async function* asynchronously(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function packetsOf(stream: AsyncIterable<Uint8Array>): Promise<CapturedPacket[]> {
  const packets: CapturedPacket[] = [];
  for await (const batch of readStreamBatches(stream)) packets.push(...batch);
  return packets;
}

const packet = udpDatagram("hello");

test("a file that was written is read", async () => {
  const path = join(folder, "a.pcap");
  {
    using file = new CaptureFile(path);
    const writer = new PcapWriter(file.sink, { linkType: 101 });
    for (let index = 0; index < 3000; index += 1) writer.packet({ timestamp: BigInt(index) * 1000n, bytes: packet });
    writer.packet({ timestamp: 0n, bytes: new Uint8Array(200_000) });
  }
  const lengths: number[] = [];
  for await (const read of openCapture(path)) lengths.push(read.bytes.length);
  expect(lengths).toEqual([...new Array<number>(3000).fill(packet.length), 200_000]);
});

test("what is flushed is in the file before it is closed, and a closed file takes no more", () => {
  const path = join(folder, "a.pcap");
  const file = new CaptureFile(path);
  new PcapWriter(file.sink, { linkType: 101 });
  file.flush();
  expect(readFileSync(path).length).toBe(24);
  file.close();
  file.close();
  expect(() => file.sink(packet)).toThrow("closed");
});

test("a file that is not there is Node's own error", async () => {
  await expect(openCapture(join(folder, "missing")).next()).rejects.toMatchObject({ code: "ENOENT", syscall: "open" });
});

test("an error names the path", async () => {
  const path = join(folder, "cut.pcap");
  writeFileSync(path, pcap([packet, packet]).subarray(0, -1));
  const read = async (): Promise<number> => {
    let count = 0;
    try {
      for await (const batch of openCaptureBatches(path)) count += batch.length;
    } catch (error) {
      expect(error).toMatchObject({ name: "CaptureError", code: "truncated", file: path, packetNumber: 2 });
      return count;
    }
    return -1;
  };
  expect(await read()).toBe(1);
});

test("progress counts the octets of the file", async () => {
  const path = join(folder, "a.pcap");
  const bytes = pcap(Array.from({ length: 3000 }, () => packet));
  writeFileSync(path, bytes);
  const seen: number[] = [];
  for await (const _batch of openCaptureBatches(path, { onProgress: (octets) => seen.push(octets) }));
  expect(seen.at(-1)).toBe(bytes.length);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.length).toBeGreaterThan(1);
});

test("whoever stops early closes the stream", async () => {
  let closed = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      yield pcap([packet]);
      for (;;) yield pcap([packet]).subarray(24);
    } finally {
      closed = true;
    }
  }
  let count = 0;
  for await (const batch of readStreamBatches(endless())) {
    count += batch.length;
    if (count >= 5) break;
  }
  expect(closed).toBe(true);
});

test("pcap-parser is what reads microsecond files: its packets are Buffers", async () => {
  const [read] = await packetsOf(asynchronously([pcap([packet])]));
  expect(Buffer.isBuffer(read.bytes)).toBe(true);
});

test("a live stream delivers a packet as soon as it is whole", async () => {
  const arrived: number[] = [];
  let delivered = 0;
  async function* live(): AsyncGenerator<Uint8Array> {
    for (const chunk of cut(pcap([packet, packet, packet]), 24)) {
      yield chunk;
      arrived.push(delivered);
    }
  }
  for await (const batch of readStreamBatches(live())) delivered += batch.length;
  expect(arrived.filter((count) => count > 0).length).toBeGreaterThan(arrived.length / 2);
});

test("the largest record in chunks of one octet is not copied again and again", async () => {
  // pcap-parser alone would copy 34 GB here.
  const large = Uint8Array.from({ length: 262144 }, (_, index) => index);
  const [read] = await packetsOf(asynchronously(cut(pcap([large]), 1)));
  expect(Buffer.compare(read.bytes, large)).toBe(0);
});

test("a large chunk reaches pcap-parser in pieces", () => {
  const bytes = pcap(Array.from({ length: 20_000 }, () => packet));
  const guard = new PcapParserGuard(readPcapHeader(bytes, "f"), { file: "f", packetNumber: 1, byteOffset: 24 }, "refuse");
  const batches = [...guard.push(bytes)];
  expect(batches.length).toBe(Math.ceil(bytes.length / PIECE_LENGTH));
  expect(batches.flat().length).toBe(20_000);
  guard.end();
});
