// The repository as the rules see it: workspaces with their manifest, compiler settings, sources and tests.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path/posix";
import { type Import, scanImports } from "./import-scan.ts";

export interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

export interface Manifest {
  readonly name: string;
  readonly description?: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface CompilerSettings {
  readonly path: string;
  readonly lib: readonly string[];
  readonly types: readonly string[];
}

export interface Workspace {
  /** `packages/core` */
  readonly folder: string;
  /** `core` */
  readonly room: string;
  readonly manifest: Manifest;
  readonly compilers: readonly CompilerSettings[];
  /** Folders of the workspaces its tsconfig files refer to. */
  readonly references: readonly string[];
  readonly sources: readonly SourceFile[];
  readonly tests: readonly SourceFile[];
  readonly hasReadme: boolean;
}

export interface Repository {
  readonly root: string;
  /** What the root tsconfig.json builds: folders and tsconfig files. */
  readonly projects: readonly string[];
  readonly workspaces: readonly Workspace[];
}

export function readRepository(root: string): Repository {
  const folders = ["packages", "tools"].flatMap((parent) => list(root, parent).map((name) => `${parent}/${name}`));
  if (existsSync(join(root, "examples"))) folders.push("examples");
  return {
    root,
    projects: (readJson<TsConfig>(join(root, "tsconfig.json")).references ?? []).map(({ path }) => path),
    workspaces: folders.filter((folder) => existsSync(join(root, folder, "package.json"))).map((folder) => readWorkspace(root, folder)),
  };
}

/** A room nobody has moved into yet: the skeleton's empty module and nothing else. */
export function isEmpty(workspace: Workspace): boolean {
  return workspace.sources.every((file) => file.text.trim() === "export {};");
}

function readWorkspace(root: string, folder: string): Workspace {
  const configs = list(root, folder)
    .filter((name) => /^tsconfig(\.\w+)?\.json$/.test(name))
    .map((name) => ({ path: `${folder}/${name}`, json: readJson<TsConfig>(join(root, folder, name)) }));
  const references = configs
    .flatMap(({ json }) => json.references ?? [])
    .map(({ path }) => normalize(join(folder, path)).replace(/\/(tsconfig[\w.]*\.json)?$/, ""))
    .map((path) => path.replace(/\/$/, ""))
    .filter((path) => path !== folder);
  const own = folder === "examples" ? "" : "/src";
  return {
    folder,
    room: folder.slice(folder.lastIndexOf("/") + 1),
    manifest: readJson<Manifest>(join(root, folder, "package.json")),
    compilers: configs.map(({ path, json }) => ({
      path,
      lib: json.compilerOptions?.lib ?? [],
      types: json.compilerOptions?.types ?? ["(all)"],
    })),
    references: [...new Set(references)],
    // The examples lie beside their tests.
    sources: readSources(root, folder + own).filter(({ path }) => !path.startsWith(`${folder}/test/`)),
    tests: readSources(root, `${folder}/test`),
    hasReadme: existsSync(join(root, folder, "README.md")),
  };
}

interface TsConfig {
  readonly compilerOptions?: { readonly lib?: string[]; readonly types?: string[] };
  readonly references?: readonly { readonly path: string }[];
}

function readSources(root: string, folder: string): SourceFile[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !/(^|\/)(node_modules|dist)\//.test(name))
    .sort()
    .map((name) => {
      const path = `${folder}/${name}`;
      const text = readFileSync(join(root, path), "utf8");
      return { path, text, imports: scanImports(text) };
    });
}

function list(root: string, folder: string): string[] {
  return existsSync(join(root, folder)) ? readdirSync(join(root, folder)).sort() : [];
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}
