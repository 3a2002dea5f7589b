// The headers on the wire: what is written is read again, and nothing that is read breaks the reader (RFC 791, 792, 8200).
import { type Ipv4Address, type Ipv6Address, ip, ipToBytes, PacketBuffer } from "@netstrata/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Ipv4HeaderFields,
  prependIcmp,
  prependIpv4,
  readIcmp,
  readIpv4Header,
  readIpv6Header,
  readUncheckedIpv4Header,
  readUncheckedIpv6Header,
  sumPseudoHeader,
} from "../src/index.ts";
import { datagram, octets } from "./bench-host.ts";

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const ipv4 = u32.map((value) => value as Ipv4Address);

const ipv4Fields: fc.Arbitrary<Ipv4HeaderFields> = fc.record({
  source: ipv4,
  destination: ipv4,
  protocol: u8,
  timeToLive: u8,
  trafficClass: u8,
  identification: u16,
  dontFragment: fc.boolean(),
  moreFragments: fc.boolean(),
  fragmentOffset: fc.nat(0x1fff).map((offset) => offset * 8),
  options: fc.nat(10).map((words) => new Uint8Array(4 * words).fill(1)),
});

function written(fields: Ipv4HeaderFields, payload: Uint8Array): PacketBuffer {
  const packet = PacketBuffer.allocate(60, payload.length);
  packet.set(payload);
  prependIpv4(packet, fields);
  return packet;
}

test("an IPv4 header that is written is read again, whatever stands behind it", () => {
  fc.assert(
    fc.property(ipv4Fields, fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 20 }), (fields, payload, padding) => {
      const bytes = written(fields, payload).slice();
      const packet = PacketBuffer.wrap(Uint8Array.from([...bytes, ...padding]));
      const { options, ...expected } = fields;
      const headerLength = 20 + (options?.length ?? 0);
      expect(readIpv4Header(packet)).toEqual({ ...expected, version: 4, headerLength, totalLength: headerLength + payload.length });
      expect(packet.slice()).toEqual(payload);
      packet.rewind(headerLength - 20);
      expect(packet.slice(0, headerLength - 20)).toEqual(options);
    }),
  );
});

test("a datagram cut short anywhere is refused, and left as it was", () => {
  const bytes = datagram({ options: new Uint8Array(8).fill(1) }, octets(20)).slice();
  for (let length = 0; length < bytes.length; length += 1) {
    const packet = PacketBuffer.wrap(bytes.slice(0, length));
    expect(readIpv4Header(packet)).toBe(length < 28 ? "truncated" : "bad-total-length");
    expect(packet.length).toBe(length);
  }
});

test("any single flipped bit of a header is noticed", () => {
  const bytes = datagram().slice();
  for (let bit = 0; bit < 160; bit += 1) {
    const damaged = bytes.slice();
    damaged[bit >> 3] ^= 1 << (bit & 7);
    expect(typeof readIpv4Header(PacketBuffer.wrap(damaged)), `bit ${bit}`).toBe("string");
  }
});

test("random octets are a header or a reason, never an exception, and the window stays inside", () => {
  const almost = fc.uint8Array({ maxLength: 80 }).map((bytes) => {
    if (bytes.length > 0) bytes[0] = 0x40 | (bytes[0] & 0xf);
    return bytes;
  });
  for (const read of [readIpv4Header, readUncheckedIpv4Header, readIpv6Header, readUncheckedIpv6Header, readIcmp]) {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), almost), (bytes) => {
        const packet = PacketBuffer.wrap(bytes);
        const result = read(packet);
        expect(["string", "object"]).toContain(typeof result);
        expect(packet.start).toBeLessThanOrEqual(packet.end);
        expect(packet.end).toBeLessThanOrEqual(bytes.length);
        if (typeof result === "string") expect([packet.start, packet.end]).toEqual([0, bytes.length]);
      }),
    );
  }
});

test("a pseudo-header counts the length in 32 bits, as IPv6 writes it", () => {
  const source = ip("2001:db8::1");
  expect(sumPseudoHeader(source, source, 6, 0x21234) - sumPseudoHeader(source, source, 6, 0)).toBe(0x1234 + 2);
});

