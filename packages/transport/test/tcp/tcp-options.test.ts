// The codec of the TCP options (RFC 9293 §3.1, §3.2, RFC 7323 §2.2, RFC 2018).
import { PacketBuffer } from "@netstrata/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type OptionLayout,
  readTcpOptions,
  sackBlocksThatFit,
  type TcpOptions,
  tcpOptionsLength,
  writeAlignedTimestamps,
  writeTcpOptions,
} from "../../src/index.ts";

/** Reads options that stand behind a header of 20 octets. */
function read(options: readonly number[] | Uint8Array, headerLength = 20 + options.length): TcpOptions {
  const packet = PacketBuffer.allocate(0, 20 + options.length);
  packet.set(Uint8Array.from(options), 20);
  return readTcpOptions(packet, headerLength);
}

function written(options: TcpOptions, layout?: OptionLayout): Uint8Array {
  // Filled with ones, so that padding that is not written shows.
  const packet = PacketBuffer.wrap(new Uint8Array(tcpOptionsLength(options, layout)).fill(0xff));
  writeTcpOptions(packet, options, layout);
  return packet.slice();
}

const anyCookie = fc.constantFrom(0, 4, 6, 8, 10, 12, 14, 16).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
const anyOptions: fc.Arbitrary<TcpOptions> = fc.record(
  {
    maximumSegmentSize: fc.nat(65535),
    windowScale: fc.nat(255),
    sackPermitted: fc.constant(true),
    timestamps: fc.record({ value: fc.nat(0xffffffff), echoReply: fc.nat(0xffffffff) }),
    sackBlocks: fc.array(fc.record({ left: fc.nat(0xffffffff), right: fc.nat(0xffffffff) }), { minLength: 1, maxLength: 4 }),
    userTimeout: fc.record({ inMinutes: fc.boolean(), value: fc.nat(0x7fff) }),
    fastOpen: fc.record({ cookie: anyCookie, experimental: fc.boolean() }),
    accurateEcn: fc.record({ order: fc.constantFrom(0, 1), counters: fc.array(fc.nat(0xffffff), { maxLength: 3 }) }),
  },
  { requiredKeys: [] },
);
const anyLayout: fc.Arbitrary<OptionLayout> = fc.constantFrom("linux", "freebsd", "rfc");

test("what is written is read again in every layout, and takes as many octets as was said", () => {
  fc.assert(
    fc.property(anyOptions, anyLayout, (options, layout) => {
      const bytes = written(options, layout);
      expect(bytes.length % 4).toBe(0);
      expect(read(bytes)).toEqual(options);
    }),
  );
});

test("MUST-69: the octets between the last option and the end of the header are zero", () => {
  expect([...written({ windowScale: 7 })]).toEqual([3, 3, 7, 0]);
  expect([...written({ maximumSegmentSize: 1460, windowScale: 3 })]).toEqual([2, 4, 5, 180, 3, 3, 3, 0]);
});

