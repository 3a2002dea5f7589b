import { formatIp, PacketBuffer } from "@netstrata/core";
import { prependIcmp } from "@netstrata/internet";
import { ACK, AE, SYN } from "@netstrata/transport";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DissectOptions, dissect, type Layer, MAX_LAYERS, transportPayload } from "../src/index.ts";
import { A, B, concat, ethernetFrame, hex, ipv4, ipv6, MAC_A, MAC_B, replaced, tcpDatagram, udpDatagram } from "./packets.ts";

const ETHERNET = 1;
const RAW = 101;

/** The layers of a packet by their names. */
function names(bytes: Uint8Array, linkType: number, options?: DissectOptions): string {
  return dissect(bytes, linkType, options)
    .layers.map((layer) => (layer.protocol === "malformed" ? `!${layer.expected}:${layer.reason}` : layer.protocol))
    .join(" ");
}

function layer<Name extends Layer["protocol"]>(bytes: Uint8Array, linkType: number, name: Name): Extract<Layer, { protocol: Name }> {
  const found = dissect(bytes, linkType).layers.find(({ protocol }) => protocol === name);
  return found as Extract<Layer, { protocol: Name }>;
}

const udpHeader = (length: number): Uint8Array => Uint8Array.of(0x0f, 0xa0, 0, 53, length >>> 8, length, 0, 0);

