import { expect, test } from "vitest";
import { scanImports } from "../src/import-scan.ts";

const scan = (source: string): [string, boolean][] => scanImports(source).map(({ specifier, loads }) => [specifier, loads]);

test("every form of import and re-export is found", () => {
  const source = `
import { a,
  type b } from "./a.ts";
import type { C } from "./c.ts";
import * as d from './d.ts';
import e, { f } from "./e.ts";
import "./side-effect.ts";
export * from "./g.ts";
export { h as i } from "./h.ts";
export type { J } from "./j.ts";
type K = import("./k.ts").K;
const l = await import("./l.ts");
const m = createRequire(import.meta.url)("m"), n = require("n");`;
  expect(scan(source)).toEqual([
    ["./a.ts", true],
    ["./c.ts", false],
    ["./d.ts", true],
    ["./e.ts", true],
    ["./side-effect.ts", true],
    ["./g.ts", true],
    ["./h.ts", true],
    ["./j.ts", false],
    ["./k.ts", false],
    ["./l.ts", false],
    ["n", false],
  ]);
});

test("what only looks like an import is not one", () => {
  expect(
    scan(
      '// import "./a.ts"\nconst s = `import "./b.ts"`;\nexport const from = "./c.ts";\nexport function f(): void {}\nfoo.import("./d.ts");',
    ),
  ).toEqual([]);
});

test("the line is the statement's", () => {
  expect(scanImports('\n\nimport "./a.ts";')[0].line).toBe(3);
});
