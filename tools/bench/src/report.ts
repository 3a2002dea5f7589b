// What a run has found, as a table and as JSON.
import { cpus, release, type as systemName } from "node:os";
import type { Comparison } from "./comparison.ts";
import type { Work } from "./contender.ts";
import type { CpuProfile, Share } from "./cpu-profile.ts";
import type { BenchOptions } from "./options.ts";
import type { Spread } from "./statistics.ts";
import { textTable } from "./text-table.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
}

export function describeMachine(): Machine {
  const all = cpus();
  return { cpu: all[0]?.model.trim() ?? "unknown", cores: all.length, system: `${systemName()} ${release()}`, node: process.version };
}

export function comparisonTable(comparisons: readonly Comparison[]): string {
  const heading = ["work", "subject", "rate", "peer", "rate", "ratio", "half of the rounds", "CPU ratio"];
  const rows = comparisons.map(({ work, subject, peer, ratio, cpuRatio }) => [
    work.title,
    subject.title,
    formatRate(subject.rate.median, work.unit),
    peer.title,
    formatRate(peer.rate.median, work.unit),
    formatRatio(ratio.median),
    formatRange(ratio),
    formatRatio(cpuRatio.median),
  ]);
  return textTable([heading, ...rows], "<<><>>>>");
}

export function comparisonJson(
  comparisons: readonly Comparison[],
  options: Pick<BenchOptions, "rounds" | "sampleTime" | "warmUpTime">,
): string {
  const { rounds, sampleTime, warmUpTime } = options;
  return `${JSON.stringify({ machine: describeMachine(), rounds, sampleTime, warmUpTime, comparisons }, undefined, 2)}\n`;
}

export function profileTable(title: string, { byPackage, byFunction }: CpuProfile): string {
  const rows = (shares: readonly Share[]): string[][] => shares.map(({ name, share }) => [name, `${(100 * share).toFixed(1)} %`]);
  return `${title}\n\n${textTable([["package", "self time"], ...rows(byPackage)], "<>")}\n${textTable([["function", "self time"], ...rows(byFunction)], "<>")}\n`;
}

const UNIT_SYMBOL: Readonly<Record<Work["unit"], string>> = {
  octets: "B/s",
  "round trips": "/s",
  connections: "/s",
  datagrams: "/s",
};

/** Three significant digits with a metric prefix: `1.52 GB/s`, `49.1 k/s`. */
export function formatRate(rate: number, unit: Work["unit"]): string {
  const prefixes = ["", "k", "M", "G"];
  let power = 0;
  let value = rate;
  while (value >= 999.5 && power < prefixes.length - 1) {
    value /= 1000;
    power += 1;
  }
  return `${formatRatio(value)} ${prefixes[power]}${UNIT_SYMBOL[unit]}`;
}

function formatRatio(ratio: number): string {
  return ratio >= 99.95 ? ratio.toFixed(0) : ratio.toPrecision(3);
}

function formatRange({ low, high }: Spread): string {
  return `${formatRatio(low)} – ${formatRatio(high)}`;
}
