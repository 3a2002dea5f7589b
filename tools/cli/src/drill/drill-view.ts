// What a run of a script came to, for people, for TAP (testanything.org), as JSON.
import { type DrillOutcome, type DrillReport, drillPlace, renderDrillReport } from "@netstrata/testing/node";
import type { Style } from "../terminal/style.ts";

export type DrillCounts = Record<DrillOutcome, number>;

const COLOURS: Readonly<Record<DrillOutcome, keyof Style>> = { pass: "green", fail: "red", unsupported: "yellow", error: "magenta" };

/** Passes are shown only when everything is. */
export function renderDrill(report: DrillReport, verbose: boolean, style: Style): string[] {
  if (report.outcome === "unsupported" && !verbose) return [`${style.yellow(drillPlace(report))}: ${report.message}`];
  if (report.outcome !== "pass") {
    const [head, ...rest] = renderDrillReport(report);
    return [style[COLOURS[report.outcome]](head), ...rest, ""];
  }
  if (!verbose) return [];
  return [`${style.green(drillPlace(report))}: pass`, ...[...report.ladder, ...report.output].map((line) => `  ${line}`), ""];
}

export function renderCounts(counts: Readonly<DrillCounts>, elapsed: number, style: Style): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const parts = (Object.keys(COLOURS) as DrillOutcome[])
    .filter((outcome) => counts[outcome] > 0)
    .map((outcome) => style[COLOURS[outcome]](`${counts[outcome]} ${outcome}`));
  return `${total} run${total === 1 ? "" : "s"}: ${parts.join(", ") || "nothing"} (${(elapsed / 1000).toFixed(2)} s)`;
}

/** What is unsupported is a failure that is to be expected: TODO in TAP's words. */
export function renderTap(report: DrillReport, number: number): string[] {
  const title = `${report.name} ${report.ipVersion} ${report.personality}`;
  if (report.outcome === "pass") return [`ok ${number} - ${title}`];
  if (report.outcome === "unsupported") return [`not ok ${number} - ${title} # TODO ${report.message}`];
  return [`not ok ${number} - ${title}`, ...renderDrillReport(report).map((line) => `# ${line}`)];
}

export function reportToJson(report: DrillReport): string {
  return JSON.stringify(report);
}
