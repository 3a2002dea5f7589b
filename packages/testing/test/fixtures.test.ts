// Every conversation in fixtures/ is with a Linux kernel: whichever end our stack plays, it does what was recorded.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CapturedPacket } from "@netstrata/capture";
import { openCapture } from "@netstrata/capture/node";
import { formatIp } from "@netstrata/core";
import { expect, test } from "vitest";
import { replayBothEnds } from "./replay-both-ends.ts";

const FOLDER = fileURLToPath(new URL("../../../fixtures/", import.meta.url));
/** TCP and UDP conversations in each file. */
const CONVERSATIONS: Readonly<Record<string, number>> = {
  "http-get.pcapng": 2,
  "http-lossy.pcapng": 2,
  "kernel-server.pcapng": 1,
  "ping.pcapng": 0,
  "refused.pcapng": 2,
  "tap-arp.pcapng": 1,
  "two-kernels-lossy.pcap": 1,
  "two-kernels.pcap": 2,
  "udp-echo.pcapng": 2,
};

test("the table names every fixture", () => {
  expect(
    readdirSync(FOLDER)
      .filter((name) => /\.pcap(ng)?$/.test(name))
      .sort(),
  ).toEqual(Object.keys(CONVERSATIONS).sort());
});

test.for(Object.entries(CONVERSATIONS))("%s is replayed from both ends", async ([name, count]) => {
  const packets: CapturedPacket[] = [];
  for await (const packet of openCapture(FOLDER + name)) packets.push(packet);
  const reports = [...replayBothEnds(packets)];
  expect(
    reports
      .map(({ verdict, whole, own }) => [formatIp(own.address), verdict, whole])
      .filter(([, verdict, whole]) => verdict !== "same" || whole !== true),
  ).toEqual([]);
  expect(reports).toHaveLength(2 * count);
});
