// Each rule, held against a small house that breaks it.
import { expect, test } from "vitest";
import { mentions } from "../src/file-habits.ts";
import { cyclesAmong } from "../src/import-cycles.ts";
import { builtProjects, declaredDependencies, deepImports, upwardImports } from "../src/import-direction.ts";
import { scanImports } from "../src/import-scan.ts";
import { environmentSettings, nodeModules, worldlyNames } from "../src/purity.ts";
import type { Manifest, Repository, SourceFile, Workspace } from "../src/repository.ts";

function file(path: string, text: string): SourceFile {
  return { path, text, imports: scanImports(text) };
}

function room(name: string, text: string, more: Partial<Omit<Workspace, "manifest">> & { manifest?: Partial<Manifest> } = {}): Workspace {
  const folder = `packages/${name}`;
  const manifest = { name: `@netstrata/${name}`, exports: { ".": {} }, ...more.manifest };
  const sources = [file(`${folder}/src/index.ts`, text)];
  const compilers = [{ path: `${folder}/tsconfig.json`, lib: ["es2022"], types: [] }];
  return { folder, room: name, compilers, references: [], sources, tests: [], hasReadme: true, ...more, manifest };
}

function house(...workspaces: Workspace[]): Repository {
  return { root: "/nowhere", projects: ["packages/core"], workspaces };
}

test("an upward import is named with file and line", () => {
  const repository = house(room("core", 'import { x } from "@netstrata/link";'), room("link", 'import "@netstrata/core";'));
  expect(upwardImports(repository)).toEqual(["packages/core/src/index.ts:1: core may not import @netstrata/link"]);
});

test("even a type is not imported upward", () => {
  expect(upwardImports(house(room("link", 'import type { X } from "@netstrata/socket";')))).toHaveLength(1);
});

test("a room that is not in the plan is an error", () => {
  expect(upwardImports(house(room("attic", "export {};")))).toHaveLength(1);
});

test("walls are not climbed", () => {
  const repository = house(
    room("core", "export {};"),
    room("link", 'import "@netstrata/core/src/inner.ts";\nimport "../../core/src/index.ts";\nimport "@netstrata/core";'),
  );
  expect(deepImports(repository)).toHaveLength(2);
});

test("a dependency that is missing or too many is named", () => {
  const missing = room("link", 'import "@netstrata/core";');
  const unused = room("link", "export const x = 1;", {
    manifest: { dependencies: { "@netstrata/core": "0.1.0" } },
    references: ["packages/core"],
  });
  const core = room("core", "export const x = 1;");
  expect(declaredDependencies(house(core, missing))).toHaveLength(2);
  expect(declaredDependencies(house(core, unused))).toHaveLength(2);
});

test("a project that the root does not build is named", () => {
  expect(builtProjects(house(room("core", ""), room("link", "")))).toEqual(["tsconfig.json: packages/link belongs in references"]);
});

test("pure rooms have neither the names nor the settings of the world", () => {
  const text = "const t = Date.now();\nMath.random();\nconst segment = { window: 1 }; segment.window; // Promise";
  expect(worldlyNames(house(room("core", text)))).toEqual([
    "packages/core/src/index.ts:1: Date in a pure package",
    "packages/core/src/index.ts:2: Math.random in a pure package",
  ]);
  const compilers = [{ path: "packages/core/tsconfig.json", lib: ["es2022", "dom"], types: ["node"] }];
  expect(environmentSettings(house(room("core", "", { compilers })))).toHaveLength(2);
});

test("Node's modules are kept to the node entry", () => {
  const sources = ["index.ts", "node.ts", "node/open.ts"].map((name) => file(`packages/capture/src/${name}`, 'import "node:fs";'));
  expect(nodeModules(house(room("capture", "", { sources })))).toEqual(["packages/capture/src/index.ts:1: node:fs"]);
});

test("a cycle is a chain of loading imports that returns", () => {
  const a = file("p/a.ts", 'import "./b.ts";');
  const b = file("p/b.ts", 'import { c } from "./c.ts";');
  const loads = file("p/c.ts", 'import { a } from "./a.ts";');
  const vanishes = file("p/c.ts", 'import type { A } from "./a.ts";');
  expect(cyclesAmong([a, b, loads])).toEqual(["p/a.ts -> p/b.ts -> p/c.ts -> p/a.ts"]);
  expect(cyclesAmong([a, b, vanishes])).toEqual([]);
});

test("documents mention files in code and in links, not in samples", () => {
  const text = "See `tcp/sender.ts` and [the tour](docs/tour.md#top), not [this](https://x.org/a.ts).\n```ts\n`no.ts`\n```\n`seq.ts`";
  expect(mentions(text)).toEqual(["tcp/sender.ts", "seq.ts", "docs/tour.md"]);
});
