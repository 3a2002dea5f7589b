// The packages that Node needs for devices may be absent or not compiled: only opening a device says so.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Program } from "./harness/program.ts";

const PACKAGES = join(import.meta.dirname, "../../../packages");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "netstrata-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A copy of the built package that finds core and link, and nothing else of what is installed here. */
function copyAlone(name: string): void {
  cpSync(join(PACKAGES, name, "dist"), join(folder, "dist"), { recursive: true });
  mkdirSync(join(folder, "node_modules/@netstrata"), { recursive: true });
  for (const layer of ["core", "link"]) symlinkSync(join(PACKAGES, layer), join(folder, "node_modules/@netstrata", layer));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
}

/** Runs `call` on the package's exports, and tells of its error. */
async function errorOf(call: string): Promise<{ code: string; message: string }> {
  const script = `import("./dist/index.js").then((exports) => exports.${call}).catch((error) => process.stdout.write(JSON.stringify({ code: error.code, message: error.message })))`;
  const { stdout, stderr } = await new Program("sh", ["-c", 'cd "$1" && exec "$2" --eval "$3"', "sh", folder, process.execPath, script])
    .ended;
  expect(stderr).toBe("");
  return JSON.parse(stdout) as { code: string; message: string };
}

test.skipIf(process.platform !== "linux")("without koffi, opening a TUN device says so in one line", async () => {
  copyAlone("tun");
  expect(await errorOf("openTun()")).toEqual({
    code: "ERR_TUN_KOFFI",
    message: "TUN: ERR_TUN_KOFFI: the package koffi does not load here; is it installed (npm install koffi)?",
  });
});

test.skipIf(process.platform !== "linux")("without raw-socket, opening a raw device says so in one line", async () => {
  copyAlone("raw");
  expect(await errorOf("openRaw()")).toEqual({
    code: "ERR_RAW_MODULE",
    message:
      "raw: ERR_RAW_MODULE: the package raw-socket is not installed, or not compiled for this Node (npm install raw-socket, npm rebuild raw-socket; both need a C++ compiler, make and python3)",
  });
});

test.skipIf(process.platform !== "linux")("raw-socket installed but not compiled is the same to whoever opens", async () => {
  copyAlone("raw");
  mkdirSync(join(folder, "node_modules/raw-socket"));
  writeFileSync(join(folder, "node_modules/raw-socket/index.js"), 'require("./build/Release/raw.node");');
  expect((await errorOf("openRaw()")).code).toBe("ERR_RAW_MODULE");
});
