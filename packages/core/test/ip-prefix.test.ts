import {
  broadcastOf,
  formatIp,
  formatPrefix,
  type IpAddress,
  ip,
  ipToBytes,
  ipv4Mask,
  networkOf,
  parsePrefix,
  prefix,
  prefixContains,
} from "@netstrata/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

/** The address as a string of zeros and ones. */
function bits(address: IpAddress): string {
  return [...ipToBytes(address)].map((octet) => octet.toString(2).padStart(8, "0")).join("");
}

const octets = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }));

describe("prefixes", () => {
  test("contain the addresses that agree in their leading bits", () => {
    fc.assert(
      fc.property(octets, fc.nat(128), fc.nat(127), (bytes, wanted, flipped) => {
        const address = ip(formatIp(fromBytes(bytes)));
        const size = bytes.length * 8;
        const length = Math.min(wanted, size);
        const other = bytes.slice();
        const bit = flipped % size;
        other[bit >> 3] ^= 0x80 >> (bit & 7);
        expect(prefixContains({ address, length }, address)).toBe(true);
        expect(prefixContains({ address, length }, fromBytes(other))).toBe(bit >= length);
      }),
    );
  });

  test("contain nothing of the other family", () => {
    expect(prefixContains(prefix("0.0.0.0/0"), ip("::"))).toBe(false);
    expect(prefixContains(prefix("::/0"), ip("0.0.0.0"))).toBe(false);
  });

  test("their network has all other bits cleared", () => {
    fc.assert(
      fc.property(octets, fc.nat(128), (bytes, wanted) => {
        const address = fromBytes(bytes);
        const length = Math.min(wanted, bytes.length * 8);
        const expected = bits(address)
          .slice(0, length)
          .padEnd(bytes.length * 8, "0");
        expect(bits(networkOf({ address, length }).address)).toBe(expected);
        expect(networkOf({ address, length }).length).toBe(length);
      }),
    );
  });

  test("IPv4 masks", () => {
    expect([0, 1, 24, 31, 32].map((length) => ipv4Mask(length).toString(16))).toEqual([
      "0",
      "80000000",
      "ffffff00",
      "fffffffe",
      "ffffffff",
    ]);
  });

  test.each([
    ["10.1.2.3/8", "10.255.255.255"],
    ["192.0.2.77/26", "192.0.2.127"],
    ["192.0.2.1/30", "192.0.2.3"],
    ["192.0.2.1/31", undefined],
    ["192.0.2.1/32", undefined],
    ["2001:db8::1/64", undefined],
  ])("the broadcast address of %s is %s (RFC 922, RFC 3021)", (text, expected) => {
    const broadcast = broadcastOf(prefix(text));
    expect(broadcast === undefined ? undefined : formatIp(broadcast)).toBe(expected);
  });
});

describe("prefix text", () => {
  test.each([
    ["192.0.2.0/24", "192.0.2.0/24"],
    ["192.0.2.7/24", "192.0.2.7/24"],
    ["192.0.2.7", "192.0.2.7/32"],
    ["2001:DB8::/32", "2001:db8::/32"],
    ["::1", "::1/128"],
    ["0.0.0.0/0", "0.0.0.0/0"],
  ])("%s is read, and written as %s", (text, written) => {
    expect(formatPrefix(prefix(text))).toBe(written);
  });

  test.each(["", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/024", "192.0.2.0/24/8", "::/129", "::/1e1", "192.0.2/24"])(
    "%j is not a prefix",
    (text) => {
      expect(parsePrefix(text)).toBeUndefined();
      expect(() => prefix(text)).toThrow(RangeError);
    },
  );
});

function fromBytes(bytes: Uint8Array): IpAddress {
  const groups: string[] = [];
  if (bytes.length === 4) return ip([...bytes].join("."));
  for (let index = 0; index < 16; index += 2) groups.push(((bytes[index] << 8) | bytes[index + 1]).toString(16));
  return ip(groups.join(":"));
}
