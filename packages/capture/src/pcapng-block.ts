// pcapng (draft-ietf-opsawg-pcapng): a file of blocks, each with its type, its length at both ends, and options.
import { setU16, setU32, u16 } from "./byte-order.ts";

export const BLOCK_SECTION_HEADER = 0x0a0d0d0a;
export const BLOCK_INTERFACE_DESCRIPTION = 1;
/** Obsolete, still found in old files. */
export const BLOCK_PACKET = 2;
export const BLOCK_SIMPLE_PACKET = 3;
export const BLOCK_ENHANCED_PACKET = 6;

/** Octets between a block's two lengths that are not options or packet, by type; types that are not here are skipped. */
export const FIXED_LENGTHS: ReadonlyMap<number, number> = new Map([
  [BLOCK_SECTION_HEADER, 16],
  [BLOCK_INTERFACE_DESCRIPTION, 8],
  [BLOCK_PACKET, 20],
  [BLOCK_SIMPLE_PACKET, 4],
  [BLOCK_ENHANCED_PACKET, 20],
]);

/** Stands behind the section header's length; whoever reads it as 0x4d3c2b1a has the other byte order. */
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

export const OPTION_END = 0;
export const OPTION_COMMENT = 1;
export const OPTION_SECTION_HARDWARE = 2;
export const OPTION_SECTION_OPERATING_SYSTEM = 3;
export const OPTION_SECTION_APPLICATION = 4;
export const OPTION_INTERFACE_NAME = 2;
export const OPTION_INTERFACE_DESCRIPTION = 3;
export const OPTION_INTERFACE_TIMESTAMP_RESOLUTION = 9;
export const OPTION_INTERFACE_FCS_LENGTH = 13;
export const OPTION_INTERFACE_TIMESTAMP_OFFSET = 14;
export const OPTION_PACKET_FLAGS = 2;

/** Bits 0 and 1 of a packet's flags. */
export const DIRECTIONS: readonly (undefined | "in" | "out")[] = [undefined, "in", "out", undefined];

export interface PcapngOption {
  readonly code: number;
  readonly value: Uint8Array;
}

/** Octets up to the next multiple of 4. */
export function padding(length: number): number {
  return -length & 3;
}

/** Reads the options in `bytes`; undefined when one of them reaches beyond the end. */
export function readOptions(bytes: Uint8Array, littleEndian: boolean): PcapngOption[] | undefined {
  const options: PcapngOption[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const code = u16(bytes, at, littleEndian);
    const length = u16(bytes, at + 2, littleEndian);
    if (code === OPTION_END) break;
    if (at + 4 + length > bytes.length) return undefined;
    options.push({ code, value: bytes.subarray(at + 4, at + 4 + length) });
    at += 4 + length + padding(length);
  }
  return options;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export function optionTexts(options: readonly PcapngOption[], code: number): string[] {
  return options.filter((option) => option.code === code).map((option) => decoder.decode(option.value));
}

/** Octets: an option's length has 16 bits. */
const LONGEST_OPTION = 65535;

/** What of `text` does not fit into an option is cut off. */
export function textOption(code: number, text: string): PcapngOption {
  const value = encoder.encode(text);
  if (value.length <= LONGEST_OPTION) return { code, value };
  const cut = new Uint8Array(LONGEST_OPTION);
  // Writes whole characters only.
  const { written } = encoder.encodeInto(text, cut);
  return { code, value: cut.subarray(0, written) };
}

/** Builds a whole block of a fixed part (a multiple of 4 octets), octets to be padded, and options. */
export function buildBlock(
  type: number,
  fixed: Uint8Array,
  data: Uint8Array,
  options: readonly PcapngOption[],
  littleEndian: boolean,
): Uint8Array {
  let length = 12 + fixed.length + data.length + padding(data.length);
  for (const option of options) length += 4 + option.value.length + padding(option.value.length);
  if (options.length > 0) length += 4;
  const block = new Uint8Array(length);
  setU32(block, 0, type, littleEndian);
  setU32(block, 4, length, littleEndian);
  block.set(fixed, 8);
  block.set(data, 8 + fixed.length);
  let at = 8 + fixed.length + data.length + padding(data.length);
  for (const { code, value } of options) {
    setU16(block, at, code, littleEndian);
    setU16(block, at + 2, value.length, littleEndian);
    block.set(value, at + 4);
    at += 4 + value.length + padding(value.length);
  }
  setU32(block, length - 4, length, littleEndian);
  return block;
}
