// The codec of the TCP options (RFC 9293 §3.1, §3.2, RFC 7323 §2.2, RFC 2018).
import { PacketBuffer } from "@netstrata/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTcpOptions, type TcpOptions, tcpOptionsLength, writeTcpOptions } from "../../src/index.ts";

/** Reads options that stand behind a header of 20 octets. */
function read(options: readonly number[] | Uint8Array, headerLength = 20 + options.length): TcpOptions {
  const packet = PacketBuffer.allocate(0, 20 + options.length);
  packet.set(Uint8Array.from(options), 20);
  return readTcpOptions(packet, headerLength);
}

function written(options: TcpOptions): Uint8Array {
  // Filled with ones, so that padding that is not written shows.
  const packet = PacketBuffer.wrap(new Uint8Array(tcpOptionsLength(options)).fill(0xff));
  writeTcpOptions(packet, options);
  return packet.slice();
}

const anyOptions: fc.Arbitrary<TcpOptions> = fc.record(
  {
    maximumSegmentSize: fc.nat(65535),
    windowScale: fc.nat(255),
    sackPermitted: fc.constant(true),
    timestamps: fc.record({ value: fc.nat(0xffffffff), echoReply: fc.nat(0xffffffff) }),
    sackBlocks: fc.array(fc.record({ left: fc.nat(0xffffffff), right: fc.nat(0xffffffff) }), { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: [] },
);

test("what is written is read again, and takes as many octets as was said", () => {
  fc.assert(
    fc.property(anyOptions, (options) => {
      const bytes = written(options);
      expect(bytes.length % 4).toBe(0);
      expect(read(bytes)).toEqual(options);
    }),
  );
});

test("MUST-69: the octets between the last option and the end of the header are zero", () => {
  expect([...written({ windowScale: 7 })]).toEqual([3, 3, 7, 0]);
  expect([...written({ maximumSegmentSize: 1460, windowScale: 3 })]).toEqual([2, 4, 5, 180, 3, 3, 3, 0]);
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
      expect(options.timestamps, `${length} octets`).toEqual(length >= 19 ? { value: 1, echoReply: 2 } : undefined);
    }
  });
});
