// Which test answers for which requirement, read from titles: test("MUST-24, MUST-25: keep-alives are off by default"), and from the
// heads of drill scripts: `// RFC 9293 §3.8.4 (MUST-24, MUST-25): keep-alives are off by default.`
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Claim {
  readonly id: string;
  /** The test file or script, from the root of the repository. */
  readonly file: string;
}

export interface Titles {
  readonly claims: readonly Claim[];
  /** Titles that begin with an id but are not followed by a colon, so that nobody knows what they claim. */
  readonly unclear: readonly string[];
}

const id = String.raw`(?:(?:MUST|SHLD|MAY|REC)-\d+|\d{3,4}-[\d.]+[a-z]?-\d+)`;
/** Every script below it is a test of `packages/testing/test/drill/scripts.test.ts`, whose title is the script's first line. */
const scripts = "packages/testing/scripts";
const title = new RegExp(String.raw`\(\s*["'\x60](${id}(?:,\s*${id})*)(:?)`, "g");

export function readTitles(root: string): Titles {
  const read = (scan: (source: string, file: string) => Titles) => (file: string) => scan(readFileSync(join(root, file), "utf8"), file);
  const all = [...testFiles(root).map(read(scanTitles)), ...filesBelow(root, scripts, ".pkt").map(read(scanHead))];
  return { claims: all.flatMap(({ claims }) => claims), unclear: all.flatMap(({ unclear }) => unclear) };
}

/** A skipped or planned test claims nothing; one that only lacks its surroundings (`skipIf`) does. */
export function scanTitles(source: string, file: string): Titles {
  const claims: Claim[] = [];
  const unclear: string[] = [];
  for (const match of source.matchAll(title)) {
    const line = source.slice(source.lastIndexOf("\n", match.index) + 1, match.index);
    if (/\.(skip|todo)$|^\s*(\/\/|\*)/.test(line)) continue;
    if (match[2] === "") unclear.push(`${file}: ${match[1]}`);
    else for (const one of match[1].split(/,\s*/)) claims.push({ id: one, file });
  }
  return { claims, unclear };
}

/** The first line of a script names the requirements it shows in front of its colon. */
export function scanHead(source: string, file: string): Titles {
  const [head] = source.split("\n", 1);
  const ids = /^\/\/ (RFC .*?): /.exec(head)?.[1].match(new RegExp(id, "g")) ?? [];
  return { claims: ids.map((one) => ({ id: one, file })), unclear: [] };
}

function testFiles(root: string): string[] {
  return ["packages", "tools"].flatMap((parent) =>
    names(join(root, parent))
      // The tests of this tool quote titles without claiming anything.
      .filter((room) => `${parent}/${room}` !== "tools/conformance")
      .map((room) => `${parent}/${room}/test`)
      .flatMap((folder) => filesBelow(root, folder, ".test.ts")),
  );
}

function filesBelow(root: string, folder: string, suffix: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(suffix))
    .sort()
    .map((name) => `${folder}/${name}`);
}

function names(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}
