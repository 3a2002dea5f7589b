import { PacketBuffer } from "@netstrata/core";
import {
  LINKTYPE_ETHERNET,
  LINKTYPE_IPV4,
  LINKTYPE_IPV6,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_LINUX_SLL2,
  LINKTYPE_LOOP,
  LINKTYPE_NULL,
  LINKTYPE_RAW,
  linkTypeOf,
  readLinkHeader,
} from "@netstrata/link";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

function packet(...octets: number[]): PacketBuffer {
  return PacketBuffer.wrap(Uint8Array.from(octets));
}

const SLL = [0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x08, 0x00];
const SLL2 = [0x86, 0xdd, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];

describe("Linux cooked headers", () => {
  test("version 1", () => {
    const read = packet(...SLL, 0x45);
    expect(readLinkHeader(LINKTYPE_LINUX_SLL, read)).toEqual({
      packetType: "from-us",
      hardwareType: 1,
      linkAddress: Uint8Array.of(2, 0, 0, 0, 0, 1),
      protocol: 0x0800,
      etherType: 0x0800,
      interfaceIndex: 0,
      headerLength: 16,
    });
    expect([...read.view()]).toEqual([0x45]);
  });

  test("version 2", () => {
    const read = packet(...SLL2, 0x60);
    expect(readLinkHeader(LINKTYPE_LINUX_SLL2, read)).toEqual({
      packetType: "to-us",
      hardwareType: 1,
      linkAddress: Uint8Array.of(2, 0, 0, 0, 0, 1),
      protocol: 0x86dd,
      etherType: 0x86dd,
      interfaceIndex: 3,
      headerLength: 20,
    });
    expect([...read.view()]).toEqual([0x60]);
  });

  test("a link address longer than its field is cut, a packet type nobody knows is unknown", () => {
    const read = packet(...SLL);
    read.setU16(0, 9);
    read.setU16(4, 20);
    expect(readLinkHeader(LINKTYPE_LINUX_SLL, read)).toMatchObject({
      packetType: "unknown",
      linkAddress: Uint8Array.of(2, 0, 0, 0, 0, 1, 0, 0),
    });
  });

  test("a protocol that is no EtherType is none", () => {
    const llc = packet(...SLL);
    llc.setU16(14, 4);
    expect(readLinkHeader(LINKTYPE_LINUX_SLL, llc)).toMatchObject({ protocol: 4, etherType: 0 });
    const netlink = packet(...SLL);
    netlink.setU16(2, 824);
    expect(readLinkHeader(LINKTYPE_LINUX_SLL, netlink)).toMatchObject({ protocol: 0x0800, etherType: 0 });
  });
});

describe("null and loop headers", () => {
  test.each([
    ["IPv4, big-endian", [0, 0, 0, 2], 0x0800],
    ["IPv4, little-endian", [2, 0, 0, 0], 0x0800],
    ["IPv6 of NetBSD", [24, 0, 0, 0], 0x86dd],
    ["IPv6 of FreeBSD", [28, 0, 0, 0], 0x86dd],
    ["IPv6 of Darwin", [30, 0, 0, 0], 0x86dd],
    ["IPv6 of Linux", [0, 0, 0, 10], 0x86dd],
    ["something else", [7, 0, 0, 0], 0],
  ])("null: %s", (_name, header, etherType) => {
    const read = packet(...header, 0x45);
    expect(readLinkHeader(LINKTYPE_NULL, read)).toMatchObject({ etherType, headerLength: 4 });
    expect(read.length).toBe(1);
  });

  test("loop is always in network order", () => {
    expect(readLinkHeader(LINKTYPE_LOOP, packet(0, 0, 0, 24))).toMatchObject({ family: 24, etherType: 0x86dd });
    expect(readLinkHeader(LINKTYPE_LOOP, packet(2, 0, 0, 0))).toMatchObject({ family: 0x02000000, etherType: 0 });
  });
});

describe("bare datagrams", () => {
  test("the version field tells the family, and nothing is consumed", () => {
    for (const linkType of [12, 14, LINKTYPE_RAW]) {
      const read = packet(0x45, 0);
      expect(readLinkHeader(linkType, read)).toEqual({ etherType: 0x0800, headerLength: 0 });
      expect(read.length).toBe(2);
      expect(readLinkHeader(linkType, packet(0x60))).toEqual({ etherType: 0x86dd, headerLength: 0 });
      expect(readLinkHeader(linkType, packet(0x50))).toBe("bad-version");
      expect(readLinkHeader(linkType, packet())).toBe("truncated");
    }
  });

  test("some link types tell it themselves", () => {
    expect(readLinkHeader(LINKTYPE_IPV4, packet(0))).toEqual({ etherType: 0x0800, headerLength: 0 });
    expect(readLinkHeader(LINKTYPE_IPV6, packet(0))).toEqual({ etherType: 0x86dd, headerLength: 0 });
  });
});

test("cut short at every octet, every header is truncated and the packet stays as it was", () => {
  const headers: [number, number[]][] = [
    [LINKTYPE_LINUX_SLL, SLL],
    [LINKTYPE_LINUX_SLL2, SLL2],
    [LINKTYPE_NULL, [2, 0, 0, 0]],
    [LINKTYPE_LOOP, [0, 0, 0, 2]],
  ];
  for (const [linkType, octets] of headers) {
    for (let length = 0; length < octets.length; length += 1) {
      const read = packet(...octets.slice(0, length));
      expect(readLinkHeader(linkType, read)).toBe("truncated");
      expect(read.length).toBe(length);
    }
  }
});

test("whatever link type and octets come, the answer is a header or a reason", () => {
  const linkTypes = fc.constantFrom(0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 147);
  fc.assert(
    fc.property(linkTypes, fc.uint8Array({ maxLength: 40, size: "max" }), (linkType, octets) => {
      const read = PacketBuffer.wrap(octets);
      const header = readLinkHeader(linkType, read);
      if (typeof header === "string") expect(read.length).toBe(octets.length);
      else expect(read.start).toBe(header.headerLength);
      expect(header === "unknown-link-type").toBe(linkType === 147);
    }),
  );
});

test("a device's packets are written under the link type of its medium", () => {
  expect(linkTypeOf("ethernet")).toBe(LINKTYPE_ETHERNET);
  expect(linkTypeOf("ip")).toBe(LINKTYPE_RAW);
});
