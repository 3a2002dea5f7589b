// How files are named, opened and spoken of.
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path/posix";
import { codeText } from "./code-text.ts";
import { isEmpty, type Repository, type SourceFile, type Workspace } from "./repository.ts";

/** A name that could be any file's says nothing about this one. */
const sayingNothing = new Set(["utils", "util", "types", "helpers", "helper", "misc", "common", "constants"]);

export function fileNames(repository: Repository): string[] {
  return filesOf(repository).flatMap(({ path }) => {
    const stem = basename(path).replace(/(\.test|\.bench|\.config)?(\.d)?\.ts$/, "");
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem)) return [`${path}: not kebab-case`];
    return sayingNothing.has(stem) ? [`${path}: name it after what it holds`] : [];
  });
}

export function defaultExports(repository: Repository): string[] {
  return filesOf(repository)
    .filter((file) => !file.path.endsWith(".config.ts"))
    .filter((file) => /(?<![.\w$])export\s+default\b|\bas\s+default\b/.test(codeText(file.text, { strings: false })))
    .map((file) => `${file.path}: default export`);
}

/** A file of the layers that cites an RFC says in its first line what it implements. */
export function firstLines(repository: Repository): string[] {
  return repository.workspaces
    .filter((workspace) => workspace.folder.startsWith("packages/"))
    .flatMap((workspace) => workspace.sources)
    .filter((file) => basename(file.path) !== "index.ts" && /\bRFC \d+/.test(file.text) && !/^\/[/*]/.test(file.text))
    .map((file) => `${file.path}: cites an RFC, but its first line does not say what it implements`);
}

export function readmes(repository: Repository): string[] {
  return repository.workspaces
    .filter((workspace) => workspace.folder.startsWith("packages/") && !isEmpty(workspace) && !workspace.hasReadme)
    .map((workspace) => `${workspace.folder}: no README.md`);
}

/** Files that documents speak of, in `code` or in links, exist. */
export function mentionedFiles(repository: Repository): string[] {
  const documents: [string, Workspace | undefined][] = [
    ["README.md", undefined],
    ["HACKING.md", undefined],
    ["docs/reading-tour.md", undefined],
    ...repository.workspaces.map((workspace): [string, Workspace] => [`${workspace.folder}/README.md`, workspace]),
  ];
  return documents.flatMap(([path, workspace]) => {
    const absolute = join(repository.root, path);
    if (!existsSync(absolute)) return [];
    return mentions(readFileSync(absolute, "utf8"))
      .filter((name) => !found(name, path, workspace, repository))
      .map((name) => `${path}: speaks of ${name}, which does not exist`);
  });
}

export function mentions(markdown: string): string[] {
  const prose = markdown.replace(/^(```|~~~).*?^\1/gms, "");
  const inCode = [...prose.matchAll(/`([\w./-]+\.(?:ts|js|md|json))`/g)].map((match) => match[1]);
  const linked = [...prose.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map((match) => match[1]).filter((target) => !/^[a-z]+:/.test(target));
  return [...new Set([...inCode, ...linked])];
}

function found(name: string, document: string, workspace: Workspace | undefined, repository: Repository): boolean {
  const places = [dirname(document), "."];
  if (workspace !== undefined) places.push(workspace.folder, `${workspace.folder}/src`, `${workspace.folder}/test`);
  if (places.some((place) => existsSync(join(repository.root, place, name)))) return true;
  // `tcp/sender.ts` or `sender.ts` for packages/transport/src/tcp/sender.ts.
  const files = workspace === undefined ? filesOf(repository) : [...workspace.sources, ...workspace.tests];
  return files.some((file) => file.path.endsWith(`/${name}`));
}

function filesOf(repository: Repository): SourceFile[] {
  return repository.workspaces.flatMap((workspace) => [...workspace.sources, ...workspace.tests]);
}
