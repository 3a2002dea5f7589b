// Files of one package must not need each other while they load. Type imports may go in circles: they vanish.
import { dirname, join, normalize } from "node:path/posix";
import type { Repository, SourceFile } from "./repository.ts";

export function importCycles(repository: Repository): string[] {
  return repository.workspaces.flatMap((workspace) => cyclesAmong(workspace.sources));
}

export function cyclesAmong(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const cycles: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];

  const visit = (path: string): void => {
    const file = byPath.get(path);
    if (file === undefined || done.has(path)) return;
    const seen = trail.indexOf(path);
    if (seen >= 0) {
      cycles.push([...trail.slice(seen), path].join(" -> "));
      return;
    }
    trail.push(path);
    for (const { specifier, loads } of file.imports) {
      if (loads && specifier.startsWith(".")) visit(normalize(join(dirname(path), specifier)));
    }
    trail.pop();
    done.add(path);
  };

  for (const file of files) visit(file.path);
  return cycles;
}