describe("layers", () => {
  test("Ethernet, IPv4, TCP with options and a payload", () => {
    const bytes = ethernetFrame(
      tcpDatagram({
        seq: 0xfffffffe,
        ack: 7,
        flags: SYN | ACK | AE,
        options: { maximumSegmentSize: 1460, windowScale: 7, sackPermitted: true, timestamps: { value: 1, echoReply: 2 } },
        payload: "hello",
      }),
    );
    const { layers, ip, ipProtocol, transport } = dissect(bytes, ETHERNET);
    expect(layers).toMatchObject([
      { protocol: "eth", offset: 0, headerLength: 14, source: MAC_A, destination: MAC_B, etherType: 0x0800 },
      {
        protocol: "ipv4",
        offset: 14,
        headerLength: 20,
        source: A,
        destination: B,
        payloadProtocol: 6,
        checksum: "good",
        dontFragment: true,
      },
      {
        protocol: "tcp",
        offset: 34,
        headerLength: 40,
        sourcePort: 52000,
        destinationPort: 80,
        seq: 0xfffffffe,
        ack: 7,
        flags: SYN | ACK | AE,
        window: 64240,
        checksum: "good",
        payloadLength: 5,
        options: [
          { kind: 2, name: "mss", length: 4, value: 1460 },
          { kind: 4, name: "sackOK", length: 2 },
          { kind: 3, name: "wscale", length: 3, value: 7 },
          { kind: 1, name: "nop", length: 1 },
          { kind: 8, name: "TS", length: 10, timestamp: 1, echoReply: 2 },
        ],
      },
      { protocol: "data", offset: 74, headerLength: 5 },
    ]);
    expect([ip, ipProtocol, transport]).toEqual([layers[1], 6, layers[2]]);
    expect(new TextDecoder().decode(transportPayload(dissect(bytes, ETHERNET)))).toBe("hello");
  });

  test("Ethernet padding is not payload", () => {
    const bytes = concat([ethernetFrame(udpDatagram("")), new Uint8Array(18)]);
    expect(names(bytes, ETHERNET)).toBe("eth ipv4 udp");
  });

  test("VLAN tags, also two of them", () => {
    const tags = hex("a0c8 8100 0064 0800");
    const bytes = concat([hex("020000000002 020000000001 88a8"), tags, udpDatagram("x")]);
    expect(names(bytes, ETHERNET)).toBe("eth vlan vlan ipv4 udp data");
    expect(layer(bytes, ETHERNET, "vlan")).toMatchObject({ id: 200, priority: 5, dropEligible: false, etherType: 0x8100 });
  });

  test("802.3 with SNAP, with another LLC, and Novell's own", () => {
    const head = hex("020000000002 020000000001");
    const datagram = udpDatagram("x");
    const snap = concat([head, Uint8Array.of(0, datagram.length + 8), hex("aaaa03 000000 0800"), datagram, new Uint8Array(9)]);
    expect(names(snap, ETHERNET)).toBe("eth llc ipv4 udp data");
    expect(names(concat([head, hex("0005 424203 0000")]), ETHERNET)).toBe("eth llc data");
    expect(names(concat([head, hex("0004 ffff 0022")]), ETHERNET)).toBe("eth data");
  });

  test("ARP, and its reverse", () => {
    const message = hex("0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002");
    const bytes = ethernetFrame(message, 0x0806);
    expect(layer(bytes, ETHERNET, "arp")).toMatchObject({ operation: 1, senderHardware: MAC_A, senderProtocol: A, targetProtocol: B });
    expect(names(ethernetFrame(message, 0x8035), ETHERNET)).toBe("eth arp");
  });

  test.each([
    [101, ""],
    [12, ""],
    [14, ""],
    [228, ""],
    [0, "02000000"],
    [0, "00000002"],
    [108, "00000002"],
    [113, "0000 0001 0006 020000000001 0000 0800"],
    [276, "0800 0000 00000003 0001 00 06 020000000001 0000"],
  ])("link type %i, header %s", (linkType, header) => {
    const link = { 0: "null ", 108: "null ", 113: "sll ", 276: "sll " }[linkType] ?? "";
    expect(names(concat([hex(header), udpDatagram("x")]), linkType)).toBe(`${link}ipv4 udp data`);
  });

  test("a cooked header tells who sent the packet; behind a GRE device its protocol is an EtherType too", () => {
    const bytes = concat([hex("0004 030a 0004 0a000001 00000000 0800"), udpDatagram("x")]);
    expect(layer(bytes, 113, "sll")).toMatchObject({
      packetType: "from-us",
      hardwareType: 778,
      linkAddress: "0a:00:00:01",
      etherType: 0x0800,
    });
    expect(names(bytes, 113)).toBe("sll ipv4 udp data");
  });

  test("an unknown link type is a layer, not an error", () => {
    expect(dissect(hex("0021 45"), 9).layers).toEqual([{ protocol: "unknown-link-type", offset: 0, headerLength: 3, linkType: 9 }]);
  });

  test("IPv6 with all its extension headers", () => {
    const udp = concat([udpHeader(9), Uint8Array.of(65)]);
    const chain = concat([
      hex("2b 00 0502 0000 0100"),
      hex("2c 00 0000 00000000"),
      hex("3c 00 0000 00000007"),
      hex("11 00 0104 00000000"),
      udp,
    ]);
    const bytes = ipv6(0, chain);
    expect(names(bytes, RAW)).toBe("ipv6 hop-by-hop routing ipv6-fragment destination-options udp data");
    expect(dissect(bytes, RAW)).toMatchObject({
      ipProtocol: 17,
      ip: { nextHeader: 0, payloadLengthField: 41 },
      transport: { protocol: "udp" },
    });
  });

  test("the authentication header counts in 4 octets", () => {
    const header = concat([hex("11 04 0000 00000001 00000001"), new Uint8Array(12), udpHeader(8)]);
    expect(names(ipv6(51, header), RAW)).toBe("ipv6 authentication udp");
  });

  test("a hop-by-hop header that is not the first is not read (RFC 8200 §4.3)", () => {
    expect(names(ipv6(60, hex("00 00 0104 00000000 11 00 0104 00000000")), RAW)).toBe("ipv6 destination-options !hop-by-hop:not-first");
  });

  test("a jumbogram has its length in an option (RFC 2675)", () => {
    const bytes = ipv6(0, concat([hex("11 00 c204 00011170"), udpHeader(0), new Uint8Array(70_000 - 16)]));
    bytes.set([0, 0], 4);
    const { transport } = dissect(bytes, RAW);
    expect(transport).toMatchObject({ protocol: "udp", payloadLength: 69_984 });
  });

  test("tunnels: IP in IP, 6in4, GRE with a key, VXLAN", () => {
    const wrap = (protocol: number, payload: Uint8Array): Uint8Array => {
      const packet = PacketBuffer.allocate(100, payload.length);
      packet.set(payload);
      return ipv4(packet, protocol);
    };
    expect(names(wrap(4, udpDatagram("x")), RAW)).toBe("ipv4 ipv4 udp data");
    expect(names(wrap(41, ipv6(17, udpHeader(8))), RAW)).toBe("ipv4 ipv6 udp");
    const gre = wrap(47, concat([hex("b000 0800 abcd 0000 00000009 00000001"), udpDatagram("x")]));
    expect(names(gre, RAW)).toBe("ipv4 gre ipv4 udp data");
    expect(layer(gre, RAW, "gre")).toMatchObject({ key: 9, headerLength: 16 });
    expect(names(wrap(47, hex("3001 880b 0000 0000")), RAW)).toBe("ipv4 gre data");
    const vxlan = udpDatagram(concat([hex("08000000 00007b00"), ethernetFrame(udpDatagram("x"))]), 5000, 4789);
    expect(names(vxlan, RAW)).toBe("ipv4 udp vxlan eth ipv4 udp data");
    expect(layer(vxlan, RAW, "vxlan").networkIdentifier).toBe(123);
  });

  test("an ICMP error is followed by what it quotes, and that is not the packet's own transport", () => {
    const quoted = udpDatagram("a question").subarray(0, 28);
    const packet = PacketBuffer.allocate(100, quoted.length);
    packet.set(quoted);
    prependIcmp(packet, { type: 3, code: 3, rest: 0 });
    const { layers, transport } = dissect(ipv4(packet, 1), RAW);
    expect(layers.map(({ protocol }) => protocol)).toEqual(["ipv4", "icmp", "ipv4", "udp"]);
    expect(transport).toMatchObject({ protocol: "icmp", type: 3, code: 3, checksum: "good", messageLength: 36 });
    // The quotation is cut, so nobody can say whether its checksum was right.
    expect(layers[3]).toMatchObject({ sourcePort: 4000, checksum: "unverified" });
  });

  test("ICMPv6 has a pseudo-header in its checksum", () => {
    const bytes = ipv6(58, hex("80 00 0000 0001 0002 6162"), 2);
    expect(layer(bytes, RAW, "icmpv6")).toMatchObject({ type: 128, code: 0, rest: 0x10002, checksum: "good" });
  });
});

