import { PacketBuffer } from "@netstrata/core";
import { ACK, FIN, SYN } from "@netstrata/transport";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileFilter, dissect, FilterError } from "../src/index.ts";
import { A, B, concat, ethernetFrame, hex, ipv4, ipv6, tcpDatagram, udpDatagram } from "./packets.ts";

const packets = {
  syn: [101, tcpDatagram({ flags: SYN, seq: 1 })],
  web: [
    1,
    ethernetFrame(
      tcpDatagram({ sourcePort: 80, destinationPort: 52000, source: B, destination: A, flags: ACK | FIN, payload: "x".repeat(300) }),
    ),
  ],
  dns: [101, udpDatagram("question")],
  dns6: [101, ipv6(17, hex("0fa0 0035 0008 0000"), 6)],
  ping: [101, ipv4(packetOf(hex("0800 0000 0001 0001")), 1)],
  ping6: [101, ipv6(58, hex("80 00 0000 0001 0002"), 2)],
  arp: [1, ethernetFrame(hex("0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002"), 0x0806)],
  tagged: [1, concat([hex("ffffffffffff 020000000001 8100 0005 0800"), udpDatagram("x", 1000, 2000)])],
  fragment: [101, ipv4(packetOf(new Uint8Array(8)), 6, A, B, { fragmentOffset: 8 })],
} satisfies Record<string, [number, Uint8Array]>;

function packetOf(bytes: Uint8Array): PacketBuffer {
  const packet = PacketBuffer.allocate(40, bytes.length);
  packet.set(bytes);
  return packet;
}

/** The names of the packets that a filter takes. */
function taken(filter: string): string {
  const test = compileFilter(filter);
  return Object.entries(packets)
    .filter(([, [linkType, bytes]]) => test(dissect(bytes as Uint8Array, linkType as number)))
    .map(([name]) => name)
    .join(" ");
}

const ALL = Object.keys(packets).join(" ");

