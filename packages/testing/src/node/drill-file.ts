// Scripts in files, for test runners and the command line.
import { readFileSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type DrillOptions, type DrillReport, renderDrillReport, runDrill } from "../index.ts";

/** Octets of a file beside a script (`defaults.sh` and the like). */
const LARGEST_HELPER = 2 ** 20;

/** Runs the script in a file; scripts that it calls are looked for beside it. @throws Node's error when it cannot be read */
export async function runDrillFile(path: string, options: DrillOptions = {}): Promise<DrillReport> {
  const text = await readFile(path, "utf8");
  return runDrill(text, { name: path, readFile: (name) => readBeside(path, name), ...options });
}

function readBeside(script: string, name: string): string | undefined {
  try {
    const bytes = readFileSync(resolve(dirname(script), name));
    return bytes.length > LARGEST_HELPER ? undefined : bytes.toString("utf8");
  } catch {
    return undefined;
  }
}

/** Files as they are, and of directories all `.pkt` files below them, sorted. @throws Node's error for what is not there */
export async function findScripts(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    if ((await stat(path)).isDirectory()) {
      const names = await readdir(path, { recursive: true });
      const scripts = names.filter((name) => name.endsWith(".pkt")).sort();
      found.push(...scripts.map((name) => join(path, name)));
    } else found.push(path);
  }
  return found;
}

/**
 * A script as a test: resolves when it passes.
 * @param script a file's name, or a script itself: what has line breaks in it
 * @throws an Error that shows the line, the packet expected, the packet seen and the ladder; also for what is unsupported
 */
export async function drill(script: string, options: DrillOptions = {}): Promise<DrillReport> {
  const report = await (script.includes("\n") ? runDrill(script, options) : runDrillFile(script, options));
  if (report.outcome === "pass") return report;
  throw new Error(renderDrillReport(report).join("\n"));
}
