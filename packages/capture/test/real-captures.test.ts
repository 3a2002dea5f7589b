// Captures that nobody here made, from ../shared/captures: read, dissected, printed and put together without exception or hang.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import {
  type CapturedPacket,
  CaptureError,
  compileFilter,
  dissect,
  formatLayers,
  formatLine,
  openCaptureBatches,
  RelativeSequence,
  TcpConversations,
  toJson,
} from "../src/node.ts";
import { cut, readAll } from "./packets.ts";

const CAPTURES = resolve(import.meta.dirname, "../../../../shared/captures");
const INDEX = join(CAPTURES, "index.tsv");
const missing = !existsSync(INDEX);
if (missing) process.stderr.write(`skipped: real captures: needs ${INDEX}\n`);

/** Files whose records are longer than they say: tshark reads on, we say what is wrong. */
const TOO_LONG = 35;
const TRUNCATED = ["OISF+suricata-verify/tests/http-mime-truncated/input.pcap"];

async function readFile(path: string, longRecords: "accept" | "refuse"): Promise<{ packets: CapturedPacket[]; error?: CaptureError }> {
  const packets: CapturedPacket[] = [];
  try {
    for await (const batch of openCaptureBatches(path, { longRecords })) packets.push(...batch);
    return { packets };
  } catch (error) {
    if (error instanceof CaptureError) return { packets, error };
    throw error;
  }
}

describe.skipIf(missing)("real captures", () => {
  const rows = missing
    ? []
    : readFileSync(INDEX, "utf8")
        .trim()
        .split("\n")
        .slice(1)
        .map((row) => row.split("\t"));
  const files = rows.map(([name, , frames]) => ({ name, frames: Number(frames) }));

  test("the list is the folder", () => {
    const there = readdirSync(CAPTURES, { recursive: true, encoding: "utf8" }).filter((name) => /\.pcap(ng)?$/.test(name));
    expect(there.length).toBe(files.length);
  });

  test("every file is read and every packet is dissected, printed and put together", { timeout: 60_000 }, async () => {
    const tooLong: string[] = [];
    const filter = compileFilter("tcp[tcpflags] & tcp-syn != 0 or udp port 53 or ip6[6] = 58");
    for (const { name, frames } of files) {
      const path = join(CAPTURES, name);
      const { packets, error } = await readFile(path, "accept");
      expect({ name, packets: packets.length, error: error?.code }).toEqual({
        name,
        packets: frames,
        error: TRUNCATED.includes(name) ? "truncated" : undefined,
      });
      const strict = await readFile(path, "refuse");
      if (strict.error?.code === "record-too-long") tooLong.push(name);
      const conversations = new TcpConversations();
      const relativeSequence = new RelativeSequence();
      for (const packet of packets) {
        const dissection = dissect(packet.bytes, packet.linkType, packet);
        conversations.packet(dissection, packet.number, packet.timestamp);
        filter(dissection);
        expect(formatLine(dissection, { timestamp: packet.timestamp, relativeSequence }).length).toBeGreaterThan(16);
        expect(formatLayers(dissection)).not.toBe("");
        expect(JSON.stringify(toJson(packet, dissection))).toContain('"layers":[{');
      }
      conversations.finish();
    }
    expect(tooLong.length).toBe(TOO_LONG);
  });

  test("pcap-parser and our own reader say the same of every file", { timeout: 60_000 }, async () => {
    for (const { name } of files) {
      const path = join(CAPTURES, name);
      const node = await readFile(path, "refuse");
      const own = await readAll(cut(readFileSync(path), 1000), { name: path });
      expect(node.error?.message).toBe(own.error?.message);
      expect(node.packets.length).toBe(own.packets.length);
      for (const [index, { bytes, timestamp, originalLength, linkType }] of node.packets.entries()) {
        const other = own.packets[index];
        if (Buffer.compare(bytes, other.bytes) !== 0) throw new Error(`${name} packet ${index + 1}`);
        expect([timestamp, originalLength, linkType]).toEqual([other.timestamp, other.originalLength, other.linkType]);
      }
    }
  });
});
