// The list of options that IPv4 (RFC 791 §3.1) and TCP (RFC 9293 §3.1) headers share the form of: kind, length, value.
import type { HeaderOption } from "./layer.ts";

const END = 0;
const NO_OPERATION = 1;

/** The octets of an option's value, without kind and length, as what they mean; undefined when they are to be shown as they are. */
export type OptionValueReader = (value: Uint8Array) => Partial<HeaderOption> | undefined;

const AS_IT_IS: OptionValueReader = () => undefined;

/** Reads options up to the end of the list or up to one whose length cannot be; of that one `length` is what it says. */
export function readOptionList(
  bytes: Uint8Array,
  names: ReadonlyMap<number, string>,
  valueReaders: ReadonlyMap<number, OptionValueReader> = new Map(),
): HeaderOption[] {
  const options: HeaderOption[] = [];
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes[at];
    const name = names.get(kind) ?? `unknown-${kind}`;
    if (kind === END || kind === NO_OPERATION) {
      options.push({ kind, name, length: 1 });
      if (kind === END) break;
      at += 1;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    if (length < 2 || at + length > bytes.length) {
      options.push({ kind, name: `${name}-malformed`, length });
      break;
    }
    const value = bytes.subarray(at + 2, at + length);
    const meaning = (valueReaders.get(kind) ?? AS_IT_IS)(value) ?? (value.length > 0 ? { value: hexadecimal(value) } : undefined);
    options.push({ kind, name, length, ...meaning });
    at += length;
  }
  return options;
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, "0")).join("");
}
