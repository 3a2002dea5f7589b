// Measures the ways to read from and to write to /dev/net/tun in Node, in turn, and prints the medians.
// Usage, as root: node tools/interop/dist/measure-tun/main.js [ROUNDS] [LENGTH OF A PACKET]
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileAddon, loadAddon } from "./addon.ts";
import type { Figures } from "./one-way.ts";
import { readingWays } from "./reading.ts";
import { writingWays } from "./writing.ts";

const ONE_WAY = fileURLToPath(new URL("one-way.js", import.meta.url));

const rounds = Number(process.argv[2] ?? 5);
const length = Number(process.argv[3] ?? 1500);
const folder = mkdtempSync(join(tmpdir(), "measure-tun-"));
try {
  const path = join(folder, "addon.node");
  const addonPath = compileAddon(path) ? path : "";
  if (addonPath === "") process.stdout.write("no C compiler or no headers of Node: without the addon\n");
  const addon = addonPath === "" ? undefined : loadAddon(addonPath);
  measure("read", [...readingWays(addon).keys()], addonPath);
  measure("write", [...writingWays(addon).keys()], addonPath);
} finally {
  rmSync(folder, { recursive: true });
}

function measure(direction: "read" | "write", ways: readonly string[], addonPath: string): void {
  const figures = new Map<string, Figures[]>(ways.map((way) => [way, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const way of ways) figures.get(way)!.push(once(direction, way, addonPath));
  }
  process.stdout.write(`\n| ${direction}, ${length} octets | million packets/s | µs of CPU a packet |\n|---|---:|---:|\n`);
  for (const [way, all] of figures) {
    const rate = median(all.map(({ packetsPerSecond }) => packetsPerSecond)) / 1e6;
    const cost = median(all.map(({ cpuMicroseconds }) => cpuMicroseconds));
    process.stdout.write(`| ${way} | ${rate.toFixed(2)} | ${cost.toFixed(2)} |\n`);
  }
}

function once(direction: string, way: string, addonPath: string): Figures {
  const { status, stdout, stderr } = spawnSync(process.execPath, [ONE_WAY, direction, way, String(length), addonPath], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${direction} by ${way}: ${stderr}`);
  return JSON.parse(stdout) as Figures;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
