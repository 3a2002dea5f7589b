// A capture in numbers.
import { formatDateTime, formatSeconds, linkTypeName, TcpConversations } from "@netstrata/capture";
import { formatIp } from "@netstrata/core";
import type { InspectedPacket } from "./packet-source.ts";

/** Addresses that are counted by themselves; the octets of others are counted together. */
const MOST_ADDRESSES = 65536;
const TALKERS_SHOWN = 10;

interface Tally {
  packets: number;
  octets: number;
}

export class CaptureStatistics {
  private readonly all: Tally = { packets: 0, octets: 0 };
  private readonly protocols = new Map<string, Tally>();
  private readonly linkTypes = new Map<string, Tally>();
  private readonly talkers = new Map<string, Tally>();
  private readonly conversations = new TcpConversations({ end: ({ state }) => count(this.endings, state, 0) });
  private readonly endings = new Map<string, Tally>();
  private readonly faults = new Map<string, Tally>();
  private first: bigint | undefined;
  private last = 0n;

  add({ packet, dissection }: InspectedPacket): void {
    const octets = packet.originalLength;
    this.first ??= packet.timestamp;
    this.last = packet.timestamp;
    tally(this.all, octets);
    count(this.linkTypes, linkTypeName(packet.linkType), octets);
    for (const protocol of new Set(dissection.layers.map((layer) => layer.protocol))) count(this.protocols, protocol, octets);
    for (const layer of dissection.layers) {
      if (layer.protocol === "malformed") count(this.faults, `malformed ${layer.expected}: ${layer.reason}`, octets);
      if ("checksum" in layer && layer.checksum === "bad") count(this.faults, `bad ${layer.protocol} checksum`, octets);
    }
    if (packet.bytes.length < octets) count(this.faults, "cut off by the capture", octets);
    const source = dissection.ip?.source;
    if (source !== undefined) {
      const name = formatIp(source);
      count(this.talkers, this.talkers.has(name) || this.talkers.size < MOST_ADDRESSES ? name : "others", octets);
    }
    this.conversations.packet(dissection, packet.number, packet.timestamp);
  }

  /** As lines. */
  report(): string[] {
    this.conversations.finish();
    const { packets, octets } = this.all;
    if (this.first === undefined) return ["no packets"];
    const duration = this.last - this.first;
    const seconds = Number(duration) / 1e9;
    const rate = seconds > 0 ? `, ${Math.round(packets / seconds)} packets/s, ${Math.round((8 * octets) / seconds)} bit/s` : "";
    const talkers = [...this.talkers].sort(([, a], [, b]) => b.octets - a.octets).slice(0, TALKERS_SHOWN);
    return [
      `packets   ${packets}`,
      `octets    ${octets}`,
      `from      ${formatDateTime(this.first)}`,
      `to        ${formatDateTime(this.last)}`,
      `duration  ${formatSeconds(duration)} s${rate}`,
      ...table("link", this.linkTypes),
      ...table("protocol", this.protocols),
      ...table("TCP conversations", this.endings, true),
      ...table("faults", this.faults),
      ...table("sender", new Map(talkers)),
    ];
  }
}

function count(tallies: Map<string, Tally>, name: string, octets: number): void {
  let found = tallies.get(name);
  if (found === undefined) tallies.set(name, (found = { packets: 0, octets: 0 }));
  tally(found, octets);
}

function tally(into: Tally, octets: number): void {
  into.packets += 1;
  into.octets += octets;
}

function table(title: string, tallies: ReadonlyMap<string, Tally>, countOnly = false): string[] {
  if (tallies.size === 0) return [];
  const width = Math.max(title.length, ...[...tallies.keys()].map((name) => name.length)) + 2;
  const row = (name: string, packets: string, octets: string): string =>
    `${name.padEnd(width)}${packets.padStart(10)}${octets.padStart(14)}`.trimEnd();
  const rows = [...tallies].map(([name, { packets, octets }]) => row(name, String(packets), countOnly ? "" : String(octets)));
  return ["", row(title, countOnly ? "number" : "packets", countOnly ? "" : "octets"), ...rows];
}
