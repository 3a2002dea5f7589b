// Captures that nobody here made: whichever end our stack plays in a TCP conversation that is whole, it does what was recorded.
// Whole means: from the SYN to both FINs or a RST, with every octet that was acknowledged, each of them told the same way.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CapturedPacket } from "@netstrata/capture";
import { openCapture } from "@netstrata/capture/node";
import { formatIp } from "@netstrata/core";
import { describe, expect, test } from "vitest";
import { replayBothEnds } from "./replay-both-ends.ts";

const FOLDER = fileURLToPath(new URL("../../../../shared/captures/", import.meta.url));
const INDEX = `${FOLDER}index.tsv`;
const isThere = existsSync(INDEX);

/** Conversations in which our stack may do something else, and why. */
const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  // An IPv4 option of a length that is none: the datagram is dropped (RFC 1122 §3.2.1.8 leaves no other way), not delivered.
  [
    "OISF+suricata-verify/tests/bug-7414-decoder-event-01/ip_secopt.pcap udp 20.20.20.20:5060",
    "that the datagram is delivered / it was dropped",
  ],
  // The times of this file are made up, half an hour and more between two packets of a handshake, in which our stack gives up.
  ["the-tcpdump-group+tcpdump/tests/timestamp_invalid_micro.pcap tcp 137.116.81.94:80", "no reset / a reset"],
]);

async function packetsOf(path: string): Promise<CapturedPacket[]> {
  const packets: CapturedPacket[] = [];
  try {
    for await (const packet of openCapture(path, { longRecords: "accept" })) packets.push(packet);
  } catch {
    // Many of these files are broken on purpose; what comes before the fault counts.
  }
  return packets;
}

describe.skipIf(!isThere)(`captures in ../shared/captures${isThere ? "" : " (they are not here)"}`, () => {
  test("are replayed as they were recorded", { timeout: 120_000 }, async () => {
    const paths = readFileSync(INDEX, "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split("\t")[0]);
    const different = new Map<string, string>();
    const counts = { wholeTcp: 0, partialTcp: 0, udp: 0 };
    for (const path of paths) {
      for (const { protocol, own, verdict, whole, divergence } of replayBothEnds(await packetsOf(FOLDER + path))) {
        if (verdict === "not-replayed") continue;
        counts[protocol === "udp" ? "udp" : whole ? "wholeTcp" : "partialTcp"] += 1;
        if (divergence === undefined) continue;
        different.set(`${path} ${protocol} ${formatIp(own.address)}:${own.port}`, `${divergence.expected} / ${divergence.found}`);
      }
    }
    expect(different).toEqual(EXCEPTIONS);
    // So many there are, from both ends; fewer would mean that we have stopped looking.
    expect(counts.wholeTcp).toBeGreaterThanOrEqual(430);
    expect(counts.partialTcp).toBeGreaterThanOrEqual(100);
    expect(counts.udp).toBeGreaterThanOrEqual(440);
  });
});
