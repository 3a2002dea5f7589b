// The page's program with all it needs, as one file: what the packages give to a bundler.
import { build } from "vite";

/** Throws at whatever the bundler has to say: an import of a Node module is a warning here, and in the browser a page that does not work. */
export async function bundle(entry: string): Promise<string> {
  const logs: string[] = [];
  const result = await build({
    root: import.meta.dirname,
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      modulePreload: { polyfill: false },
      target: "es2022",
      rolldownOptions: { input: entry, onLog: (level, log) => void logs.push(`${level}: ${log.message}`) },
    },
  });
  if (logs.length > 0) throw new Error(logs.join("\n"));
  if (!("output" in result) || result.output.length !== 1) throw new Error("the bundle is not one file");
  return result.output[0].code;
}
