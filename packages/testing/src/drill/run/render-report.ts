// A report for people: where, what was expected, what was seen, and what had happened until then.
import type { DrillReport } from "./drill-report.ts";

/** Lines of the ladder that are shown; the rest is in `report.ladder`. */
const SHOWN = 25;

/** `tcp.pkt:12: the packet that came out is not the one expected: win` and the details below it. */
export function renderDrillReport(report: DrillReport): string[] {
  const { line, column, message = "", event, expected, seen, differences, ladder } = report;
  const lines = [
    `${drillPlace(report)}: ${report.outcome}: ${message}${column === undefined || line === undefined ? "" : ` (column ${column})`}`,
  ];
  if (event !== undefined) lines.push(`    ${event.replace(/\s*\n\s*/g, " ")}`);
  if (expected !== undefined) lines.push(`  expected  ${expected}`);
  if (seen !== undefined) lines.push(`  seen      ${seen}`);
  for (const { field, expected: wanted, seen: found } of differences) lines.push(`  ${field.padEnd(9)} ${wanted}, and it is ${found}`);
  if (ladder.length > SHOWN) lines.push(`  … ${ladder.length - SHOWN} lines before`);
  lines.push(...ladder.slice(-SHOWN).map((each) => `  ${each}`));
  return lines;
}

/** `tcp.pkt:12 (ipv4, linux)` */
export function drillPlace({ name, line, ipVersion, personality }: DrillReport): string {
  return `${name}${line === undefined ? "" : `:${line}`} (${ipVersion}, ${personality})`;
}
