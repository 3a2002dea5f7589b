import {
  formatIp,
  IPV4_ANY,
  IPV4_BROADCAST,
  IPV6_ANY,
  IPV6_LOOPBACK,
  type IpAddress,
  type Ipv4Address,
  type Ipv6Address,
  ip,
  ipFromBytes,
  ipLength,
  ipToBytes,
  ipVersion,
  isIpv4,
  isIpv6,
  isLinkLocal,
  isLoopback,
  isMulticast,
  isReservedIpv4,
  isUnspecified,
  PacketBuffer,
  parseIp,
  parseIpv4,
  parseIpv6,
  readIpv4,
  readIpv6,
  sumBytes,
  sumIp,
  writeIp,
} from "@netstrata/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const ipv4s = fc.integer({ min: 0, max: 0xffffffff }).map((value) => value as Ipv4Address);
// Few values a group, so that runs of zeros are common.
const groups = fc.oneof(fc.constantFrom(0, 1, 0xffff), fc.integer({ min: 0, max: 0xffff }));
const ipv6s = fc.array(groups, { minLength: 8, maxLength: 8 }).map((list) => String.fromCharCode(...list) as Ipv6Address);
const addresses: fc.Arbitrary<IpAddress> = fc.oneof(ipv4s, ipv6s);

describe("addresses are values", () => {
  test("two that are the same are === and one key of a Map, however they were made", () => {
    for (const text of ["192.0.2.1", "2001:db8::1"]) {
      const parsed = ip(text);
      const packet = PacketBuffer.allocate(0, 20);
      writeIp(packet, 3, parsed);
      const read = isIpv4(parsed) ? readIpv4(packet, 3) : readIpv6(packet, 3);
      expect(read === parsed).toBe(true);
      expect(new Map<IpAddress, string>([[parsed, "found"]]).get(read)).toBe("found");
    }
  });

  test("octets, packets and text bring back the same address", () => {
    fc.assert(
      fc.property(addresses, (address) => {
        expect(ipFromBytes(ipToBytes(address))).toBe(address);
        expect(parseIp(formatIp(address))).toBe(address);
        const packet = PacketBuffer.allocate(0, 16);
        writeIp(packet, 0, address);
        expect(isIpv4(address) ? readIpv4(packet, 0) : readIpv6(packet, 0)).toBe(address);
        expect([...packet.view(0, ipLength(address))]).toEqual([...ipToBytes(address)]);
        expect(sumIp(address)).toBe(sumBytes(ipToBytes(address), 0, ipLength(address)));
      }),
    );
  });

  test("the families are told apart", () => {
    expect([ipVersion(IPV4_ANY), isIpv4(IPV4_ANY), isIpv6(IPV4_ANY), ipLength(IPV4_ANY)]).toEqual([4, true, false, 4]);
    expect([ipVersion(IPV6_ANY), isIpv4(IPV6_ANY), isIpv6(IPV6_ANY), ipLength(IPV6_ANY)]).toEqual([6, false, true, 16]);
    expect(() => ipFromBytes(new Uint8Array(5))).toThrow(RangeError);
  });
});

describe("kinds of addresses", () => {
  const kinds = (text: string): string[] => {
    const address = ip(text);
    const names: string[] = [];
    if (isUnspecified(address)) names.push("unspecified");
    if (isLoopback(address)) names.push("loopback");
    if (isLinkLocal(address)) names.push("link-local");
    if (isMulticast(address)) names.push("multicast");
    if (isIpv4(address) && isReservedIpv4(address)) names.push("reserved");
    return names;
  };

  test.each([
    ["0.0.0.0", ["unspecified"]],
    ["::", ["unspecified"]],
    ["127.0.0.1", ["loopback"]],
    ["127.255.255.254", ["loopback"]],
    ["128.0.0.1", []],
    ["::1", ["loopback"]],
    ["::2", []],
    ["223.255.255.255", []],
    ["224.0.0.0", ["multicast"]],
    ["239.255.255.255", ["multicast"]],
    ["240.0.0.0", ["reserved"]],
    ["255.255.255.254", ["reserved"]],
    ["255.255.255.255", []],
    ["ff02::1", ["multicast"]],
    ["feff::1", []],
    ["fe80::1", ["link-local"]],
    ["febf:ffff::", ["link-local"]],
    ["fec0::", []],
    ["169.253.255.255", []],
    ["169.254.0.0", ["link-local"]],
    ["169.254.255.255", ["link-local"]],
    ["169.255.0.0", []],
  ])("%s is %j", (text, expected) => {
    expect(kinds(text)).toEqual(expected);
  });

  test("the named ones are what they say", () => {
    expect([formatIp(IPV4_BROADCAST), formatIp(IPV6_LOOPBACK), formatIp(IPV6_ANY)]).toEqual(["255.255.255.255", "::1", "::"]);
  });
});

describe("IPv4 text", () => {
  test.each([
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "1.2.3.-4",
    "01.2.3.4",
    "0x1.2.3.4",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1..3.4",
    "",
    "1.2.3.1e1",
    "1.2.3.٤",
  ])("%j is not an address", (text) => {
    expect(parseIpv4(text)).toBeUndefined();
    expect(parseIp(text)).toBeUndefined();
  });
});

describe("IPv6 text", () => {
  test.each([
    ["2001:db8:0:0:8:800:200c:417a", "2001:db8::8:800:200c:417a"],
    ["2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"],
    ["FF01:0:0:0:0:0:0:101", "ff01::101"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:13.1.68.3", "::d01:4403"],
    ["::FFFF:129.144.52.38", "::ffff:129.144.52.38"],
  ])("RFC 4291 §2.2: %s is read, and written as %s", (text, canonical) => {
    expect(formatIp(ip(text))).toBe(canonical);
  });

  test.each([
    ["2001:0db8::0001", "2001:db8::1", "§4.1: no leading zeros"],
    ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1", "§4.2.1: as short as possible"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", "§4.2.2: one group is not shortened"],
    ["2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1", "§4.2.2: one group is not shortened"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1", "§4.2.3: the longest run"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", "§4.2.3: the first of equal runs"],
    ["2001:DB8::ABCD", "2001:db8::abcd", "§4.3: lower case"],
    ["1:2:3:4:5:6:0:0", "1:2:3:4:5:6::", "a run at the end"],
    ["0:0:3:4:5:6:7:8", "::3:4:5:6:7:8", "a run at the start"],
    ["::ffff:0:0", "::ffff:0.0.0.0", "§5: a mapped address"],
  ])("RFC 5952: %s is written %s (%s)", (text, canonical) => {
    expect(formatIp(ip(text))).toBe(canonical);
  });

  test.each([
    ":",
    ":::",
    "1",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "1::2::3",
    "12345::",
    "g::",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1.2.3.4::",
    "::1.2.3",
    "::1.2.3.4:5",
    "fe80::1%eth0",
    "[::1]",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "::1 ",
  ])("%j is not an address", (text) => {
    expect(parseIpv6(text)).toBeUndefined();
    expect(parseIp(text)).toBeUndefined();
  });

  test("what is not text of an address throws where the program itself wrote it", () => {
    expect(() => ip("localhost")).toThrow(RangeError);
  });
});
