// Small files of every kind that a reader tells apart, and where in them their packets end.
import { PcapngWriter, PcapWriter } from "../src/index.ts";
import { Chunks, concat, tcpDatagram, udpDatagram } from "./packets.ts";

export interface SampleFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Lengths at which the file is whole: behind its header, and behind each block or record. */
  readonly wholeAt: readonly number[];
  /** For each packet, at what length of the file it is there. */
  readonly packetEnds: readonly number[];
  readonly packets: readonly Uint8Array[];
}

const PACKETS = [udpDatagram("hello"), new Uint8Array(0), tcpDatagram({ payload: "a longer one" })];

function sample(name: string, chunks: readonly Uint8Array[], firstPacket: number): SampleFile {
  const ends: number[] = [];
  for (const chunk of chunks) ends.push((ends.at(-1) ?? 0) + chunk.length);
  return { name, bytes: concat(chunks), wholeAt: ends, packetEnds: ends.slice(firstPacket), packets: PACKETS };
}

function pcap(littleEndian: boolean, resolution: "microseconds" | "nanoseconds"): SampleFile {
  const chunks = new Chunks();
  const writer = new PcapWriter(chunks.sink, { linkType: 101, littleEndian, resolution });
  for (const bytes of PACKETS) writer.packet({ timestamp: 1_000_000_001_000n, bytes });
  return sample(`pcap, ${resolution}, ${littleEndian ? "little" : "big"}-endian`, chunks.chunks, 1);
}

function pcapng(littleEndian: boolean): SampleFile {
  const chunks = new Chunks();
  const writer = new PcapngWriter(chunks.sink, { littleEndian, comments: ["a section"] });
  const index = writer.addInterface({ linkType: 101, name: "tun0" });
  for (const bytes of PACKETS) writer.packet(index, { timestamp: 1_000_000_001_000n, bytes, direction: "in", comments: ["a packet"] });
  return sample(`pcapng, ${littleEndian ? "little" : "big"}-endian`, chunks.chunks, 2);
}

export const SAMPLE_FILES: readonly SampleFile[] = [
  pcap(true, "microseconds"),
  pcap(false, "microseconds"),
  pcap(true, "nanoseconds"),
  pcap(false, "nanoseconds"),
  pcapng(true),
  pcapng(false),
];