test("an ICMP message that is written is read again", () => {
  fc.assert(
    fc.property(u8, u8, u32, fc.uint8Array({ maxLength: 100 }), (type, code, rest, body) => {
      const packet = PacketBuffer.allocate(8, body.length);
      packet.set(body);
      prependIcmp(packet, { type, code, rest });
      expect(readIcmp(packet)).toEqual({ type, code, rest });
      expect(packet.slice()).toEqual(body);
    }),
  );
});

/** An IPv6 packet with a chain of extension headers, each given as its protocol number and its octets but the first. */
function ipv6(chain: readonly [number, ...number[]][], protocol: number, payload: Uint8Array, length?: number): Uint8Array {
  const numbers = [...chain.map(([number]) => number), protocol];
  const extensions = chain.flatMap(([, ...rest], index) => [numbers[index + 1], ...rest]);
  const payloadLength = length ?? extensions.length + payload.length;
  const addresses = [...ipToBytes(ip("2001:db8::1")), ...ipToBytes(ip("2001:db8::2"))];
  return Uint8Array.from([
    0x6a,
    0xb1,
    0x23,
    0x45,
    payloadLength >> 8,
    payloadLength & 255,
    numbers[0],
    9,
    ...addresses,
    ...extensions,
    ...payload,
  ]);
}

test("an IPv6 header is read with its chain, down to the protocol behind it", () => {
  const chain: [number, ...number[]][] = [
    [0, 0, 1, 4, 0, 0, 0, 0], // hop-by-hop
    [43, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // routing, 16 octets
    [51, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // authentication, 12 octets
    [60, 0, 1, 4, 0, 0, 0, 0], // destination options
  ];
  const packet = PacketBuffer.wrap(Uint8Array.from([...ipv6(chain, 17, octets(10)), 1, 2, 3]));
  expect(readIpv6Header(packet)).toEqual({
    version: 6,
    headerLength: 84,
    trafficClass: 0xab,
    flowLabel: 0x12345,
    payloadLength: 54,
    timeToLive: 9,
    protocol: 17,
    source: ip("2001:db8::1") as Ipv6Address,
    destination: ip("2001:db8::2") as Ipv6Address,
    fragment: undefined,
  });
  expect(packet.slice()).toEqual(octets(10));
});

test("behind a later fragment's header the chain is not walked on", () => {
  const later = readUncheckedIpv6Header(PacketBuffer.wrap(ipv6([[44, 0, 0x00, 0x09, 0, 0, 0, 7]], 60, octets(3))));
  expect(later).toMatchObject({ protocol: 60, headerLength: 48, fragment: { identification: 7, offset: 8, moreFragments: true } });
});

test("an IPv6 packet is refused when it is short, or its chain is too long or leads out of it", () => {
  expect(readIpv6Header(PacketBuffer.wrap(octets(0)))).toBe("truncated");
  expect(readIpv6Header(PacketBuffer.wrap(Uint8Array.of(0x45)))).toBe("bad-version");
  const bytes = ipv6([[60, 0, 1, 4, 0, 0, 0, 0]], 17, octets(4));
  for (let length = 1; length < bytes.length; length += 1) {
    const expected = length < 48 ? "truncated" : "bad-payload-length";
    expect(readIpv6Header(PacketBuffer.wrap(bytes.slice(0, length)))).toBe(expected);
  }
  const link: [number, ...number[]] = [60, 0, 1, 4, 0, 0, 0, 0];
  expect(readIpv6Header(PacketBuffer.wrap(ipv6(new Array(17).fill(link), 17, octets(4))))).toBe("too-many-extension-headers");
  expect(typeof readIpv6Header(PacketBuffer.wrap(ipv6(new Array(16).fill(link), 17, octets(4))))).toBe("object");
  expect(readIpv6Header(PacketBuffer.wrap(ipv6([link], 17, octets(4), 4)))).toBe("bad-extension-header");
});
