import { type Ipv4Address, ip, PacketBuffer } from "@netstrata/core";
import { PROTOCOL_TCP, prependIpv4, readIpv4Header, readUncheckedIpv4Header } from "@netstrata/internet";
import { ACK, prependTcp, readTcp, readTcpOptions, SYN, type TcpOptions, tcpOptionsLength, writeTcpOptions } from "@netstrata/transport";
import { describe, expect, test } from "vitest";
import { type RecordedSegment, readSegment } from "../src/replay/recorded-segment.ts";
import { acknowledgmentOnly, mapSegment, type SegmentMapping } from "../src/replay/segment-mapping.ts";

const SOURCE = ip("192.0.2.1") as Ipv4Address;
const DESTINATION = ip("192.0.2.2") as Ipv4Address;
const ALL = { windowScale: true, sack: true, timestamps: true };
const MAPPING: SegmentMapping = { shift: 1000, echoReply: 77, agreed: ALL, repair: false };

interface Fields {
  readonly seq?: number;
  readonly ack?: number;
  readonly flags?: number;
  readonly options?: TcpOptions;
  readonly payload?: Uint8Array;
  /** Added to the TCP checksum. */
  readonly error?: number;
}

function recorded({
  seq = 100,
  ack = 0xfffffff0,
  flags = ACK,
  options = {},
  payload = new Uint8Array(0),
  error = 0,
}: Fields): RecordedSegment {
  const optionsLength = tcpOptionsLength(options);
  const packet = PacketBuffer.allocate(60, optionsLength + payload.length);
  writeTcpOptions(packet, options);
  packet.set(payload, optionsLength);
  prependTcp(
    packet,
    { sourcePort: 1, destinationPort: 2, seq, ack, flags, window: 500, urgentPointer: 0 },
    optionsLength,
    SOURCE,
    DESTINATION,
  );
  packet.setU16(16, packet.u16(16) + error);
  prependIpv4(packet, {
    source: SOURCE,
    destination: DESTINATION,
    protocol: PROTOCOL_TCP,
    timeToLive: 64,
    trafficClass: 0,
    identification: 1,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
  });
  const bytes = Buffer.from(packet.slice());
  const header = readUncheckedIpv4Header(PacketBuffer.wrap(bytes));
  if (typeof header === "string") throw new Error(header);
  const segment = readSegment({ number: 1, time: 0, header, bytes, missing: 0, checksumGood: true });
  if (segment === undefined) throw new Error("no segment");
  return { ...segment, fromOwn: false };
}

/** What a receiver reads, or why it does not. */
function receive(packet: PacketBuffer): { ack: number; seq: number; flags: number; options: TcpOptions; payload: number[] } | string {
  const ipHeader = readIpv4Header(packet);
  if (typeof ipHeader === "string") return ipHeader;
  const header = readTcp(packet, ipHeader.source, ipHeader.destination);
  if (typeof header === "string") return header;
  const { ack, seq, flags, headerLength } = header;
  return { ack, seq, flags, options: readTcpOptions(packet, headerLength), payload: [...packet.view(headerLength)] };
}

describe("a recorded segment made to fit", () => {
  test("the acknowledgment is shifted round the circle, the checksum stays right, the text and its numbers stay as they are", () => {
    const payload = Uint8Array.of(1, 2, 3);
    expect(receive(mapSegment(recorded({ payload }), MAPPING))).toMatchObject({ ack: 984, seq: 100, payload: [1, 2, 3] });
  });

  test("the recording itself is left as it was, also when it is a Buffer", () => {
    const segment = recorded({});
    const before = [...segment.datagram.bytes];
    mapSegment(segment, MAPPING);
    acknowledgmentOnly(segment, 5, MAPPING);
    expect([...segment.datagram.bytes]).toEqual(before);
  });

  test("a wrong checksum stays wrong", () => {
    for (const error of [1, 255, 4660]) expect(receive(mapSegment(recorded({ error }), MAPPING))).toBe("bad-checksum");
  });

  test("with repair a wrong checksum counts as right, and the IP header's is made right", () => {
    const segment = recorded({ error: 7 });
    segment.datagram.bytes[10] ^= 0xff;
    expect(receive(mapSegment(segment, MAPPING))).toBe("bad-checksum");
    expect(receive(mapSegment(segment, { ...MAPPING, repair: true }))).toMatchObject({ ack: 984 });
  });

  test("a segment without ACK has no number to shift", () => {
    expect(receive(mapSegment(recorded({ flags: SYN, ack: 0 }), MAPPING))).toMatchObject({ ack: 0 });
  });

  test("SACK blocks and echoed timestamps speak of our numbers", () => {
    const options = { timestamps: { value: 5, echoReply: 6 }, sackBlocks: [{ left: 0xffffff00, right: 10 }] };
    expect(receive(mapSegment(recorded({ options }), MAPPING))).toMatchObject({
      options: { timestamps: { value: 5, echoReply: 77 }, sackBlocks: [{ left: 744, right: 1010 }] },
    });
  });

  test("options that the two ends did not agree on are blanked, and the MSS stays", () => {
    const options = { maximumSegmentSize: 1460, windowScale: 7, sackPermitted: true, timestamps: { value: 1, echoReply: 0 } };
    const agreed = { windowScale: false, sack: false, timestamps: false };
    expect(receive(mapSegment(recorded({ flags: SYN, options }), { ...MAPPING, agreed }))).toMatchObject({
      options: { maximumSegmentSize: 1460 },
    });
    const read = receive(mapSegment(recorded({ flags: SYN, options }), { ...MAPPING, agreed: { ...ALL, timestamps: false } }));
    expect(read).toMatchObject({ options: { windowScale: 7, sackPermitted: true } });
    expect(typeof read === "object" && read.options.timestamps).toBeUndefined();
  });

  test("an acknowledgment alone has the number it is asked for, no text and no flag but ACK", () => {
    const packet = acknowledgmentOnly(
      recorded({ payload: Uint8Array.of(1, 2), flags: ACK | 8, options: { timestamps: { value: 1, echoReply: 2 } } }),
      4242,
      MAPPING,
    );
    expect(receive(packet)).toMatchObject({ ack: 4242, flags: ACK, payload: [], options: { timestamps: { value: 1, echoReply: 77 } } });
  });
});