describe("fragments", () => {
  const payload = PacketBuffer.allocate(100, 16);
  test("a later fragment is data, and its protocol is known", () => {
    const bytes = ipv4(payload.copy(100), 17, A, B, { fragmentOffset: 16 });
    expect(names(bytes, RAW)).toBe("ipv4 data");
    expect(dissect(bytes, RAW)).toMatchObject({ ipProtocol: 17, transport: undefined, ip: { fragmentOffset: 16 } });
  });

  test("the first fragment has a header, whose checksum covers more than is there", () => {
    const first = payload.copy(100);
    first.set(udpHeader(16));
    first.setU16(6, 0x1234);
    expect(dissect(ipv4(first, 17, A, B, { moreFragments: true }), RAW).transport).toMatchObject({
      protocol: "udp",
      checksum: "unverified",
    });
  });

  test("the same in IPv6", () => {
    expect(names(ipv6(44, hex("11 00 0008 00000007 0102")), RAW)).toBe("ipv6 ipv6-fragment data");
    const first = dissect(ipv6(44, concat([hex("11 00 0001 00000007"), hex("0fa0 0035 0008 1234")])), RAW);
    expect(first.transport).toMatchObject({ protocol: "udp", checksum: "unverified" });
    expect(first.layers[1]).toMatchObject({ identification: 7, fragmentOffset: 0, moreFragments: true });
  });
});

