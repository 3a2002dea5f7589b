// The codec of the TCP header (RFC 9293 §3.1).
import { type Ipv4Address, ip, PacketBuffer } from "@netstrata/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ACK, prependTcp, readTcp, readUncheckedTcp, SYN, type TcpHeader, type TcpHeaderFields } from "../../src/index.ts";

const source = ip("192.0.2.1") as Ipv4Address;
const destination = ip("198.51.100.2") as Ipv4Address;

const anyFields: fc.Arbitrary<TcpHeaderFields> = fc.record({
  sourcePort: fc.nat(65535),
  destinationPort: fc.nat(65535),
  seq: fc.nat(0xffffffff),
  ack: fc.nat(0xffffffff),
  flags: fc.nat(0x1ff),
  window: fc.nat(65535),
  urgentPointer: fc.nat(65535),
});

/** A whole segment; `options` a multiple of 4 octets. */
function segment(fields: TcpHeaderFields, options = new Uint8Array(0), text = new Uint8Array(0)): PacketBuffer {
  const packet = PacketBuffer.allocate(20, options.length + text.length);
  packet.set(options);
  packet.set(text, options.length);
  prependTcp(packet, fields, options.length, source, destination);
  return packet;
}

const sample: TcpHeaderFields = {
  sourcePort: 1025,
  destinationPort: 80,
  seq: 0xfedcba98,
  ack: 0x01234567,
  flags: SYN | ACK,
  window: 65535,
  urgentPointer: 0,
};

describe("reading what was written", () => {
  test("MUST-2: gives the same fields, whatever they are, over a checksum that is right", () => {
    fc.assert(
      fc.property(anyFields, fc.nat(10), fc.uint8Array({ maxLength: 100 }), (fields, words, text) => {
        const packet = segment(fields, new Uint8Array(4 * words), text);
        expect(readTcp(packet, source, destination)).toEqual({ ...fields, headerLength: 20 + 4 * words });
        packet.consume(20 + 4 * words);
        expect(packet.slice()).toEqual(text);
      }),
    );
  });

  test("MUST-1: a window of 65535 is not a negative one", () => {
    const header = readTcp(segment(sample), source, destination) as TcpHeader;
    expect(header.window).toBe(65535);
  });

  test("a known segment has the octets that the figure in §3.1 shows", () => {
    expect([...segment(sample).slice(0, 16)]).toEqual([4, 1, 0, 80, 0xfe, 0xdc, 0xba, 0x98, 1, 0x23, 0x45, 0x67, 0x50, 0x12, 0xff, 0xff]);
  });
});

describe("segments that are not what they should be", () => {
  test("MUST-3: one wrong bit anywhere and the segment is refused", () => {
    const text = Uint8Array.from([1, 2, 3, 4, 5]);
    for (let bit = 0; bit < 8 * 25; bit += 1) {
      const packet = segment(sample, undefined, text);
      packet.setU8(bit >> 3, packet.u8(bit >> 3) ^ (1 << (bit & 7)));
      expect(readTcp(packet, source, destination), `bit ${bit}`).toBeTypeOf("string");
    }
  });

  test("a segment for other addresses fails its checksum: the pseudo-header is part of it", () => {
    expect(readTcp(segment(sample), source, ip("198.51.100.3"))).toBe("bad-checksum");
  });

  test("cut off at every octet it is refused", () => {
    for (let length = 0; length < 24; length += 1) {
      const packet = segment(sample, Uint8Array.from([2, 4, 5, 180]));
      packet.truncate(length);
      expect(readTcp(packet, source, destination), `${length} octets`).toBe(length < 20 ? "truncated" : "bad-header-length");
    }
  });

  test("a data offset below 5 words or beyond the segment is refused", () => {
    for (let words = 0; words < 16; words += 1) {
      const packet = segment(sample, new Uint8Array(8));
      packet.setU8(12, words << 4);
      packet.checksum = "verified";
      const result = readTcp(packet, source, destination);
      expect(typeof result === "string" ? result : result.headerLength).toBe(words < 5 || words > 7 ? "bad-header-length" : 4 * words);
    }
  });

  test("random octets are never worse than a reason", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const result = readTcp(PacketBuffer.wrap(bytes), source, destination);
        if (typeof result !== "string") expect(result.headerLength).toBeLessThanOrEqual(bytes.length);
        expect(["string", "object"]).toContain(typeof readUncheckedTcp(PacketBuffer.wrap(bytes)));
      }),
    );
  });
});

describe("checksum offload", () => {
  test("a checksum that a device has verified is not computed again", () => {
    const packet = segment(sample);
    packet.setU16(16, 0x1234);
    packet.checksum = "verified";
    expect(readTcp(packet, source, destination)).toMatchObject({ seq: sample.seq });
  });

  test("a partial checksum is the sum of the pseudo-header, not complemented", () => {
    const packet = PacketBuffer.allocate(20, 0);
    prependTcp(packet, sample, 0, source, destination, true);
    // 192.0.2.1 + 198.51.100.2 + protocol 6 + length 20
    expect(packet.u16(16)).toBe(((0xc000 + 0x0201 + 0xc633 + 0x6402 + 6 + 20) % 0x10000) + 1);
    expect(packet.checksum).toBe("partial");
  });
});
