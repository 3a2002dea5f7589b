// What a replay found, for people: a line a conversation, and at a divergence both packets, decoded.
import { dissect, formatLayers, formatLine } from "@netstrata/capture";
import { LINKTYPE_RAW } from "@netstrata/link";
import type { ConversationReport, DivergentPacket, Verdict } from "@netstrata/testing";
import { formatEndpoint } from "@netstrata/transport";
import type { Style } from "../terminal/style.ts";

const COLOURS: Readonly<Record<Verdict, keyof Style>> = { same: "green", differs: "red", "not-replayed": "yellow" };

export function renderReport(report: ConversationReport, style: Style): string[] {
  const { protocol, own, peer, packets, verdict } = report;
  const ends = `${protocol} ${formatEndpoint(own)} with ${formatEndpoint(peer)}, packets ${packets[0]} to ${packets[1]}`;
  const line = `${style[COLOURS[verdict]](verdict.replace("-", " ").padEnd(12))} ${ends}`;
  return [line, ...detailsOf(report).map((text) => `             ${text}`)];
}

function detailsOf(report: ConversationReport): string[] {
  if (report.verdict === "not-replayed") return [report.reason ?? ""];
  const { peerPackets, packetsSent, octetsReceived, octetsSent, liberties, whole, divergence } = report;
  const met = report.verdict === "same" ? "met by" : "played against";
  const done = `${peerPackets} packets of the peer ${met} ${packetsSent} of ours; ${octetsReceived} octets received, ${octetsSent} sent`;
  const lines = [whole ? done : `${done}; the recording ends before the connection does`];
  const taken = [
    liberties.retransmissions > 0 ? `${liberties.retransmissions} of our packets repeat octets` : "",
    liberties.acknowledgmentsSplit > 0 ? `${liberties.acknowledgmentsSplit} acknowledgments given in steps` : "",
    liberties.longestWait > 0 ? `a recorded packet waited ${Math.round(liberties.longestWait)} ms for ours` : "",
  ].filter((text) => text !== "");
  if (taken.length > 0) lines.push(taken.join("; "));
  if (divergence !== undefined) {
    lines.push(`expected  ${divergence.expected}`, `found     ${divergence.found}`);
    lines.push(...decode("recorded", divergence.recorded), ...decode("ours", divergence.ours));
  }
  return lines;
}

function decode(title: string, packet: DivergentPacket | undefined): string[] {
  if (packet === undefined) return [`${title.padEnd(10)}nothing`];
  const dissection = dissect(packet.bytes, LINKTYPE_RAW);
  const number = packet.number === undefined ? "" : `#${packet.number} `;
  const line = `${title.padEnd(10)}${number}at ${packet.time.toFixed(3)} ms: ${formatLine(dissection)}`;
  return [line, ...formatLayers(dissection, "  ").split("\n")];
}

export function renderSummary(counts: Readonly<Record<Verdict, number>>): string {
  return `${counts.same} same, ${counts.differs} differ, ${counts["not-replayed"]} not replayed`;
}

/** One line of JSON for a report: addresses as text, packets in hexadecimal. */
export function reportToJson({ own, peer, divergence, ...rest }: ConversationReport): string {
  const packet = (each: DivergentPacket | undefined): unknown => each && { ...each, bytes: Buffer.from(each.bytes).toString("hex") };
  return JSON.stringify({
    ...rest,
    own: formatEndpoint(own),
    peer: formatEndpoint(peer),
    divergence: divergence && { ...divergence, recorded: packet(divergence.recorded), ours: packet(divergence.ours) },
  });
}
