import { PacketBuffer } from "@netstrata/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

describe("the window", () => {
  test("opens in front and behind, and closes on both sides", () => {
    const packet = PacketBuffer.wrap(new Uint8Array(9), 4, 6);
    expect([packet.headroom, packet.length, packet.tailroom]).toEqual([4, 2, 3]);
    packet.setU16(0, 0x0102);
    packet.prepend(2);
    packet.setU16(0, 0x0304);
    packet.append(1);
    packet.setU8(4, 5);
    expect([...packet.view()]).toEqual([3, 4, 1, 2, 5]);
    packet.consume(1);
    packet.truncate(3);
    expect([...packet.view()]).toEqual([4, 1, 2]);
    packet.rewind(1);
    packet.extend(1);
    expect([...packet.view()]).toEqual([3, 4, 1, 2, 5]);
    expect([packet.headroom, packet.tailroom]).toEqual([2, 2]);
  });

  test("truncating to what is there or more does nothing", () => {
    const packet = PacketBuffer.allocate(0, 5);
    packet.truncate(5);
    packet.truncate(100);
    expect(packet.length).toBe(5);
    packet.truncate(0);
    expect(packet.length).toBe(0);
  });

  test("never leaves the store: misuse throws at once", () => {
    const packet = PacketBuffer.wrap(new Uint8Array(7), 2, 6);
    for (const misuse of [
      () => packet.prepend(3),
      () => packet.rewind(3),
      () => packet.consume(5),
      () => packet.append(2),
      () => packet.extend(2),
      () => packet.prepend(-1),
      () => packet.consume(-1),
      () => packet.append(-1),
      () => packet.truncate(-1),
      () => packet.prepend(Number.NaN),
      () => packet.consume(Number.NaN),
      () => packet.set(new Uint8Array(5)),
      () => packet.set(new Uint8Array(1), 4),
      () => PacketBuffer.wrap(new Uint8Array(4), 3, 2),
      () => PacketBuffer.wrap(new Uint8Array(4), 0, 5),
      () => PacketBuffer.wrap(new Uint8Array(4), -1),
      () => PacketBuffer.allocate(-1, 10),
      () => PacketBuffer.allocate(10, -1),
      () => PacketBuffer.allocate(0, 10, Number.NaN),
    ]) {
      expect(misuse).toThrow(RangeError);
    }
    expect([packet.headroom, packet.length, packet.tailroom]).toEqual([2, 4, 1]);
  });
});

describe("fields", () => {
  test("are big-endian, count from the window's start and hold their whole range", () => {
    fc.assert(
      fc.property(fc.nat(10), fc.nat(20), fc.integer({ min: 0, max: 0xffffffff }), (headroom, offset, value) => {
        const packet = PacketBuffer.allocate(headroom, 24);
        const reference = new DataView(new ArrayBuffer(24));
        packet.setU32(offset, value);
        reference.setUint32(offset, value);
        expect([...packet.view()]).toEqual([...new Uint8Array(reference.buffer)]);
        expect(packet.u32(offset)).toBe(value);
        expect(packet.u16(offset)).toBe(reference.getUint16(offset));
        expect(packet.u8(offset)).toBe(reference.getUint8(offset));
        packet.setU16(offset, value & 0xffff);
        packet.setU8(offset + 3, value & 0xff);
        reference.setUint16(offset, value & 0xffff);
        reference.setUint8(offset + 3, value & 0xff);
        expect([...packet.view()]).toEqual([...new Uint8Array(reference.buffer)]);
      }),
    );
  });
});

describe("the store", () => {
  test("a fresh packet is all zero, of whatever size", () => {
    for (const length of [0, 1, 100, 1500, 16384, 16385, 70000]) {
      for (let count = 0; count < 50; count += 1) {
        const packet = PacketBuffer.allocate(20, length, 7);
        expect(packet.length).toBe(length);
        expect(packet.bytes.subarray(packet.start - 20, packet.end + 7).every((octet) => octet === 0)).toBe(true);
        packet.bytes.fill(0xff, packet.start - 20, packet.end + 7);
      }
    }
  });

  test("two packets never share an octet", () => {
    const sizes = fc.array(fc.record({ headroom: fc.nat(60), length: fc.nat(3000), tailroom: fc.nat(60) }), {
      maxLength: 100,
      size: "max",
    });
    fc.assert(
      fc.property(sizes, (shapes) => {
        const packets = shapes.map(({ headroom, length, tailroom }) => PacketBuffer.allocate(headroom, length, tailroom));
        for (const [index, packet] of packets.entries()) {
          packet.prepend(packet.headroom);
          packet.append(packet.tailroom);
          packet.view().fill(index);
        }
        for (const [index, packet] of packets.entries()) expect(packet.view().every((octet) => octet === (index & 0xff))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test("a short packet has room behind it to be padded for Ethernet, so that padding costs no copy", () => {
    const acknowledgment = PacketBuffer.allocate(54);
    acknowledgment.prepend(54);
    expect(acknowledgment.tailroom).toBeGreaterThanOrEqual(6);
  });

  test("wrapped bytes are not copied; those before the window are headroom", () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5);
    const packet = PacketBuffer.wrap(bytes, 2, 4);
    expect([packet.headroom, packet.length, packet.tailroom]).toEqual([2, 2, 1]);
    packet.setU8(0, 9);
    expect(bytes[2]).toBe(9);
  });

  test("a view shares the store, a slice and a copy do not", () => {
    const packet = PacketBuffer.wrap(Uint8Array.of(1, 2, 3, 4, 5), 1, 4);
    packet.segmentSize = 1460;
    packet.checksum = "partial";
    const view = packet.view(1, 2);
    const slice = packet.slice(1, 2);
    const copy = packet.copy(3, 2);
    packet.setU8(1, 9);
    expect([...view]).toEqual([9, 4]);
    expect([...slice]).toEqual([3, 4]);
    expect([...copy.view()]).toEqual([2, 3, 4]);
    expect(copy.headroom).toBeGreaterThanOrEqual(3);
    expect(copy.tailroom).toBeGreaterThanOrEqual(2);
    expect([copy.segmentSize, copy.checksum]).toEqual([1460, "partial"]);
  });
});
