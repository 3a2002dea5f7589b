// The lists of requirements, one TSV file per RFC, and the list of those that cannot apply here.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type Level = "must" | "must not" | "should" | "should not" | "may";

export interface Requirement {
  readonly id: string;
  readonly level: Level;
  readonly section: string;
  readonly text: string;
}

export interface Specification {
  /** `9293` */
  readonly rfc: string;
  readonly requirements: readonly Requirement[];
}

/** Reads `rfc-9293.tsv` and its neighbours, in the order of their numbers. */
export function readSpecifications(folder: string): Specification[] {
  return readdirSync(folder)
    .map((name) => /^rfc-(\d+)\.tsv$/.exec(name)?.[1])
    .filter((rfc) => rfc !== undefined)
    .sort((a, b) => Number(a) - Number(b))
    .map((rfc) => ({
      rfc,
      requirements: readRows(join(folder, `rfc-${rfc}.tsv`)).map(([id, level, section, text]) => ({
        id,
        level: level as Level,
        section,
        text,
      })),
    }));
}

/** Requirement id to the reason why it cannot apply. */
export function readNotApplicable(path: string): Map<string, string> {
  return new Map(readRows(path).map(([id, reason]): [string, string] => [id, reason ?? ""]));
}

function readRows(path: string): string[][] {
  const [, ...lines] = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => line.split("\t"));
}
