// The page's program with all it needs, as one file: what the packages give to a bundler, for an app's user to load.
import { build, createLogger } from "vite";

export interface Bundle {
  readonly code: string;
  /** A Node module that was imported is a warning here, and a page that does not work. */
  readonly warnings: readonly string[];
}

export async function bundle(entry: string): Promise<Bundle> {
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const result = await build({
    root: import.meta.dirname,
    configFile: false,
    logLevel: "silent",
    customLogger: { ...createLogger("silent"), warn, warnOnce: warn },
    build: { write: false, modulePreload: { polyfill: false }, target: "es2022", rolldownOptions: { input: entry } },
  });
  if (!("output" in result)) throw new Error("there is more than one bundle, or none");
  if (result.output.length > 1) throw new Error(`more than one file: ${result.output.map(({ fileName }) => fileName).join(" ")}`);
  return { code: result.output[0].code, warnings };
}
