// The scripts under packages/testing/scripts, and what their heads say of them.
import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { PersonalityName } from "@netstrata/transport";
import { findScripts } from "../../src/node.ts";

export interface OwnScript {
  readonly path: string;
  /** From `scripts/` on. */
  readonly name: string;
  readonly text: string;
  /** The first line: `RFC 9293 §3.8.4 (MUST-25): keep-alives …`. */
  readonly head: string;
  /** With whose choices it passes: all, or those in the line `// personality: linux, freebsd`. */
  readonly personalities: readonly PersonalityName[];
}

const directory = fileURLToPath(new URL("../../scripts", import.meta.url));
const ALL: readonly PersonalityName[] = ["linux", "rfc", "freebsd"];
const PERSONALITY = /^\/\/ personality: (.+)$/m;

export async function ownScripts(): Promise<OwnScript[]> {
  return Promise.all((await findScripts([directory])).map(ownScript));
}

async function ownScript(path: string): Promise<OwnScript> {
  const text = await readFile(path, "utf8");
  const head = text.split("\n")[0].replace(/^\/\/ /, "");
  const listed = PERSONALITY.exec(text)?.[1].split(", ");
  const personalities = listed === undefined ? ALL : ALL.filter((each) => listed.includes(each));
  return { path, name: relative(directory, path), text, head, personalities };
}
