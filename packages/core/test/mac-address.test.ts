import {
  BROADCAST_MAC,
  formatMac,
  isGroupMac,
  type MacAddress,
  NULL_MAC,
  PacketBuffer,
  parseMac,
  randomMac,
  readMac,
  SeededRandom,
  writeMac,
} from "@netstrata/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const macs = fc.integer({ min: 0, max: 0xffffffffffff }).map((value) => value as MacAddress);

describe("MAC addresses", () => {
  test("come back from text and from a packet as they were", () => {
    fc.assert(
      fc.property(macs, fc.nat(8), (address, offset) => {
        expect(parseMac(formatMac(address))).toBe(address);
        const packet = PacketBuffer.allocate(0, 14);
        writeMac(packet, offset, address);
        expect(readMac(packet, offset)).toBe(address);
      }),
    );
  });

  test("are written in six pairs of digits", () => {
    expect(formatMac(0x02005e100001 as MacAddress)).toBe("02:00:5e:10:00:01");
    expect(formatMac(NULL_MAC)).toBe("00:00:00:00:00:00");
    expect(formatMac(BROADCAST_MAC)).toBe("ff:ff:ff:ff:ff:ff");
  });

  test("are read with colons or hyphens, in either case, and nothing else", () => {
    expect(parseMac("02:00:5E:10:00:01")).toBe(0x02005e100001);
    expect(parseMac("02-00-5e-10-00-01")).toBe(0x02005e100001);
    for (const text of [
      "",
      "02:00:5e:10:00",
      "02:00:5e:10:00:01:02",
      "2:0:5e:10:0:1",
      "02005e100001",
      "02:00:5e:10:00:0g",
      "02:00-5e:10-00:01",
    ]) {
      expect(parseMac(text)).toBeUndefined();
    }
  });

  test("lie in a packet in network order", () => {
    const packet = PacketBuffer.allocate(0, 6);
    writeMac(packet, 0, 0xfedcba987654 as MacAddress);
    expect([...packet.view()]).toEqual([0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54]);
  });

  test("are group addresses by the lowest bit of the first octet", () => {
    for (const text of ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "33:33:00:00:00:01"])
      expect(isGroupMac(parseMac(text) as MacAddress)).toBe(true);
    for (const text of ["00:00:00:00:00:00", "02:ff:ff:ff:ff:ff", "fe:01:01:01:01:01"])
      expect(isGroupMac(parseMac(text) as MacAddress)).toBe(false);
  });

  test("made by chance are unicast and locally administered", () => {
    const random = new SeededRandom(1);
    const made = Array.from({ length: 500 }, () => randomMac(random));
    for (const address of made) expect(Math.floor(address / 0x10000000000) & 3).toBe(2);
    expect(new Set(made).size).toBe(500);
  });
});
