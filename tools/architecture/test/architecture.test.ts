// The house as it stands, held against its plan.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { diagramPath, drawArchitecture } from "../src/diagram.ts";
import { defaultExports, fileNames, firstLines, mentionedFiles, readmes } from "../src/file-habits.ts";
import { importCycles } from "../src/import-cycles.ts";
import { builtProjects, declaredDependencies, deepImports, upwardImports } from "../src/import-direction.ts";
import { environmentSettings, nodeModules, worldlyNames } from "../src/purity.ts";
import { readRepository } from "../src/repository.ts";

const root = resolve(import.meta.dirname, "../../..");
const repository = readRepository(root);

test("packages import downward only", () => {
  expect(upwardImports(repository)).toEqual([]);
});

test("packages are entered by their exports only", () => {
  expect(deepImports(repository)).toEqual([]);
});

test("imports, package.json and tsconfig.json agree", () => {
  expect(declaredDependencies(repository)).toEqual([]);
});

test("the root tsconfig.json builds every project", () => {
  expect(builtProjects(repository)).toEqual([]);
});

test("each package's compiler settings declare the names it may use and no others", () => {
  expect(environmentSettings(repository)).toEqual([]);
});

test("pure packages know no time, chance or world of their own", () => {
  expect(worldlyNames(repository)).toEqual([]);
});

test("packages that run in the browser import no Node module", () => {
  expect(nodeModules(repository)).toEqual([]);
});

test("no file needs itself to load", () => {
  expect(importCycles(repository)).toEqual([]);
});

test("files are named in kebab-case after what they hold", () => {
  expect(fileNames(repository)).toEqual([]);
});

test("there are no default exports", () => {
  expect(defaultExports(repository)).toEqual([]);
});

test("a file that implements an RFC says so in its first line", () => {
  expect(firstLines(repository)).toEqual([]);
});

test("every package has a README", () => {
  expect(readmes(repository)).toEqual([]);
});

test("every file the documents speak of exists", () => {
  expect(mentionedFiles(repository)).toEqual([]);
});

test("docs/architecture.md is up to date (npm run docs)", () => {
  const path = join(root, diagramPath);
  expect(existsSync(path) ? readFileSync(path, "utf8") : "").toBe(drawArchitecture(repository));
});
