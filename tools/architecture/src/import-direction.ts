// Imports point downward, through a package's front door, and package.json, tsconfig.json and the code tell the same story.
import { dirname, join, normalize } from "node:path/posix";
import { housePlan, scope } from "./house-plan.ts";
import { isEmpty, type Repository, type SourceFile, type Workspace } from "./repository.ts";

/** Upward imports. Tests are free: a test of a low layer may drive it through the simulated network. */
export function upwardImports(repository: Repository): string[] {
  return packagesOf(repository).flatMap((workspace) => {
    const room = housePlan.get(workspace.room);
    if (room === undefined) return [`${workspace.folder}: not in the plan of the house (tools/architecture/src/house-plan.ts)`];
    return workspace.sources.flatMap((file) =>
      file.imports
        .filter(({ specifier }) => specifier.startsWith(scope) && !room.mayImport.includes(roomOf(specifier)))
        .map(({ specifier, line }) => `${file.path}:${line}: ${workspace.room} may not import ${specifier}`),
    );
  });
}

/** Imports that climb over a package's wall: relative paths out of the workspace, or subpaths that its `exports` do not name. */
export function deepImports(repository: Repository): string[] {
  const byName = new Map(repository.workspaces.map((workspace) => [workspace.manifest.name, workspace]));
  return repository.workspaces.flatMap((workspace) =>
    [...workspace.sources, ...workspace.tests].flatMap((file) =>
      file.imports.flatMap(({ specifier, line }) => {
        if (specifier.startsWith(".")) {
          const target = normalize(join(dirname(file.path), specifier));
          return target.startsWith(`${workspace.folder}/`) ? [] : [`${file.path}:${line}: ${specifier} leaves ${workspace.folder}`];
        }
        const target = byName.get(packageName(specifier));
        if (target === undefined) return [];
        const subpath = `.${specifier.slice(target.manifest.name.length)}`;
        return target.manifest.exports?.[subpath] === undefined
          ? [`${file.path}:${line}: ${target.manifest.name} does not export ${subpath}`]
          : [];
      }),
    ),
  );
}

/** What the code imports, what package.json declares and what tsconfig.json refers to are the same set. */
export function declaredDependencies(repository: Repository): string[] {
  return repository.workspaces.filter((workspace) => !isEmpty(workspace)).flatMap((workspace) => compare(workspace, repository));
}

/** A project the root does not know is never compiled, and nobody notices. */
export function builtProjects(repository: Repository): string[] {
  const known = new Set(repository.projects);
  return repository.workspaces
    .flatMap((workspace) => workspace.compilers.map(({ path }) => path))
    .map((path) => path.replace(/\/tsconfig\.json$/, ""))
    .filter((project) => !known.has(project))
    .map((project) => `tsconfig.json: ${project} belongs in references`);
}

function compare(workspace: Workspace, repository: Repository): string[] {
  const { manifest, folder } = workspace;
  const declared = new Set([...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.optionalDependencies ?? {})]);
  const used = importedPackages(workspace.sources, manifest.name);
  const local = new Map(repository.workspaces.map((other) => [other.manifest.name, other.folder]));
  const problems: string[] = [];
  for (const name of used) if (!declared.has(name)) problems.push(`${folder}/package.json: imports ${name}, so it belongs in dependencies`);
  for (const name of declared) if (!used.has(name)) problems.push(`${folder}/package.json: depends on ${name}, but never imports it`);
  if (workspace.compilers.length === 0) return problems;

  const referred = new Set(workspace.references);
  const wanted = new Set([...used].map((name) => local.get(name)).filter((path) => path !== undefined));
  for (const path of wanted) if (!referred.has(path)) problems.push(`${folder}/tsconfig.json: ${path} belongs in references`);
  for (const path of referred) if (!wanted.has(path)) problems.push(`${folder}/tsconfig.json: refers to ${path}, which is never imported`);
  return problems;
}

function importedPackages(files: readonly SourceFile[], self: string): Set<string> {
  const names = files.flatMap((file) => file.imports.map(({ specifier }) => specifier));
  return new Set(
    names
      .filter((name) => !name.startsWith(".") && !name.startsWith("node:"))
      .map(packageName)
      .filter((name) => name !== self),
  );
}

function packagesOf(repository: Repository): Workspace[] {
  return repository.workspaces.filter((workspace) => workspace.folder.startsWith("packages/"));
}

/** `@netstrata/capture/node` belongs to the package `@netstrata/capture`. */
function packageName(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function roomOf(specifier: string): string {
  return packageName(specifier).slice(scope.length);
}