test.each([
  ["", ALL],
  ["tcp", "syn web fragment"],
  ["udp", "dns dns6 tagged"],
  ["icmp", "ping"],
  ["icmp6", "ping6"],
  ["arp", "arp"],
  ["ip", "syn web dns ping tagged fragment"],
  ["ip6", "dns6 ping6"],
  ["igmp", ""],
  ["ether", "web arp tagged"],
  ["vlan", "tagged"],
  ["vlan 5", "tagged"],
  ["vlan 6", ""],
  ["vlan and udp", "tagged"],
  ["not tcp", "dns dns6 ping ping6 arp tagged"],
  ["! ip and ! ip6", "arp"],
  ["host 10.0.0.1", "syn web dns ping arp tagged fragment"],
  ["10.0.0.1", "syn web dns ping arp tagged fragment"],
  ["src host 10.0.0.2", "web"],
  ["src 10.0.0.2", "web"],
  ["dst 10.0.0.2", "syn dns ping arp tagged fragment"],
  ["src and dst host 10.0.0.1", ""],
  ["src or dst host 10.0.0.2 and tcp", "syn web fragment"],
  ["host 2001:db8::2", "dns6 ping6"],
  ["ip6 host 2001:db8::2", "dns6 ping6"],
  ["arp host 10.0.0.2", "arp"],
  ["ip host 10.0.0.2", "syn web dns ping tagged fragment"],
  ["net 10.0.0.0/8", "syn web dns ping arp tagged fragment"],
  ["net 10", "syn web dns ping arp tagged fragment"],
  ["net 10.0.1", ""],
  ["net 10.0.0.0 mask 255.255.0.0", "syn web dns ping arp tagged fragment"],
  ["src net 10.0.0.2/32", "web"],
  ["net 2001:db8::/32", "dns6 ping6"],
  ["ether host 02:00:00:00:00:02", "web arp"],
  ["ether src 02:00:00:00:00:01", "web arp tagged"],
  ["ether broadcast", "tagged"],
  ["broadcast or ip multicast", "tagged"],
  ["multicast", "tagged"],
  ["port 53", "dns dns6"],
  ["port domain", "dns dns6"],
  ["src port 80", "web"],
  ["dst port 80", "syn"],
  ["tcp port 80", "syn web"],
  ["udp port 80", ""],
  ["tcp src port http", "web"],
  ["portrange 50-1000", "syn web dns dns6 tagged"],
  ["udp dst portrange 1999-2001", "tagged"],
  ["port 53 or 80", "syn web dns dns6"],
  ["src port 80 or 4000", "web dns dns6"],
  ["ip proto 17", "dns tagged"],
  ["proto \\udp", "dns dns6 tagged"],
  ["ip6 proto 58", "ping6"],
  ["less 40", "syn dns ping fragment"],
  ["greater 300", "web"],
  ["len > 300 and len <= 354", "web"],
  // `and` and `or` have the same precedence, from left to right.
  ["tcp or udp and port 53", "dns dns6"],
  ["tcp or (udp and port 53)", "syn web dns dns6 fragment"],
  ["(tcp or udp) && !(port 53 || 80)", "tagged fragment"],
  ["not tcp and not udp", "ping ping6 arp"],
  ["not (tcp or udp)", "ping ping6 arp"],
  ["tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "syn web"],
  ["tcp[13] = 2", "syn"],
  ["tcp[tcpflags] == tcp-syn", "syn"],
  ["tcp[tcpflags] & tcp-ack = 0", "syn"],
  ["(tcp[13] & 0x11) = 0x11", "web"],
  ["tcp[0:2] = 80", "web"],
  ["ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2) > 0", "web"],
  ["ip[8] = 64 and udp", "dns tagged"],
  ["icmp[icmptype] = icmp-echo", "ping"],
  ["icmp6[icmp6type] == icmp6-echo", "ping6"],
  ["udp[4:2] > 8", "dns tagged"],
  ["ether[12:2] = 0x0806", "arp"],
  ["arp[6:2] = 1", "arp"],
  ["tcp[1000] = 0", ""],
  ["udp[100000:4] != 1", ""],
  ["3 * 4 = 12 and icmp", "ping"],
  ["7 / 2 = 3 and icmp", "ping"],
  ["1 - 2 = 0xffffffff and icmp", "ping"],
  ["1 / 0 = 0 or 1 % 0 = 0", ""],
  ["1 << 32 = 0 and 8 >> 1 = 4 and 7 % 4 = 3 and 6 ^ 3 = 5 and icmp", "ping"],
  ["2 + 3 * 4 = 14 and (2 + 3) * 4 = 20 and icmp", "ping"],
])("%s", (filter, expected) => {
  expect(taken(filter)).toBe(expected);
});

describe("what is wrong is pointed at", () => {
  test.each([
    ["tcp prot 80", 4],
    ["tcp and", 7],
    ["host", 4],
    ["host example.org", 5],
    ["port 70000", 5],
    ["port http-", 5],
    ["portrange 1-2-3", 10],
    ["net 10.0.0.0/33", 4],
    ["net 10.0.0.0 mask 255.0.255.0", 4],
    ["(tcp or udp", 11],
    ["tcp)", 3],
    ["tcp[13", 6],
    ["tcp[13:3] = 1", 7],
    ["tcp[13]", 7],
    ["tcp[13] & 2", 11],
    ["tcp[13] = tcp", 10],
    ["tcp = 2", 4],
    ["tcp @ udp", 4],
    ["vlan 4096", 5],
    ["less", 4],
    ["proto 256", 6],
    ["ether host 10.0.0.1", 11],
    ["not", 3],
    ["or tcp", 0],
    ["frobnicate", 0],
    ["()", 1],
    ["80", 0],
  ])("%s", (filter, position) => {
    let error: unknown;
    try {
      compileFilter(filter);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(FilterError);
    expect(error).toMatchObject({ name: "FilterError", text: filter, position });
    const [, text, caret] = (error as FilterError).message.split("\n");
    expect([text, caret]).toEqual([`  ${filter}`, `  ${" ".repeat(position)}^`]);
  });

  test("too many levels", () => {
    expect(() => compileFilter(`${"(".repeat(101)}tcp${")".repeat(101)}`)).toThrow("more than 100 levels");
    expect(() => compileFilter(`${"not ".repeat(101)}tcp`)).toThrow(FilterError);
    expect(taken(`${"(".repeat(100)}tcp${")".repeat(100)}`)).toBe("syn web fragment");
  });

  test("random words never cause another error", () => {
    const words =
      "tcp udp ip ether host net port src dst and or not ( ) [ ] 13 : 2 & = != len 10.0.0.1 ::1 mask less vlan proto - | 0x10 tcp-syn".split(
        " ",
      );
    const text = fc.oneof(
      fc.array(fc.constantFrom(...words), { maxLength: 12 }).map((parts) => parts.join(" ")),
      fc.string(),
    );
    const dissection = dissect(packets.web[1] as Uint8Array, 1);
    fc.assert(
      fc.property(text, (filter) => {
        try {
          expect(typeof compileFilter(filter)(dissection)).toBe("boolean");
        } catch (error) {
          if (!(error instanceof FilterError)) throw error;
          expect(error.position).toBeLessThanOrEqual(filter.length);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
