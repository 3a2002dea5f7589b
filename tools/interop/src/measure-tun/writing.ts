// The ways to write to a TUN descriptor in Node. Each writes `length` octets of `bytes` from `offset` on.
import { write, writeSync } from "node:fs";
import { load } from "koffi";
import type { Addon } from "./addon.ts";

/** Resolves when the packet is written, where that takes longer than the call. */
type Write = (descriptor: number, bytes: Uint8Array, offset: number, length: number) => undefined | Promise<void>;

const cWrite = load(null).func("intptr_t write(int descriptor, void *bytes, size_t length)");

function asynchronousWrite(descriptor: number, bytes: Uint8Array, offset: number, length: number): Promise<void> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, offset, length, null, (error) => (error === null ? resolve() : reject(error)));
  });
}

export function writingWays(addon: Addon | undefined): Map<string, Write> {
  return new Map<string, Write>([
    ["koffi write", (descriptor, bytes, offset, length) => void cWrite(descriptor, bytes.subarray(offset, offset + length), length)],
    ["fs.writeSync", (descriptor, bytes, offset, length) => void writeSync(descriptor, bytes, offset, length)],
    ["fs.write", asynchronousWrite],
    ...(addon === undefined
      ? []
      : ([["addon", (descriptor, bytes, offset, length) => void addon.write(descriptor, bytes, offset, length)]] as [string, Write][])),
  ]);
}
