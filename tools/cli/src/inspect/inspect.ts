// netstrata inspect: a capture as lines, layers, octets, JSON, streams or numbers.
import { TcpConversations } from "@netstrata/capture";
import { readInteger } from "../argument-value.ts";
import { type Command, defineCommand } from "../command.ts";
import type { Io } from "../terminal/io.ts";
import { LineWriter } from "../terminal/lines.ts";
import { UsageError } from "../usage-error.ts";
import { CaptureStatistics } from "./capture-statistics.ts";
import { type InspectedPacket, inspectedBatches } from "./packet-source.ts";
import { jsonView, type PacketView, textView } from "./packet-view.ts";
import { StreamView } from "./stream-view.ts";

const DEFAULT_OCTETS = 1024;

export const inspect: Command = defineCommand({
  name: "inspect",
  summary: "show a capture: one line a packet, layers, octets, JSON, conversations, numbers",
  usage: "FILE [FILTER…]",
  examples: [
    ["netstrata inspect trace.pcapng", "one line a packet"],
    ["netstrata inspect trace.pcap tcp port 80 and host 10.0.0.1", "only what the filter takes"],
    ["netstrata inspect -v -x trace.pcap -c 1", "all layers and octets of the first packet"],
    ["netstrata inspect --streams trace.pcap", "what was said in each TCP conversation"],
    ["netstrata inspect --json trace.pcap | jq .layers[].protocol", "one JSON object a packet"],
    ["tcpdump -w - | netstrata inspect -", "from standard input"],
  ],
  options: {
    layers: { kind: "flag", short: "v", help: "every layer with all its fields" },
    bytes: { kind: "flag", short: "x", help: "the octets in hexadecimal" },
    json: { kind: "flag", help: "NDJSON: one object a packet" },
    streams: { kind: "flag", help: "TCP conversations, put together" },
    octets: { kind: "value", argument: "N", help: `with --streams: octets to show of each turn (default ${DEFAULT_OCTETS})` },
    stats: { kind: "flag", help: "only numbers" },
    count: { kind: "value", short: "c", argument: "N", help: "stop after N packets" },
    absolute: { kind: "flag", short: "S", help: "TCP sequence numbers as they stand in the header" },
  },
  notes: [
    "The filter is the everyday part of tcpdump's language: host, net, port, portrange, src, dst, tcp, udp, icmp, icmp6,",
    "arp, ip, ip6, vlan, less, greater, and, or, not, parentheses, tcp[tcpflags] & tcp-syn != 0. Reads pcap and pcapng.",
  ].join("\n"),
  words: [1, Number.POSITIVE_INFINITY],
  run: async (values, [file, ...filter], io) => {
    const views = [values.json, values.streams, values.stats].filter(Boolean).length;
    if (views > 1) throw new UsageError("inspect: --json, --streams and --stats exclude each other");
    const limit = values.count === undefined ? Number.POSITIVE_INFINITY : readInteger(values.count, "--count", 1, 2 ** 31);
    const packets = takeFirst(inspectedBatches(file, filter.join(" "), io), limit);
    if (values.streams) {
      const octets = values.octets === undefined ? DEFAULT_OCTETS : readInteger(values.octets, "--octets", 0, 2 ** 31);
      await showStreams(packets, octets, io);
    } else if (values.stats) await showStatistics(packets, io);
    else await showPackets(packets, values.json ? jsonView() : textView(values), io);
    return 0;
  },
});

type Batches = AsyncIterable<readonly InspectedPacket[]>;

/** Ends after `limit` packets without reading on. */
async function* takeFirst(batches: Batches, limit: number): AsyncGenerator<readonly InspectedPacket[], void, void> {
  let left = limit;
  for await (const batch of batches) {
    yield batch.slice(0, left);
    left -= batch.length;
    if (left <= 0) return;
  }
}

async function showPackets(batches: Batches, view: PacketView, io: Io): Promise<void> {
  const lines = new LineWriter(io.stdout);
  try {
    for await (const batch of batches) {
      for (const packet of batch) {
        // A promise for each packet would cost more than the line.
        const wait = lines.line(view(packet));
        if (wait !== undefined) await wait;
      }
      await lines.flush();
    }
  } finally {
    // What was read before a fault in the file is shown before the fault is told.
    await lines.flush();
  }
}

async function showStreams(batches: Batches, octets: number, io: Io): Promise<void> {
  const lines = new LineWriter(io.stdout);
  let isFirst = true;
  const conversations = new TcpConversations(
    new StreamView(octets, (text) => {
      lines.line(isFirst ? text : `\n${text}`);
      isFirst = false;
    }),
  );
  try {
    for await (const batch of batches) {
      for (const { packet, dissection } of batch) conversations.packet(dissection, packet.number, packet.timestamp);
      await lines.flush();
    }
  } finally {
    conversations.finish();
    await lines.flush();
  }
}

async function showStatistics(batches: Batches, io: Io): Promise<void> {
  const statistics = new CaptureStatistics();
  try {
    for await (const batch of batches) for (const packet of batch) statistics.add(packet);
  } finally {
    await io.stdout.write(`${statistics.report().join("\n")}\n`);
  }
}
