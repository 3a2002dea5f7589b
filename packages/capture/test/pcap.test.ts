import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { setU16, setU32 } from "../src/byte-order.ts";
import { PcapWriter, type PcapWriterOptions } from "../src/index.ts";
import { Chunks, concat, cut, readAll, udpDatagram } from "./packets.ts";

const SECOND = 1_000_000_000n;
const packet = udpDatagram("hello");

function file(options: Partial<PcapWriterOptions> = {}, packets: readonly Uint8Array[] = [packet]): Uint8Array {
  const chunks = new Chunks();
  const writer = new PcapWriter(chunks.sink, { linkType: 101, ...options });
  for (const [index, bytes] of packets.entries()) writer.packet({ timestamp: BigInt(index) * SECOND + 123_456_789n, bytes });
  return chunks.bytes;
}

/** A little-endian file of one packet with another header. */
function patched(patch: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = file();
  patch(bytes);
  return bytes;
}

const anyPacket = fc.record({
  // Seconds are 32 bits in this format.
  timestamp: fc.bigInt({ min: 0n, max: 2n ** 32n * SECOND - 1n }),
  bytes: fc.uint8Array({ maxLength: 300 }),
  cutOff: fc.integer({ min: 0, max: 1000 }),
});

describe.each(["microseconds", "nanoseconds"] as const)("with %s", (resolution) => {
  test.each([true, false])("what is written is read again (little endian: %s), however it is cut into chunks", async (littleEndian) => {
    const tick = resolution === "microseconds" ? 1000n : 1n;
    await fc.assert(
      fc.asyncProperty(fc.array(anyPacket), fc.integer({ min: 1, max: 500 }), async (records, chunkSize) => {
        const chunks = new Chunks();
        const writer = new PcapWriter(chunks.sink, { linkType: 1, resolution, littleEndian });
        for (const { timestamp, bytes, cutOff } of records) writer.packet({ timestamp, bytes, originalLength: bytes.length + cutOff });
        const { packets, error } = await readAll(cut(chunks.bytes, chunkSize));
        expect(error).toBeUndefined();
        expect(packets.map(({ timestamp, bytes, originalLength }) => ({ timestamp, bytes, originalLength }))).toEqual(
          records.map(({ timestamp, bytes, cutOff }) => ({
            timestamp: timestamp - (timestamp % tick),
            bytes,
            originalLength: bytes.length + cutOff,
          })),
        );
        for (const [index, read] of packets.entries()) expect(read).toMatchObject({ number: index + 1, linkType: 1 });
      }),
      { numRuns: 50 },
    );
  });
});

test("the interface says what the file header says", async () => {
  const { packets } = await readAll([file({ linkType: 113, snapLength: 500, littleEndian: false })]);
  expect(packets[0].interface).toEqual({
    section: { format: "pcap", littleEndian: false, comments: [] },
    index: 0,
    linkType: 113,
    snapLength: 500,
    fcsLength: undefined,
    comments: [],
  });
});

test("the writer cuts what is longer than the snap length, and keeps the length it had", async () => {
  const { packets } = await readAll([file({ snapLength: 20 })]);
  expect(packets[0].bytes).toEqual(packet.subarray(0, 20));
  expect(packets[0].originalLength).toBe(packet.length);
});

test("a chunk with thousands of packets is delivered whole", async () => {
  const { packets } = await readAll([
    file(
      {},
      Array.from({ length: 10_000 }, () => packet),
    ),
  ]);
  expect(packets.length).toBe(10_000);
});

test("a web stream is read as well", async () => {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of cut(file(), 7)) controller.enqueue(chunk);
      controller.close();
    },
  });
  expect((await readAll(stream)).packets.length).toBe(1);
});

