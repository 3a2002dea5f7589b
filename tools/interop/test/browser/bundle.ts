// The page's program with all it needs, as one file: what the packages give to a bundler.
import { resolve } from "node:path";
import { build } from "vite";

const REPOSITORY = resolve(import.meta.dirname, "../../../..");
const BUNDLER = "\0rolldown/";

/** Throws when anything gets into the bundle that is not ours, such as the empty module that stands for one of Node's. */
export async function bundle(entry: string): Promise<string> {
  const result = await build({
    root: import.meta.dirname,
    configFile: false,
    logLevel: "silent",
    build: { write: false, modulePreload: { polyfill: false }, target: "es2022", rolldownOptions: { input: entry } },
  });
  if (!("output" in result) || result.output.length !== 1) throw new Error("the bundle is not one file");
  const [{ code, moduleIds }] = result.output;
  const isOurs = (id: string): boolean => id.startsWith(`${REPOSITORY}/packages/`) || id.startsWith(import.meta.dirname);
  const foreign = moduleIds.filter((id) => !isOurs(id) && !id.startsWith(BUNDLER));
  if (foreign.length > 0) throw new Error(`the bundle needs ${foreign.join(", ")}`);
  return code;
}
