// What Node and a browser must do alike: simulate, write and read captures, replay one, and talk in real time.
import { dissect, formatLine, PcapngWriter, PcapWriter, RelativeSequence, readCapture } from "@netstrata/capture";
import { ip } from "@netstrata/core";
import { LINKTYPE_ETHERNET } from "@netstrata/link";
import { replay } from "@netstrata/testing";
import { type EchoPacket, echo } from "./echo.ts";
import { type Streams, streams } from "./streams.ts";

/** Made of what survives JSON. */
export interface Findings {
  readonly echo: { readonly answer: string; readonly times: readonly number[] };
  /** The packets of the echo, one line each, as they are read from a file of each format. */
  readonly lines: Readonly<Record<Format, readonly string[]>>;
  /** SHA-256 of those files. */
  readonly digests: Readonly<Record<Format, string>>;
  /** Of a conversation with a kernel, recorded over a wire that loses packets. */
  readonly replay: readonly { readonly verdict: string; readonly octetsSent: number; readonly octetsReceived: number }[];
  readonly streams: Omit<Streams, "sent" | "received"> & { readonly sent: string; readonly received: string };
}

export const FORMATS = ["pcap", "nanosecond pcap", "pcapng"] as const;
export type Format = (typeof FORMATS)[number];

/** @param recording a capture in which 10.9.0.2 is ours */
export async function perform(recording: ReadableStream<Uint8Array>): Promise<Findings> {
  const { packets, ...outcome } = await echo();
  const files = forEachFormat((format) => capture(format, packets));
  const reports: Findings["replay"][number][] = [];
  for await (const { verdict, octetsSent, octetsReceived } of replay(readCapture(recording), { as: ip("10.9.0.2") })) {
    reports.push({ verdict, octetsSent, octetsReceived });
  }
  const { sent, received, ...rest } = await streams();
  return {
    echo: outcome,
    lines: await settled(forEachFormat((format) => lines(files[format]))),
    digests: await settled(forEachFormat(async (format) => digest(await files[format].arrayBuffer()))),
    replay: reports,
    streams: { ...rest, sent: await digest(sent), received: await digest(received) },
  };
}

function capture(format: Format, packets: readonly EchoPacket[]): Blob {
  const chunks: BlobPart[] = [];
  const sink = (chunk: Uint8Array): void => void chunks.push(chunk as BlobPart);
  if (format === "pcapng") {
    const writer = new PcapngWriter(sink);
    const index = writer.addInterface({ linkType: LINKTYPE_ETHERNET, name: "eth0" });
    for (const packet of packets) writer.packet(index, packet);
  } else {
    const resolution = format === "pcap" ? "microseconds" : "nanoseconds";
    const writer = new PcapWriter(sink, { linkType: LINKTYPE_ETHERNET, resolution });
    for (const packet of packets) writer.packet(packet);
  }
  return new Blob(chunks);
}

async function lines(file: Blob): Promise<string[]> {
  const relativeSequence = new RelativeSequence();
  const text: string[] = [];
  for await (const packet of readCapture(file.stream())) {
    text.push(formatLine(dissect(packet.bytes, packet.linkType, packet), { timestamp: packet.timestamp, relativeSequence }));
  }
  return text;
}

async function digest(bytes: BufferSource): Promise<string> {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(sum, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

function forEachFormat<T>(make: (format: Format) => T): Record<Format, T> {
  return Object.fromEntries(FORMATS.map((format) => [format, make(format)])) as Record<Format, T>;
}

async function settled<T>(promises: Record<Format, Promise<T>>): Promise<Record<Format, T>> {
  return Object.fromEntries(await Promise.all(FORMATS.map(async (format) => [format, await promises[format]]))) as Record<Format, T>;
}
