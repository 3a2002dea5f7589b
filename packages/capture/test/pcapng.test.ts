import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { setU32 } from "../src/byte-order.ts";
import { PcapngWriter } from "../src/index.ts";
import { BLOCK_ENHANCED_PACKET, BLOCK_INTERFACE_DESCRIPTION, BLOCK_PACKET, BLOCK_SIMPLE_PACKET, buildBlock } from "../src/pcapng-block.ts";
import { Chunks, concat, cut, hex, readAll, udpDatagram } from "./packets.ts";

const packet = udpDatagram("hello");
const EMPTY = new Uint8Array(0);

/** A section header and one interface of link type 101. */
function head(littleEndian = true, options: readonly { code: number; value: Uint8Array }[] = [], snapLength = 0): Uint8Array {
  const chunks = new Chunks();
  new PcapngWriter(chunks.sink, { littleEndian });
  const fixed = littleEndian ? hex("65 00 0000 00000000") : hex("0065 0000 00000000");
  setU32(fixed, 4, snapLength, littleEndian);
  chunks.sink(buildBlock(BLOCK_INTERFACE_DESCRIPTION, fixed, EMPTY, options, littleEndian));
  return chunks.bytes;
}

/** An enhanced packet block, little-endian, with any time. */
function enhanced(bytes: Uint8Array, high = 0, low = 0, interfaceIndex = 0): Uint8Array {
  const fixed = new Uint8Array(20);
  for (const [index, value] of [interfaceIndex, high, low, bytes.length, bytes.length].entries()) setU32(fixed, 4 * index, value, true);
  return buildBlock(BLOCK_ENHANCED_PACKET, fixed, bytes, [], true);
}

const anyPacket = fc.record({
  timestamp: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  bytes: fc.uint8Array({ maxLength: 100 }),
  direction: fc.constantFrom(undefined, "in" as const, "out" as const),
  comments: fc.array(fc.string({ unit: "binary", maxLength: 20 }), { maxLength: 3 }),
  from: fc.integer({ min: 0, max: 2 }),
  cutOff: fc.integer({ min: 0, max: 100 }),
});

test.each([true, false])("what is written is read again (little endian: %s), however it is cut into chunks", async (littleEndian) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyPacket, { maxLength: 10 }), fc.integer({ min: 1, max: 300 }), async (records, chunkSize) => {
      const chunks = new Chunks();
      const writer = new PcapngWriter(chunks.sink, { littleEndian, comments: ["one", "zwei"], hardware: "h", operatingSystem: "os" });
      writer.addInterface({ linkType: 1, name: "eth0", description: "the wire", comments: ["an interface"] });
      writer.addInterface({ linkType: 101, name: "tun0" });
      writer.addInterface({ linkType: 0, snapLength: 65535 });
      for (const { from, cutOff, ...record } of records) writer.packet(from, { ...record, originalLength: record.bytes.length + cutOff });
      const { packets, error } = await readAll(cut(chunks.bytes, chunkSize));
      expect(error).toBeUndefined();
      expect(packets.length).toBe(records.length);
      for (const [index, { from, cutOff, ...record }] of records.entries()) {
        const { comments, bytes, timestamp, direction, originalLength, number, linkType } = packets[index];
        expect({ bytes, timestamp, direction, comments: comments ?? [] }).toEqual(record);
        expect({ number, originalLength, linkType }).toEqual({
          number: index + 1,
          originalLength: bytes.length + cutOff,
          linkType: [1, 101, 0][from],
        });
        expect(packets[index].interface).toMatchObject(
          [
            { index: 0, name: "eth0", description: "the wire", comments: ["an interface"], snapLength: 262144 },
            { index: 1, name: "tun0", description: undefined, comments: [] },
            { index: 2, name: undefined, snapLength: 65535 },
          ][from],
        );
        expect(packets[index].interface.section).toEqual({
          format: "pcapng",
          littleEndian,
          comments: ["one", "zwei"],
          hardware: "h",
          operatingSystem: "os",
          application: "netstrata",
        });
      }
    }),
    { numRuns: 50 },
  );
});

test("a packet for an interface that was not added is the caller's mistake", () => {
  expect(() => new PcapngWriter(() => {}).packet(0, { timestamp: 0n, bytes: packet })).toThrow(RangeError);
});

test("a comment that is longer than an option can be is cut between characters", async () => {
  const chunks = new Chunks();
  const writer = new PcapngWriter(chunks.sink);
  writer.packet(writer.addInterface({ linkType: 101 }), { timestamp: 0n, bytes: packet, comments: ["ä".repeat(40_000)] });
  const { packets, error } = await readAll([chunks.bytes]);
  expect(error).toBeUndefined();
  expect(packets[0].comments).toEqual(["ä".repeat(32_767)]);
});

test("sections follow one another, each in its own byte order and with interfaces of its own", async () => {
  const chunks = new Chunks();
  for (const littleEndian of [true, false]) {
    const writer = new PcapngWriter(chunks.sink, { littleEndian });
    const index = writer.addInterface({ linkType: 101, name: `little ${littleEndian}` });
    writer.packet(index, { timestamp: 5n, bytes: packet });
  }
  const { packets, error } = await readAll([chunks.bytes]);
  expect(error).toBeUndefined();
  expect(packets.map(({ number, interface: { index, name } }) => ({ number, index, name }))).toEqual([
    { number: 1, index: 0, name: "little true" },
    { number: 2, index: 0, name: "little false" },
  ]);
});

