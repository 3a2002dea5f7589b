// The addon, for machines that have a compiler and Node's headers.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("../../src/measure-tun/addon.c", import.meta.url));
const HEADERS = join(dirname(dirname(process.execPath)), "include/node");

export interface Addon {
  read(descriptor: number, bytes: Uint8Array, length: number): number;
  write(descriptor: number, bytes: Uint8Array, offset: number, length: number): number;
}

/** @returns false where it cannot be compiled */
export function compileAddon(target: string): boolean {
  return spawnSync("cc", ["-O2", "-shared", "-fPIC", "-I", HEADERS, "-o", target, SOURCE]).status === 0;
}

export function loadAddon(path: string): Addon {
  return createRequire(import.meta.url)(path) as Addon;
}
