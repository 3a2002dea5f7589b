import { PacketBuffer } from "@netstrata/core";
import { prependIcmp } from "@netstrata/internet";
import { ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG } from "@netstrata/transport";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type CapturedPacket,
  dissect,
  formatDateTime,
  formatHex,
  formatLayers,
  formatLine,
  formatSeconds,
  formatTimeOfDay,
  linkTypeName,
  MAX_RELATIVE_DIRECTIONS,
  RelativeSequence,
  tcpFlagLetters,
  tcpFlagNames,
  toJson,
} from "../src/index.ts";
import { A, B, concat, ethernetFrame, hex, ipv4, ipv6, replaced, type Segment, tcpDatagram, udpDatagram } from "./packets.ts";

const RAW = 101;

function line(bytes: Uint8Array, linkType = RAW): string {
  return formatLine(dissect(bytes, linkType));
}

function icmp(type: number, code: number, rest: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const packet = PacketBuffer.allocate(100, payload.length);
  packet.set(payload);
  prependIcmp(packet, { type, code, rest });
  return ipv4(packet, 1);
}

describe("one line a packet", () => {
  test("TCP", () => {
    expect(line(tcpDatagram({ seq: 7, flags: SYN, options: { maximumSegmentSize: 1460, sackPermitted: true, windowScale: 7 } }))).toBe(
      "IP 10.0.0.1.52000 > 10.0.0.2.80: Flags [S], seq 7, win 64240, options [mss 1460,sackOK,wscale 7,eol], length 0",
    );
    expect(line(tcpDatagram({ seq: 4294967295, ack: 9, flags: PSH | ACK | URG, urgentPointer: 2, payload: "hello" }))).toBe(
      "IP 10.0.0.1.52000 > 10.0.0.2.80: Flags [P.U], seq 4294967295:4, ack 9, win 64240, urg 2, length 5",
    );
    expect(line(tcpDatagram({ flags: RST, seq: 3, options: { timestamps: { value: 5, echoReply: 6 } } }))).toBe(
      "IP 10.0.0.1.52000 > 10.0.0.2.80: Flags [R], seq 3, win 64240, options [nop,nop,TS val 5 ecr 6], length 0",
    );
    const sack = tcpDatagram({
      ack: 1,
      options: {
        sackBlocks: [
          { left: 5, right: 9 },
          { left: 11, right: 12 },
        ],
      },
    });
    expect(line(sack)).toBe("IP 10.0.0.1.52000 > 10.0.0.2.80: Flags [.], ack 1, win 64240, options [sack 2 {5:9}{11:12},eol], length 0");
  });

  test("UDP, with the time of day in front", () => {
    const dissection = dissect(udpDatagram("hello"), RAW);
    expect(formatLine(dissection, { timestamp: 86_399_000_001_999n })).toBe(
      "23:59:59.000001 IP 10.0.0.1.4000 > 10.0.0.2.53: UDP, length 5",
    );
  });

  test.each([
    [8, 0, 0x00070001, "echo request, id 7, seq 1, length 8"],
    [0, 0, 0x00070001, "echo reply, id 7, seq 1, length 8"],
    [11, 0, 0, "time exceeded in-transit, length 8"],
    [11, 1, 0, "ip reassembly time exceeded, length 8"],
    [12, 0, 0x05000000, "parameter problem - octet 5, length 8"],
    [3, 77, 0, "unreachable code 77, length 8"],
    [42, 3, 0, "type 42 code 3, length 8"],
  ])("ICMP type %i code %i", (type, code, rest, expected) => {
    expect(line(icmp(type, code, rest))).toBe(`IP 10.0.0.1 > 10.0.0.2: ICMP ${expected}`);
  });

  test("an ICMP error tells of what it quotes", () => {
    const quoted = udpDatagram("x").subarray(0, 28);
    expect(line(icmp(3, 3, 0, quoted))).toBe("IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.2 udp port 53 unreachable, length 36");
    expect(line(icmp(3, 1, 0, quoted))).toBe("IP 10.0.0.1 > 10.0.0.2: ICMP host 10.0.0.2 unreachable, length 36");
    expect(line(icmp(3, 4, 1400, quoted))).toBe("IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.2 unreachable - need to frag (mtu 1400), length 36");
    expect(line(icmp(5, 1, 0x0a000009, quoted))).toBe("IP 10.0.0.1 > 10.0.0.2: ICMP redirect 10.0.0.2 to host 10.0.0.9, length 36");
    expect(line(icmp(3, 3, 0))).toBe("IP 10.0.0.1 > 10.0.0.2: ICMP ? unreachable, length 8");
    // RFC 792 asks for 8 octets of the segment: they hold the ports, and no whole TCP header.
    expect(line(icmp(3, 3, 0, tcpDatagram({}).subarray(0, 28)))).toContain("ICMP 10.0.0.2 tcp port 80 unreachable");
  });

  test("ICMPv6", () => {
    expect(line(ipv6(58, hex("80 00 0000 0001 0002"), 2))).toBe(
      "IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo request, id 1, seq 2, length 8",
    );
    expect(line(ipv6(58, hex("87 00 0000 00000000 20010db8000000000000000000000002"), 2))).toBe(
      "IP6 2001:db8::1 > 2001:db8::2: ICMP6, neighbor solicitation, who has 2001:db8::2, length 24",
    );
    const quoted = ipv6(17, hex("0fa0 0035 0008 0000"));
    expect(line(ipv6(58, concat([hex("01 04 0000 00000000"), quoted]), 2))).toBe(
      "IP6 2001:db8::1 > 2001:db8::2: ICMP6, destination unreachable, port, 2001:db8::2 udp port 53, length 56",
    );
  });

  test("ARP", () => {
    const request = hex("0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002");
    expect(line(ethernetFrame(request, 0x0806), 1)).toBe("ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28");
    const reply = replaced(request, 7, 2);
    expect(line(ethernetFrame(reply, 0x0806), 1)).toBe("ARP, Reply 10.0.0.1 is-at 02:00:00:00:00:01, length 28");
    expect(line(ethernetFrame(replaced(request, 7, 9), 0x0806), 1)).toBe("ARP, operation 9, length 28");
  });

  test("fragments, unknown protocols, unknown types, tunnels, tags", () => {
    const data = PacketBuffer.allocate(100, 16);
    expect(line(ipv4(data.copy(100), 17, A, B, { fragmentOffset: 16, moreFragments: true, identification: 7 }))).toBe(
      "IP 10.0.0.1 > 10.0.0.2: udp fragment, id 7, offset 16+, length 16",
    );
    expect(line(ipv6(44, hex("3a 00 0008 00000009 0102")))).toBe("IP6 2001:db8::1 > 2001:db8::2: icmp6 fragment, id 9, offset 8, length 2");
    expect(line(ipv4(data.copy(100), 89))).toBe("IP 10.0.0.1 > 10.0.0.2: ospf, length 16");
    expect(line(ipv4(data.copy(100), 253))).toBe("IP 10.0.0.1 > 10.0.0.2: ip-proto-253, length 16");
    expect(line(ethernetFrame(new Uint8Array(46), 0x88cc), 1)).toBe("02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 0x88cc, length 46");
    const inner = PacketBuffer.allocate(100, 29);
    inner.set(udpDatagram("x"));
    expect(line(ipv4(inner, 4))).toBe("IP 10.0.0.1 > 10.0.0.2: IP 10.0.0.1.4000 > 10.0.0.2.53: UDP, length 1");
    const vxlan = udpDatagram(concat([hex("08000000 00007b00"), ethernetFrame(udpDatagram("x"))]), 5000, 4789);
    expect(line(vxlan)).toBe("IP 10.0.0.1.5000 > 10.0.0.2.4789: UDP, VXLAN, vni 123: IP 10.0.0.1.4000 > 10.0.0.2.53: UDP, length 1");
    const tagged = concat([hex("020000000002 020000000001 8100 0005 0800"), udpDatagram("x")]);
    expect(line(tagged, 1)).toBe("vlan 5, IP 10.0.0.1.4000 > 10.0.0.2.53: UDP, length 1");
    expect(line(hex("020000000002 020000000001 0003 424203"), 1)).toBe("LLC, dsap 0x42, ssap 0x42, length 0");
  });

  test("what cannot be read", () => {
    expect(line(hex("45"))).toBe("[malformed ipv4: truncated]");
    expect(line(tcpDatagram({}).subarray(0, 30))).toBe("IP 10.0.0.1.52000 > 10.0.0.2.80: [malformed tcp: truncated]");
    expect(line(hex("0102"), 9)).toBe("unknown link type 9 (PPP), length 2");
    expect(linkTypeName(4711)).toBe("link type 4711");
  });

  test("anything makes one line", () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 101, 113, 276, 4711), fc.uint8Array({ maxLength: 120 }), (linkType, bytes) => {
        const dissection = dissect(bytes, linkType);
        expect(formatLine(dissection, { relativeSequence: new RelativeSequence() })).toMatch(/^[^\n]+$/);
        expect(formatLayers(dissection).split("\n").length).toBe(Math.max(1, dissection.layers.length));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("relative sequence numbers", () => {
  const write = (relativeSequence: RelativeSequence, segment: Segment): string =>
    formatLine(dissect(tcpDatagram(segment), RAW), { relativeSequence }).replace(/^.*Flags/, "Flags");
  const back = { source: B, destination: A, sourcePort: 80, destinationPort: 52000 };

  test.each([1000, 2 ** 31 - 1, 2 ** 32 - 2])("count from the SYN, also around the end of the numbers: %i", (initial) => {
    const numbers = new RelativeSequence();
    const add = (count: number): number => (initial + count) % 2 ** 32;
    expect(write(numbers, { seq: initial, flags: SYN })).toContain(`seq ${initial}, win`);
    expect(write(numbers, { ...back, seq: 5, ack: add(1), flags: SYN | ACK })).toContain(`seq 5, ack ${add(1)}`);
    expect(write(numbers, { seq: add(1), ack: 6, payload: "abc" })).toContain("seq 1:4, ack 1,");
    expect(write(numbers, { ...back, seq: 6, ack: add(1), options: { sackBlocks: [{ left: add(4), right: add(7) }] } })).toContain(
      "ack 1, win 64240, options [sack 1 {4:7}",
    );
    expect(write(numbers, { seq: add(4), ack: 6, flags: FIN | ACK })).toContain("seq 4, ack 1,");
  });

  test("where there is no SYN the first octet is number 1", () => {
    const numbers = new RelativeSequence();
    expect(write(numbers, { seq: 500, ack: 900, payload: "abc" })).toContain("seq 1:4, ack 1,");
    expect(write(numbers, { ...back, seq: 900, ack: 503, payload: "x" })).toContain("seq 1:2, ack 4,");
  });

  test("a new SYN begins anew", () => {
    const numbers = new RelativeSequence();
    write(numbers, { seq: 500, flags: SYN });
    write(numbers, { seq: 9000, flags: SYN });
    expect(write(numbers, { seq: 9001, payload: "x" })).toContain("seq 1:2");
  });

  test("only so many directions are remembered", () => {
    const numbers = new RelativeSequence();
    write(numbers, { seq: 500, flags: SYN });
    const tcp = dissect(tcpDatagram({ flags: SYN }), RAW).transport;
    if (tcp?.protocol !== "tcp") throw new Error("not TCP");
    for (let index = 0; index < MAX_RELATIVE_DIRECTIONS; index += 1) numbers.numbers((0x0b000000 + index) as typeof A, B, tcp);
    expect(write(numbers, { seq: 600, payload: "x" })).toContain("seq 1:2");
  });
});

test("all layers with all their fields", () => {
  expect(formatLayers(dissect(udpDatagram("hello"), RAW))).toBe(
    [
      "    ipv4   source 10.0.0.1, destination 10.0.0.2, traffic class 0, total length 33, identification 1, dont fragment true, " +
        "more fragments false, fragment offset 0, time to live 64, payload protocol 17, checksum good, options [], payload length 13 [0..20)",
      "    udp    source port 4000, destination port 53, length 13, checksum good, payload length 5 [20..28)",
      "    data   [28..33)",
    ].join("\n"),
  );
  expect(formatLayers(dissect(tcpDatagram({ flags: SYN, options: { windowScale: 3 } }), RAW))).toContain(
    "flags [SYN], window 64240, urgent pointer 0, checksum good, options [kind 3 name wscale length 3 value 3, kind 0 name eol length 1]",
  );
});

test("octets as tcpdump prints them", () => {
  const bytes = new TextEncoder().encode("GET / HTTP/1.1\r\nHi!");
  expect(formatHex(bytes)).toBe(
    "\t0x0000:  4745 5420 2f20 4854 5450 2f31 2e31 0d0a  GET./.HTTP/1.1..\n\t0x0010:  4869 21                                  Hi!",
  );
  expect(formatHex(new Uint8Array(0))).toBe("");
});

test("control bits in letters and in words", () => {
  expect(tcpFlagLetters(0)).toBe("none");
  expect(tcpFlagLetters(FIN | SYN | RST | PSH | ACK | URG | ECE | CWR | AE)).toBe("FSRP.UEWe");
  expect(tcpFlagNames(SYN | ACK)).toEqual(["SYN", "ACK"]);
});

describe("moments", () => {
  test.each([
    [0n, "1970-01-01T00:00:00.000000000Z"],
    [1_754_051_696_123_456_789n, "2025-08-01T12:34:56.123456789Z"],
    [-1n, "1969-12-31T23:59:59.999999999Z"],
    // A pcapng file may say anything: no calendar reaches this far.
    [2n ** 64n * 1_000_000_000n, "18446744073709551616.000000000"],
  ])("%s", (timestamp, expected) => {
    expect(formatDateTime(timestamp)).toBe(expected);
  });

  test("time of day and seconds", () => {
    expect(formatTimeOfDay(1_754_051_696_123_456_789n)).toBe("12:34:56.123456");
    expect(formatTimeOfDay(-1n)).toBe("23:59:59.999999");
    expect(formatSeconds(1_500_000_000n)).toBe("1.500000000");
    expect(formatSeconds(-500_000_000n)).toBe("-0.500000000");
  });
});

test("JSON has addresses, flags and times as text, and survives the journey", () => {
  const bytes = ethernetFrame(tcpDatagram({ seq: 7, flags: SYN | ACK }));
  const section = { format: "pcapng" as const, littleEndian: true, comments: [] };
  const packet: CapturedPacket = {
    number: 3,
    timestamp: 1_500_000_000n,
    linkType: 1,
    bytes,
    originalLength: 100,
    interface: { section, index: 0, linkType: 1, snapLength: 0, name: "eth0", comments: [] },
    direction: "out",
    comments: ["why"],
  };
  expect(JSON.parse(JSON.stringify(toJson(packet, dissect(bytes, 1, packet))))).toEqual({
    number: 3,
    time: "1970-01-01T00:00:01.500000000Z",
    interface: "eth0",
    linkType: "Ethernet",
    length: 100,
    capturedLength: 54,
    direction: "out",
    comments: ["why"],
    layers: [
      {
        protocol: "eth",
        offset: 0,
        headerLength: 14,
        destination: "02:00:00:00:00:02",
        source: "02:00:00:00:00:01",
        etherType: 0x0800,
      },
      {
        protocol: "ipv4",
        offset: 14,
        headerLength: 20,
        source: "10.0.0.1",
        destination: "10.0.0.2",
        trafficClass: 0,
        totalLength: 40,
        identification: 1,
        dontFragment: true,
        moreFragments: false,
        fragmentOffset: 0,
        timeToLive: 64,
        payloadProtocol: 6,
        checksum: "good",
        options: [],
        payloadLength: 20,
      },
      {
        protocol: "tcp",
        offset: 34,
        headerLength: 20,
        sourcePort: 52000,
        destinationPort: 80,
        seq: 7,
        ack: 0,
        flags: ["SYN", "ACK"],
        window: 64240,
        urgentPointer: 0,
        checksum: "good",
        options: [],
        payloadLength: 0,
      },
    ],
  });
});