test("blocks of unknown types are skipped, however long", async () => {
  const unknown = buildBlock(0x0bad, EMPTY, new Uint8Array(100_000), [], true);
  const { packets, error } = await readAll(cut(concat([head(), unknown, enhanced(packet), unknown]), 1000));
  expect(error).toBeUndefined();
  expect(packets.length).toBe(1);
});

test("a simple packet has no time, and at most the snap length of the first interface", async () => {
  const fixed = new Uint8Array(4);
  setU32(fixed, 0, 500, true);
  const block = buildBlock(BLOCK_SIMPLE_PACKET, fixed, packet.subarray(0, 20), [], true);
  const { packets } = await readAll([concat([head(true, [], 20), block])]);
  expect(packets[0]).toMatchObject({ timestamp: 0n, bytes: packet.subarray(0, 20), originalLength: 500 });
});

test("the obsolete packet block has its interface in 16 bits", async () => {
  const fixed = new Uint8Array(20);
  // Interface 0, and 7 drops.
  for (const [index, value] of [0x00070000, 0, 1_000_000, packet.length, packet.length].entries()) setU32(fixed, 4 * index, value, true);
  const { packets } = await readAll([concat([head(), buildBlock(BLOCK_PACKET, fixed, packet, [], true)])]);
  expect(packets[0]).toMatchObject({ timestamp: 1_000_000_000n, bytes: packet });
});

describe("if_tsresol and if_tsoffset", () => {
  const SECONDS_LATER = Uint8Array.of(10, 0, 0, 0, 0, 0, 0, 0);
  const SECONDS_EARLIER = Uint8Array.of(0xf6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
  test.each([
    { name: "nothing: microseconds", options: [], high: 0, low: 3_000_001, expected: 3_000_001_000n },
    { name: "seconds", options: [{ code: 9, value: Uint8Array.of(0) }], high: 0, low: 7, expected: 7_000_000_000n },
    {
      name: "nanoseconds, all 64 bits",
      options: [{ code: 9, value: Uint8Array.of(9) }],
      high: 0xffffffff,
      low: 0xffffffff,
      expected: 2n ** 64n - 1n,
    },
    { name: "2^-10 seconds", options: [{ code: 9, value: Uint8Array.of(0x8a) }], high: 0, low: 1536, expected: 1_500_000_000n },
    { name: "10^-12 seconds", options: [{ code: 9, value: Uint8Array.of(12) }], high: 0, low: 5_000, expected: 5n },
    { name: "10^-127 seconds", options: [{ code: 9, value: Uint8Array.of(127) }], high: 1, low: 0, expected: 0n },
    { name: "an offset", options: [{ code: 14, value: SECONDS_LATER }], high: 0, low: 1, expected: 10_000_001_000n },
    { name: "a negative offset", options: [{ code: 14, value: SECONDS_EARLIER }], high: 0, low: 1, expected: -9_999_999_000n },
  ])("$name", async ({ options, high, low, expected }) => {
    const { packets } = await readAll([concat([head(true, options), enhanced(packet, high, low)])]);
    expect(packets[0].timestamp).toBe(expected);
  });
});

describe("faults", () => {
  const first = concat([head(), enhanced(packet)]);
  /** What is wrong comes behind one good packet. */
  const faults: [name: string, code: string, block: Uint8Array][] = [
    ["a length below 12", "bad-block", hex("0a000000 08000000 08000000")],
    ["a length that is not a multiple of 4", "bad-block", hex("0a000000 0d000000 00 0d000000")],
    ["two lengths that disagree", "bad-block", hex("0a000000 0c000000 10000000")],
    ["a block too short for its type", "bad-block", hex("06000000 10000000 00000000 10000000")],
    ["a packet longer than its block", "bad-block", hex("06000000 20000000 00000000 00000000 00000000 ff000000 ff000000 20000000")],
    ["a section without byte order", "bad-block", hex("0a0d0d0a 1c000000 00000000 01000000 ffffffffffffffff 1c000000")],
    ["a section of version 2", "unsupported-version", hex("0a0d0d0a 1c000000 4d3c2b1a 02000000 ffffffffffffffff 1c000000")],
    ["a block that is to be read and has 16 MiB", "bad-block", hex("06000000 04000001 00000000")],
    ["an unknown interface", "unknown-interface", enhanced(packet, 0, 0, 1)],
    ["an option beyond the block's end", "bad-block", hex("01000000 18000000 01000000 00000000 0100ff00 18000000")],
  ];
  test.each(faults)("%s", async (_name, code, block) => {
    const { packets, error } = await readAll([concat([first, block])], { name: "f.pcapng" });
    expect(packets.length).toBe(1);
    expect(error).toMatchObject({ code, file: "f.pcapng", packetNumber: 2, byteOffset: first.length });
  });

  test("a record longer than its interface's snap length", async () => {
    const bytes = concat([head(true, [], 20), enhanced(packet)]);
    expect((await readAll([bytes])).error).toMatchObject({ code: "record-too-long", packetNumber: 1 });
    expect((await readAll([bytes], { longRecords: "accept" })).packets.length).toBe(1);
  });

  test("too many interfaces", async () => {
    const description = buildBlock(BLOCK_INTERFACE_DESCRIPTION, hex("0100 0000 00000000"), EMPTY, [], true);
    const descriptions = new Uint8Array(65536 * description.length);
    for (let index = 0; index < 65536; index += 1) descriptions.set(description, index * description.length);
    const { error } = await readAll([concat([head(), descriptions])]);
    expect(error).toMatchObject({ code: "too-many-interfaces" });
  });
});
