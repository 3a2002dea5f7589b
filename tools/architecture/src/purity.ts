// The pure rooms get time, chance and the world through three doors only: clock, random source, link device.
import { codeText } from "./code-text.ts";
import { type Environment, housePlan } from "./house-plan.ts";
import { lineOf } from "./import-scan.ts";
import type { Repository, Workspace } from "./repository.ts";

/**
 * `lib: ["es2022"], types: []` leaves all of these but Date, Promise and Math.random undeclared; they are searched for
 * nevertheless, because a `declare` would bring them back. `window` is not here: it is a word of TCP's own.
 */
const worldly =
  /(?<![.\w$])(?:Date|Promise|Math\.random|async|await|setTimeout|setInterval|setImmediate|queueMicrotask|performance|console|Buffer|globalThis|require|process\.\w+)(?![\w$])/g;

/** The declarations an environment may load beside es2022. */
const settings: Readonly<Record<Environment, { readonly lib: readonly string[]; readonly types: readonly string[] }>> = {
  pure: { lib: [], types: [] },
  web: { lib: ["dom", "esnext.disposable"], types: [] },
  node: { lib: ["esnext.disposable"], types: ["node"] },
};

/** Each room's tsconfig declares the names its environment has, and no others. */
export function environmentSettings(repository: Repository): string[] {
  return rooms(repository).flatMap(([workspace, environment]) =>
    workspace.compilers.flatMap(({ path, lib, types }) => {
      const expected = settings[isNodeEntry(path) ? "node" : environment];
      const problems: string[] = [];
      const [first, ...rest] = lib;
      if (first !== "es2022" || rest.some((name) => !expected.lib.includes(name))) {
        problems.push(`${path}: lib ${JSON.stringify(lib)} does not fit the ${environment} environment`);
      }
      if (types.join() !== expected.types.join()) problems.push(`${path}: types must be ${JSON.stringify(expected.types)}`);
      return problems;
    }),
  );
}

export function worldlyNames(repository: Repository): string[] {
  return rooms(repository)
    .filter(([, environment]) => environment === "pure")
    .flatMap(([workspace]) => workspace.sources)
    .flatMap((file) => {
      const text = codeText(file.text, { strings: false });
      return [...text.matchAll(worldly)].map((match) => `${file.path}:${lineOf(text, match.index)}: ${match[0]} in a pure package`);
    });
}

/** Node's modules are for Node's rooms, and for the `node` entry of a room that otherwise runs in the browser. */
export function nodeModules(repository: Repository): string[] {
  return rooms(repository)
    .filter(([, environment]) => environment !== "node")
    .flatMap(([workspace]) => workspace.sources)
    .filter((file) => !isNodeEntry(file.path))
    .flatMap((file) =>
      file.imports
        .filter(({ specifier }) => specifier.startsWith("node:"))
        .map(({ specifier, line }) => `${file.path}:${line}: ${specifier}`),
    );
}

function isNodeEntry(path: string): boolean {
  return /\/(tsconfig\.node\.json|src\/node\.ts|src\/node\/.+)$/.test(path);
}

function rooms(repository: Repository): [Workspace, Environment][] {
  return repository.workspaces.flatMap((workspace): [Workspace, Environment][] => {
    const room = workspace.folder.startsWith("packages/") ? housePlan.get(workspace.room) : undefined;
    return room === undefined ? [] : [[workspace, room.environment]];
  });
}