describe("checksums", () => {
  const flip = (bytes: Uint8Array, at: number): Uint8Array => replaced(bytes, at, bytes[at] ^ 1);

  test("an octet of the payload changes the verdict on TCP and UDP, one of the header that on IPv4", () => {
    for (const datagram of [tcpDatagram({ payload: "hello" }), udpDatagram("hello")]) {
      expect(dissect(datagram, RAW)).toMatchObject({ ip: { checksum: "good" }, transport: { checksum: "good" } });
      expect(dissect(flip(datagram, datagram.length - 1), RAW)).toMatchObject({ ip: { checksum: "good" }, transport: { checksum: "bad" } });
      expect(dissect(flip(datagram, 5), RAW)).toMatchObject({ ip: { checksum: "bad" }, transport: { checksum: "good" } });
    }
  });

  test("UDP's 0 means that there is none in IPv4, and is wrong in IPv6 (RFC 8200 §8.1)", () => {
    const bytes = udpDatagram("hello");
    bytes.set([0, 0], 26);
    expect(dissect(bytes, RAW).transport).toMatchObject({ checksum: "absent" });
    expect(dissect(ipv6(17, udpHeader(8)), RAW).transport).toMatchObject({ checksum: "bad" });
  });

  test("nothing is said of what was not captured, or when nobody asks", () => {
    const bytes = tcpDatagram({ payload: "hello" });
    expect(dissect(bytes.subarray(0, -1), RAW, { originalLength: bytes.length }).transport).toMatchObject({
      checksum: "unverified",
      payloadLength: 5,
    });
    expect(dissect(bytes, RAW, { verifyChecksums: false })).toMatchObject({
      ip: { checksum: "unverified" },
      transport: { checksum: "unverified" },
    });
  });

  test("a source route's end is in the pseudo-header, not its next hop", () => {
    const packet = PacketBuffer.allocate(100, 8);
    packet.set(hex("0fa0 0035 0008 0000"));
    const whole = ipv4(packet.copy(100), 17, A, B, { options: hex("83 07 04 0a000009 00") });
    // The checksum that goes with 10.0.0.9 as destination.
    let sum = 0x0a00 + 0x0001 + 0x0a00 + 0x0009 + 17 + 8 + 0x0fa0 + 0x0035 + 0x0008;
    sum = (sum & 0xffff) + (sum >>> 16);
    new DataView(whole.buffer, whole.byteOffset).setUint16(34, sum ^ 0xffff);
    const { ip, transport } = dissect(whole, RAW);
    expect(transport).toMatchObject({ checksum: "good" });
    expect(ip?.protocol === "ipv4" && formatIp(ip.finalDestination ?? ip.destination)).toBe("10.0.0.9");
    expect(ip).toMatchObject({ options: [{ name: "LSRR", length: 7, value: "040a000009" }, { name: "EOL" }] });
  });
});

