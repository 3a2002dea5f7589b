import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { type Conformance, problems, readConformance, reportPath, writeReport } from "../src/conformance-report.ts";
import { scanHead, scanTitles } from "../src/test-titles.ts";

const root = resolve(import.meta.dirname, "../../..");
const conformance = readConformance(root);

test("docs/conformance.md is up to date (npm run docs)", () => {
  const path = join(root, reportPath);
  expect(existsSync(path) ? readFileSync(path, "utf8") : "").toBe(writeReport(conformance));
});

test("every id in a title or in the list of exceptions is a requirement's", () => {
  expect(problems(conformance)).toEqual([]);
});

test("the lists are whole: RFC 9293 has 69 MUST, 31 SHLD, 18 MAY and one REC", () => {
  const ids = conformance.specifications.find(({ rfc }) => rfc === "9293")?.requirements.map(({ id }) => id.split("-")[0]) ?? [];
  const count = (name: string): number => ids.filter((id) => id === name).length;
  expect(["MUST", "SHLD", "MAY", "REC"].map(count)).toEqual([69, 31, 18, 1]);
});

test("every requirement has an id of its own and a known level", () => {
  const all = conformance.specifications.flatMap(({ requirements }) => requirements);
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  const levels = new Set(["must", "must not", "should", "should not", "may"]);
  expect(all.filter(({ level, section, text }) => !levels.has(level) || section === "" || !text)).toEqual([]);
});

test("a title may carry one id or several, in any kind of call", () => {
  const source = `
test("MUST-24, MUST-25: off by default", () => {});
it('1122-3.2.1.8a-1: ok', () => {});
test.each([1])(
  "8504-5.1-1: %s", () => {});
test.skipIf(noRoot)("SHLD-1: only as root", () => {});`;
  const ids = scanTitles(source, "f").claims.map(({ id }) => id);
  expect(ids).toEqual(["MUST-24", "MUST-25", "1122-3.2.1.8a-1", "8504-5.1-1", "SHLD-1"]);
});

test("skipped, planned and commented tests claim nothing", () => {
  const source = 'test.skip("MUST-1: no", f);\ntest.todo("MUST-2: no");\n// test("MUST-3: no", f);\ntest("about MUST-4: no", f);';
  expect(scanTitles(source, "f")).toEqual({ claims: [], unclear: [] });
});

test("an id without its colon is reported", () => {
  expect(scanTitles('test("MUST-1 holds", f);', "f").unclear).toEqual(["f: MUST-1"]);
});

test("a drill script claims what its first line has in front of the colon, and nothing else", () => {
  const ids = (source: string): string[] => scanHead(source, "f").claims.map(({ id }) => id);
  expect(ids("// RFC 9293 §3.8.4 (MUST-25, SHLD-12): as MAY-6 has it.\n// RFC 9293 (MUST-1): no.")).toEqual(["MUST-25", "SHLD-12"]);
  expect(ids("// RFC 7323 §2.2: scaling.")).toEqual([]);
});

test("the report tells covered, excused and open apart", () => {
  const small: Conformance = {
    specifications: [
      {
        rfc: "1",
        requirements: ["MUST-1", "MUST-2", "MAY-3"].map((id) => ({
          id,
          level: id.startsWith("MUST") ? "must" : "may",
          section: "3",
          text: "be good",
        })),
      },
    ],
    notApplicable: new Map([["MUST-2", "no goods here"]]),
    titles: { claims: [{ id: "MUST-1", file: "packages/a/test/b/c.test.ts" }], unclear: [] },
  };
  const report = writeReport(small);
  expect(report).toContain("| RFC 1 | must, must not | 2 | 1 | 1 | 0 |");
  expect(report).toContain("| RFC 1 | may | 1 | 0 | 0 | 1 |");
  expect(report).toContain("| MUST-1 | must | 3 | be good | [a/b/c](../packages/a/test/b/c.test.ts) |");
  expect(report).toContain("| MUST-2 | must | 3 | be good | not applicable: no goods here |");
  expect(report).toContain("| MAY-3 | may | 3 | be good |  |");
});

test("exceptions need a reason and must not have a test", () => {
  const wrong: Conformance = {
    specifications: conformance.specifications,
    notApplicable: new Map([
      ["MUST-1", ""],
      ["MUST-999", "x"],
      ["MUST-2", "x"],
    ]),
    titles: {
      claims: [
        { id: "MUST-2", file: "f" },
        { id: "MUST-998", file: "f" },
      ],
      unclear: [],
    },
  };
  expect(problems(wrong)).toHaveLength(4);
});