describe("layouts", () => {
  const MSS = [2, 4, 5, 180];
  const SACK_OK = [4, 2];
  const TS = [8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
  const SCALE = [3, 3, 7];
  const syn: TcpOptions = { maximumSegmentSize: 1460, sackPermitted: true, windowScale: 7 };
  const timestamps = { value: 1, echoReply: 2 };
  const sackBlocks = [{ left: 3, right: 4 }];
  const SACK = [5, 10, 0, 0, 0, 3, 0, 0, 0, 4];

  test("Linux: numbers at words, no-operations before and behind", () => {
    expect([...written({ ...syn, timestamps }, "linux")]).toEqual([...MSS, ...SACK_OK, ...TS, 1, ...SCALE]);
    expect([...written(syn, "linux")]).toEqual([...MSS, 1, 1, ...SACK_OK, 1, ...SCALE]);
    expect([...written({ maximumSegmentSize: 1460, timestamps }, "linux")]).toEqual([...MSS, 1, 1, ...TS]);
    expect([...written({ timestamps }, "linux")]).toEqual([1, 1, ...TS]);
    expect([...written({ timestamps, sackBlocks }, "linux")]).toEqual([1, 1, ...TS, 1, 1, ...SACK]);
    expect([...written({ sackBlocks }, "linux")]).toEqual([1, 1, ...SACK]);
  });

  test("RFC 7413 §4.1.1: Linux writes the cookie last and pads it with no-operations", () => {
    const cookie = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const fastOpen = (bytes: Uint8Array, experimental: boolean): number[] => [
      ...written({ maximumSegmentSize: 1460, fastOpen: { cookie: bytes, experimental } }, "linux"),
    ];
    expect(fastOpen(new Uint8Array(0), false)).toEqual([...MSS, 34, 2, 1, 1]);
    expect(fastOpen(cookie, false)).toEqual([...MSS, 34, 10, ...cookie, 1, 1]);
    expect(fastOpen(new Uint8Array(0), true)).toEqual([...MSS, 254, 4, 0xf9, 0x89]);
    expect(fastOpen(cookie, true)).toEqual([...MSS, 254, 12, 0xf9, 0x89, ...cookie]);
  });

  test("RFC 9768 §3.2.3: Linux writes AccECN behind the timestamps, and what follows fills its last word", () => {
    const accurateEcn = (...counters: number[]): TcpOptions => ({ timestamps, accurateEcn: { order: 1, counters } });
    expect([...written(accurateEcn(1, 0x020304, 5), "linux")]).toEqual([1, 1, ...TS, 174, 11, 0, 0, 1, 2, 3, 4, 0, 0, 5, 1]);
    expect([...written({ ...accurateEcn(1), windowScale: 7 }, "linux")]).toEqual([1, 1, ...TS, 174, 5, 0, 0, 1, ...SCALE]);
    expect([...written({ ...accurateEcn(), sackBlocks }, "linux")]).toEqual([1, 1, ...TS, 174, 2, ...SACK]);
    expect([...written({ accurateEcn: { order: 0, counters: [] } }, "rfc")]).toEqual([172, 2, 0, 0]);
  });

  test("FreeBSD: the window scale in front of SACK-permitted, the end of the list behind", () => {
    expect([...written({ ...syn, timestamps }, "freebsd")]).toEqual([...MSS, 1, ...SCALE, ...SACK_OK, ...TS]);
    expect([...written(syn, "freebsd")]).toEqual([...MSS, 1, ...SCALE, ...SACK_OK, 0, 0]);
    expect([...written({ timestamps }, "freebsd")]).toEqual([1, 1, ...TS]);
    expect([...written({ timestamps, sackBlocks }, "freebsd")]).toEqual([1, 1, ...TS, 1, 1, ...SACK]);
  });

  test("RFC 7323 appendix A: the RFC's: one after the other, but timestamps at words", () => {
    expect([...written({ ...syn, timestamps }, "rfc")]).toEqual([...MSS, ...SACK_OK, ...SCALE, 1, ...TS]);
    expect([...written({ timestamps, sackBlocks }, "rfc")]).toEqual([1, 1, ...TS, ...SACK, 0, 0]);
  });

  test("RFC 7323 appendix A: the quick way to write timestamps writes the same", () => {
    const packet = PacketBuffer.allocate(0, 12);
    writeAlignedTimestamps(packet, 1, 2);
    for (const layout of ["linux", "freebsd", "rfc"] as const) expect(packet.slice()).toEqual(written({ timestamps }, layout));
  });

  test("RFC 2018 §3: as many SACK blocks as fit, and no more", () => {
    fc.assert(
      fc.property(anyOptions, anyLayout, ({ sackBlocks: _, ...options }, layout) => {
        const count = sackBlocksThatFit(options, layout);
        const lengthWith = (blocks: number): number =>
          tcpOptionsLength({ ...options, sackBlocks: new Array(blocks).fill({ left: 0, right: 0 }) }, layout);
        if (count > 0) expect(lengthWith(count)).toBeLessThanOrEqual(40);
        if (count < 4) expect(lengthWith(count + 1)).toBeGreaterThan(40);
      }),
    );
    for (const layout of ["linux", "freebsd", "rfc"] as const) {
      expect(sackBlocksThatFit({}, layout)).toBe(4);
      expect(sackBlocksThatFit({ timestamps }, layout)).toBe(3);
    }
  });
});

describe("reading", () => {
  test("MUST-4: end of list, no-operation and maximum segment size are understood", () => {
    expect(read([1, 1, 2, 4, 2, 24, 0, 0])).toEqual({ maximumSegmentSize: 536 });
    expect(read([0, 0, 0, 0, 2, 4, 2, 24])).toEqual({});
  });

  test("MUST-64: options begin at any octet", () => {
    for (let padding = 0; padding < 8; padding += 1) {
      expect(read([...new Array(padding).fill(1), 2, 4, 5, 180, 3, 3, 2])).toEqual({ maximumSegmentSize: 1460, windowScale: 2 });
    }
  });

  test("MUST-6, MUST-68: an option that is not known is skipped by its length", () => {
    expect(read([254, 6, 9, 9, 9, 9, 2, 4, 5, 180])).toEqual({ maximumSegmentSize: 1460 });
    expect(read([254, 2, 2, 4, 5, 180])).toEqual({ maximumSegmentSize: 1460 });
    expect(read([254, 4, 0x12, 0x34, 2, 4, 5, 180])).toEqual({ maximumSegmentSize: 1460 });
  });

  test("MUST-7: a length of 0 or 1, or beyond the header, ends the list", () => {
    for (const length of [0, 1, 7, 255]) expect(read([2, 4, 5, 180, 254, length, 1, 1, 3, 3])).toEqual({ maximumSegmentSize: 1460 });
    expect(read([2, 4, 5, 180, 1, 1, 1, 3])).toEqual({ maximumSegmentSize: 1460 });
    // The octets behind the header are text.
    expect(read([2, 4, 5, 180], 22)).toEqual({});
  });

  test("MUST-7: a known option of the wrong length is skipped like an unknown one", () => {
    expect(read([2, 3, 5, 3, 3, 2])).toEqual({ windowScale: 2 });
    expect(read([5, 3, 5, 3, 3, 2])).toEqual({ windowScale: 2 });
    expect(read([8, 4, 0, 0, 4, 2])).toEqual({ sackPermitted: true });
  });

  test("RFC 7413 §4.1.1: a cookie has 4 to 16 octets, an even number", () => {
    for (let length = 0; length <= 20; length += 1) {
      const cookie = new Array(length).fill(9);
      const isValid = length === 0 || (length % 2 === 0 && length >= 4 && length <= 16);
      expect(read([34, 2 + length, ...cookie]), `${length}`).toEqual(
        isValid ? { fastOpen: { cookie: Uint8Array.from(cookie), experimental: false } } : {},
      );
      expect(read([254, 4 + length, 0xf9, 0x89, ...cookie]), `${length}`).toEqual(
        isValid ? { fastOpen: { cookie: Uint8Array.from(cookie), experimental: true } } : {},
      );
    }
  });

  test("RFC 9768 §3.2.3: AccECN options have no counter or up to three", () => {
    expect(read([172, 5, 1, 2, 3])).toEqual({ accurateEcn: { order: 0, counters: [0x010203] } });
    expect(read([174, 2])).toEqual({ accurateEcn: { order: 1, counters: [] } });
    for (const length of [3, 4, 6, 14]) expect(read([174, length, ...new Array(12).fill(0)]), `${length}`).toEqual({});
  });

  test("RFC 5482 §3: the user timeout in seconds or in minutes", () => {
    expect(read([28, 4, 0, 30])).toEqual({ userTimeout: { inMinutes: false, value: 30 } });
    expect(read([28, 4, 0x80, 2])).toEqual({ userTimeout: { inMinutes: true, value: 2 } });
    expect(read([28, 3, 0, 30])).toEqual({});
  });

  test("random octets give options or none, and end", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(read(bytes)).toBeTypeOf("object");
      }),
    );
  });

  test("cut off at every octet, what is whole is read", () => {
    const bytes = written({ maximumSegmentSize: 1460, sackPermitted: true, windowScale: 7, timestamps: { value: 1, echoReply: 2 } });
    for (let length = 0; length <= bytes.length; length += 1) {
      const options = read(bytes.subarray(0, length));
      expect(options.maximumSegmentSize, `${length} octets`).toBe(length >= 4 ? 1460 : undefined);
      expect(options.timestamps, `${length} octets`).toEqual(length >= 20 ? { value: 1, echoReply: 2 } : undefined);
    }
  });
});
