// netstrata replay: our stack plays one host of a recording, the recording plays everybody it talked to.
import { type CapturedPacket, CaptureError } from "@netstrata/capture";
import { type ConversationReport, replay as replayCapture, type Verdict } from "@netstrata/testing";
import { readAddress, readInteger, readPort } from "../argument-value.ts";
import { type Command, defineCommand } from "../command.ts";
import { readBatches } from "../inspect/packet-source.ts";
import type { Io } from "../terminal/io.ts";
import { styleFor } from "../terminal/style.ts";
import { UsageError } from "../usage-error.ts";
import { renderReport, renderSummary, reportToJson } from "./report-view.ts";

export const replay: Command = defineCommand({
  name: "replay",
  summary: "play one host of a recording with our stack, and compare",
  usage: "FILE --as ADDRESS[:PORT]",
  examples: [
    ["netstrata replay trace.pcapng --as 10.0.0.1", "our stack plays 10.0.0.1 in each of its conversations"],
    ["netstrata replay trace.pcap --as 127.0.0.1:80", "only its port 80: both ends have one address here"],
    ["netstrata replay trace.pcap --as 10.0.0.1 --json", "one JSON object a conversation"],
  ],
  options: {
    as: { kind: "value", argument: "ADDRESS[:PORT]", help: "the host to play; IPv4" },
    seed: { kind: "value", argument: "N", help: "of our stack's chance (default 1)" },
    json: { kind: "flag", help: "NDJSON" },
  },
  notes: [
    "A conversation is the same when each recorded packet of the peer was met by an equivalent answer and both byte",
    "streams are identical. Segmentation, window sizes and the time of acknowledgments may differ, as the RFCs let them.",
    "Exit code, as of diff(1): 0 all the same, 1 something differs, 2 trouble, also when nothing could be replayed.",
  ].join("\n"),
  words: [1, 1],
  run: async (values, [file], io) => {
    if (values.as === undefined) throw new UsageError("replay: --as ADDRESS is missing: which host shall our stack play?");
    const { address, port } = readEnd(values.as);
    const seed = values.seed === undefined ? undefined : readInteger(values.seed, "--seed", 0, 2 ** 32 - 1);
    let fault: CaptureError | undefined;
    const packets = packetsOf(file, io, (error) => {
      fault = error;
    });
    const counts = await show(replayCapture(packets, { as: address, port, seed }), values.json, io);
    if (fault !== undefined) throw fault;
    if (counts.same + counts.differs === 0) {
      io.stderr.write(`netstrata: ${file}: no conversation of ${values.as} that can be replayed\n`);
      return 2;
    }
    return counts.differs > 0 ? 1 : 0;
  },
});

/** Writes each report as it comes. */
export async function show(reports: AsyncIterable<ConversationReport>, json: boolean, io: Io): Promise<Record<Verdict, number>> {
  const style = styleFor(io.stdout, io.environment);
  const counts: Record<Verdict, number> = { same: 0, differs: 0, "not-replayed": 0 };
  for await (const report of reports) {
    counts[report.verdict] += 1;
    const lines = json ? [reportToJson(report)] : renderReport(report, style);
    await io.stdout.write(`${lines.join("\n")}\n`);
  }
  if (!json) await io.stdout.write(`${renderSummary(counts)}\n`);
  return counts;
}

/** @param onFault hears of records longer than they may be, when all of them have been read all the same; otherwise that is thrown */
export async function* packetsOf(
  file: string,
  io: Io,
  onFault?: (error: CaptureError) => void,
): AsyncGenerator<CapturedPacket, void, void> {
  try {
    for await (const batch of readBatches(file, io)) yield* batch;
  } catch (error) {
    if (onFault === undefined || !(error instanceof CaptureError) || error.code !== "record-too-long") throw error;
    onFault(error);
  }
}

function readEnd(text: string): { address: ReturnType<typeof readAddress>; port: number | undefined } {
  const match = /^(\d+\.\d+\.\d+\.\d+):(\d+)$/.exec(text);
  if (match === null) return { address: readAddress(text, "--as"), port: undefined };
  return { address: readAddress(match[1], "--as"), port: readPort(match[2], "--as") };
}
