import { PacketBuffer, VirtualClock } from "@netstrata/core";
import { CaptureWriter, createWire, LINKTYPE_ETHERNET } from "@netstrata/link";
import { expect, test } from "vitest";
import { PcapngWriter, PcapWriter, pcapngSink, pcapSink } from "../src/index.ts";
import { Chunks, ethernetFrame, readAll, udpDatagram } from "./packets.ts";

const frame = ethernetFrame(udpDatagram("hello"));

/** Sends a frame through a wire with 1.5 ms of latency, and back, past a capture writer at one of its ends. */
function pingPong(sinkOf: (chunks: Chunks) => ConstructorParameters<typeof CaptureWriter>[2]): Chunks {
  const clock = new VirtualClock();
  const { a, b } = createWire(clock, { latency: 1.5 });
  const chunks = new Chunks();
  const captured = new CaptureWriter(a, clock, sinkOf(chunks));
  captured.attach({ receive: () => {} });
  b.attach({ receive: () => b.transmit(PacketBuffer.wrap(frame.slice())) });
  captured.transmit(PacketBuffer.wrap(frame.slice()));
  clock.runUntilIdle();
  return chunks;
}

test("what passes a device is in the pcapng file, with time and direction", async () => {
  const chunks = pingPong(({ sink }) => {
    const writer = new PcapngWriter(sink);
    return pcapngSink(writer, writer.addInterface({ linkType: LINKTYPE_ETHERNET, name: "eth0" }), 1_000_000_000n);
  });
  const { packets } = await readAll([chunks.bytes]);
  expect(packets).toMatchObject([
    { timestamp: 1_000_000_000n, direction: "out", bytes: frame, interface: { name: "eth0" } },
    { timestamp: 1_003_000_000n, direction: "in", bytes: frame },
  ]);
});

test("and in the pcap file, without direction", async () => {
  const chunks = pingPong(({ sink }) => pcapSink(new PcapWriter(sink, { linkType: LINKTYPE_ETHERNET })));
  const { packets } = await readAll([chunks.bytes]);
  expect(packets).toMatchObject([
    { timestamp: 0n, bytes: frame },
    { timestamp: 3_000_000n, bytes: frame },
  ]);
});

test("an interface without a limit keeps its packets whole when it is written again as it was read", async () => {
  const unlimited = { linkType: LINKTYPE_ETHERNET, snapLength: 0 };
  const [pcapng, pcap] = [new Chunks(), new Chunks()];
  const writer = new PcapngWriter(pcapng.sink);
  writer.packet(writer.addInterface(unlimited), { bytes: frame, timestamp: 0n });
  new PcapWriter(pcap.sink, unlimited).packet({ bytes: frame, timestamp: 0n });
  for (const { bytes } of [pcapng, pcap])
    expect((await readAll([bytes])).packets).toMatchObject([{ bytes: frame, originalLength: frame.length }]);
});