describe("corner cases of libpcap", () => {
  test("a snap length of 0 means that there is none", async () => {
    const bytes = patched((header) => setU32(header, 16, 0, true));
    expect((await readAll([bytes])).packets[0].bytes).toEqual(packet);
  });

  test("a packet may be longer than it was", async () => {
    const bytes = patched((header) => setU32(header, 24 + 12, 3, true));
    expect((await readAll([bytes])).packets[0]).toMatchObject({ bytes: packet, originalLength: 3 });
  });

  test("the upper half of the link type tells the length of the FCS", async () => {
    const bytes = patched((header) => setU32(header, 20, 0x24000001, true));
    expect((await readAll([bytes])).packets[0]).toMatchObject({ linkType: 1, interface: { fcsLength: 4 } });
  });

  test.each([2, 3])("before version 2.4 the lengths may stand the other way round: 2.%i", async (minor) => {
    const bytes = patched((header) => {
      setU16(header, 6, minor, true);
      setU32(header, 24 + 8, 1000, true);
      setU32(header, 24 + 12, packet.length, true);
    });
    expect((await readAll([bytes])).packets[0]).toMatchObject({ bytes: packet, originalLength: 1000 });
  });

  test("the modified format has 8 octets more in each record's header", async () => {
    const plain = patched((header) => setU32(header, 0, 0xa1b2cd34, true));
    const bytes = concat([plain.subarray(0, 40), new Uint8Array(8), plain.subarray(40)]);
    expect((await readAll([bytes])).packets[0].bytes).toEqual(packet);
  });
});

describe("faults", () => {
  test("a foreign magic number is named", async () => {
    const { error } = await readAll([new TextEncoder().encode("GIF89a, which is a picture")], { name: "picture.gif" });
    expect(error).toMatchObject({ code: "unknown-format", file: "picture.gif", packetNumber: 0, byteOffset: 0 });
    expect(error?.message).toBe("picture.gif: file header at byte 0: neither pcap nor pcapng: it begins with 47 49 46 38");
  });

  test("a compressed file is recognised", async () => {
    const { error } = await readAll([Uint8Array.of(0x1f, 0x8b, 8, 0, 0)]);
    expect(error?.message).toContain("gzip");
  });

  test("an unknown version is refused", async () => {
    const { error } = await readAll([patched((header) => setU16(header, 4, 3, true))]);
    expect(error).toMatchObject({ code: "unsupported-version", packetNumber: 0 });
  });

  test("an empty file is a truncated one", async () => {
    expect((await readAll([])).error).toMatchObject({ code: "truncated", packetNumber: 0, byteOffset: 0 });
  });

  const long = (snapLength: number, capturedLength: number): Uint8Array => {
    const bytes = file({ snapLength: 1000 }, [packet, new Uint8Array(900), packet]);
    setU32(bytes, 16, snapLength, true);
    setU32(bytes, 24 + 16 + packet.length + 8, capturedLength, true);
    return bytes;
  };

  test("a record longer than the snap length is refused, after the packets before it", async () => {
    const { packets, error } = await readAll([long(100, 900)], { name: "long.pcap" });
    expect(packets.map(({ bytes }) => bytes)).toEqual([packet]);
    const byteOffset = 24 + 16 + packet.length;
    expect(error).toMatchObject({ code: "record-too-long", file: "long.pcap", packetNumber: 2, byteOffset });
    expect(error?.message).toBe(`long.pcap: packet 2 at byte ${byteOffset}: a record of 900 octets, longer than the snap length of 100`);
  });

  test("or accepted where the caller wants that", async () => {
    const { packets, error } = await readAll([long(100, 900)], { longRecords: "accept" });
    expect(error).toBeUndefined();
    expect(packets.map(({ bytes }) => bytes.length)).toEqual([packet.length, 900, packet.length]);
  });

  test.each([0, 0xffffffff])("a record of more than 262144 octets is refused, whatever the snap length: %i", async (snapLength) => {
    for (const longRecords of ["accept", "refuse"] as const) {
      const { packets, error } = await readAll([long(snapLength, 262145)], { longRecords });
      expect(packets.length).toBe(1);
      expect(error).toMatchObject({ code: "record-too-long", packetNumber: 2 });
    }
  });
});