describe("broken packets", () => {
  test.each([
    ["an IPv4 header length below 5", "44", 0, "!ipv4:bad-header-length"],
    ["a total length below the header's", "0013", 2, "!ipv4:bad-total-length"],
    ["a version that does not exist", "55", 0, "!ipv4:bad-version"],
    ["a TCP header longer than its segment", "f0", 32, "ipv4 !tcp:bad-header-length"],
    ["a TCP header shorter than 20 octets", "40", 32, "ipv4 !tcp:bad-header-length"],
  ])("%s", (_name, octets, at, expected) => {
    const bytes = tcpDatagram({ payload: "hello" });
    bytes.set(hex(octets), at);
    expect(names(bytes, RAW)).toBe(expected);
  });

  test("a UDP length below 8", () => {
    const bytes = udpDatagram("hello");
    bytes.set([0, 7], 24);
    expect(names(bytes, RAW)).toBe("ipv4 !udp:bad-length");
  });

  test("a total length of 0 is a super-segment's, and reaches to the end", () => {
    const bytes = tcpDatagram({ payload: "hello" });
    bytes.set([0, 0], 2);
    expect(dissect(bytes, RAW)).toMatchObject({ ip: { totalLength: 0, payloadLength: 25 }, transport: { payloadLength: 5 } });
  });

  test("what can be read of a cut header is told", () => {
    const bytes = tcpDatagram({ seq: 77 }).subarray(0, 28);
    const cut = layer(bytes, RAW, "malformed");
    expect(cut).toMatchObject({ expected: "tcp", reason: "truncated", fields: { sourcePort: 52000, destinationPort: 80, seq: 77 } });
    expect(cut.fields).not.toHaveProperty("ack");
  });

  test("options that make no sense end their list", () => {
    const bytes = tcpDatagram({ options: { maximumSegmentSize: 1460 } });
    bytes.set([5, 0], 40);
    expect(dissect(bytes, RAW).transport).toMatchObject({ options: [{ kind: 5, name: "sack-malformed", length: 0 }] });
    bytes.set([99, 200], 40);
    expect(dissect(bytes, RAW).transport).toMatchObject({ options: [{ kind: 99, name: "unknown-99-malformed", length: 200 }] });
  });

  test("a packet of nothing but VLAN tags is given up", () => {
    const bytes = concat([hex("020000000002 020000000001 8100"), hex("0001 8100".repeat(1000))]);
    const { layers } = dissect(bytes, ETHERNET);
    expect(layers.length).toBe(MAX_LAYERS + 1);
    expect(layers.at(-1)).toMatchObject({ protocol: "malformed", reason: "too-many-layers" });
  });
});

describe("anything at all", () => {
  const LINK_TYPES = [0, 1, 9, 12, 14, 101, 108, 113, 228, 229, 276];

  /** Layers lie within the packet and behind one another. */
  function check(bytes: Uint8Array, linkType: number, originalLength: number): void {
    const { layers } = dissect(bytes, linkType, { originalLength });
    let end = 0;
    for (const { offset, headerLength } of layers) {
      expect(offset).toBeGreaterThanOrEqual(end);
      end = offset;
      expect(offset).toBeLessThanOrEqual(bytes.length);
      expect(headerLength).toBeGreaterThanOrEqual(0);
    }
  }

  const samples: [string, number, Uint8Array][] = [
    ["TCP in Ethernet", 1, ethernetFrame(tcpDatagram({ options: { maximumSegmentSize: 1460, windowScale: 7 }, payload: "hello" }))],
    ["VXLAN", 101, udpDatagram(concat([hex("08000000 00007b00"), ethernetFrame(udpDatagram("x"))]), 5000, 4789)],
    ["ARP", 1, ethernetFrame(hex("0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002"), 0x0806)],
    [
      "IPv6 extensions",
      229,
      ipv6(0, hex("2b 00 0502 0000 0100 2c 00 0000 00000000 3c 00 0000 00000007 11 00 0104 00000000 0fa0 0035 0009 0000 41")),
    ],
    ["SLL2", 276, concat([hex("0800 0000 00000003 0001 00 06 020000000001 0000"), udpDatagram("x")])],
  ];
  test.each(samples)("truncated at every octet: %s", (_name, linkType, bytes) => {
    for (let length = 0; length <= bytes.length; length += 1) {
      check(bytes.subarray(0, length), linkType, bytes.length);
      check(bytes.subarray(0, length), linkType, length);
    }
  });

  test.each(samples)("with every octet replaced: %s", (_name, linkType, bytes) => {
    for (let at = 0; at < bytes.length; at += 1) {
      for (const value of [0, 1, 0x44, 0x60, 0x7f, 0xff]) check(replaced(bytes, at, value), linkType, bytes.length);
    }
  });

  test("random octets of every link type", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...LINK_TYPES),
        fc.uint8Array({ maxLength: 200 }),
        fc.nat({ max: 70_000 }),
        (linkType, bytes, originalLength) => check(bytes, linkType, originalLength),
      ),
      { numRuns: 2000 },
    );
  });
});
