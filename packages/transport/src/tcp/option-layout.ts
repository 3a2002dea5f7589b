// Writing TCP options (RFC 9293 §3.1): in which order, where aligned, and how padded. RFCs leave it open; a stack can be told by it.
import type { PacketBuffer } from "@netstrata/core";
import { ALIGNED_TIMESTAMPS, FAST_OPEN_MAGIC, MAX_OPTIONS_LENGTH, OPTION_KIND, type SackBlock, type TcpOptions } from "./tcp-options.ts";

/** "linux" and "freebsd": as those systems write them. "rfc": one after the other, only timestamps aligned, zeros behind. */
export type OptionLayout = "linux" | "freebsd" | "rfc";

/** No-operations stand in front of `option` until its first octet is at `remainder` modulo `modulus`. */
interface Place {
  readonly option: keyof TcpOptions;
  readonly modulus: number;
  readonly remainder: number;
}

interface LayoutTable {
  readonly places: readonly Place[];
  /** What fills the last word: the end of the list, or no-operations. */
  readonly padding: number;
}

function place(option: keyof TcpOptions, modulus = 1, remainder = 0): Place {
  return { option, modulus, remainder };
}

/** In Linux numbers stand at words. The two octets before the timestamps' are no-operations, but for SACK-permitted, which fits. */
const LINUX_BEHIND_TIMESTAMPS: readonly Place[] = [
  place("windowScale", 4, 1),
  place("sackBlocks", 4, 2),
  place("fastOpen", 4),
  place("userTimeout", 4),
];
const LINUX_WITH_TIMESTAMPS: LayoutTable = {
  places: [
    place("maximumSegmentSize", 4),
    place("sackPermitted"),
    place("timestamps", 4, 2),
    place("accurateEcn", 4),
    ...LINUX_BEHIND_TIMESTAMPS,
  ],
  padding: OPTION_KIND.noOperation,
};
const LINUX_WITHOUT_TIMESTAMPS: LayoutTable = {
  places: [place("maximumSegmentSize", 4), place("accurateEcn", 4), place("sackPermitted", 4, 2), ...LINUX_BEHIND_TIMESTAMPS],
  padding: OPTION_KIND.noOperation,
};
const FREEBSD: LayoutTable = {
  places: [
    place("maximumSegmentSize", 4),
    place("windowScale", 2, 1),
    place("sackPermitted", 2),
    place("timestamps", 4, 2),
    place("sackBlocks", 4, 2),
    place("fastOpen"),
    place("accurateEcn"),
    place("userTimeout"),
  ],
  padding: OPTION_KIND.end,
};
const RFC: LayoutTable = {
  places: [
    place("maximumSegmentSize"),
    place("sackPermitted"),
    place("windowScale"),
    // RFC 7323 appendix A
    place("timestamps", 4, 2),
    place("sackBlocks"),
    place("fastOpen"),
    place("accurateEcn"),
    place("userTimeout"),
  ],
  padding: OPTION_KIND.end,
};

function tableFor(layout: OptionLayout, options: TcpOptions): LayoutTable {
  if (layout === "linux") return options.timestamps === undefined ? LINUX_WITHOUT_TIMESTAMPS : LINUX_WITH_TIMESTAMPS;
  return layout === "freebsd" ? FREEBSD : RFC;
}

interface OptionWriter<Value> {
  /** Octets with kind and length; 0: nothing to write. */
  length(value: Value): number;
  /** Writes the kind at `at`, and the value behind the length, which stands already. */
  write(packet: PacketBuffer, at: number, value: Value): void;
}

const WRITERS: { readonly [Key in keyof TcpOptions]-?: OptionWriter<NonNullable<TcpOptions[Key]>> } = {
  maximumSegmentSize: {
    length: () => 4,
    write: (packet, at, size) => {
      packet.setU8(at, OPTION_KIND.maximumSegmentSize);
      packet.setU16(at + 2, size);
    },
  },
  windowScale: {
    length: () => 3,
    write: (packet, at, shift) => {
      packet.setU8(at, OPTION_KIND.windowScale);
      packet.setU8(at + 2, shift);
    },
  },
  sackPermitted: {
    length: (permitted) => (permitted ? 2 : 0),
    write: (packet, at) => packet.setU8(at, OPTION_KIND.sackPermitted),
  },
  sackBlocks: {
    length: (blocks) => (blocks.length === 0 ? 0 : 2 + 8 * blocks.length),
    write: (packet, at, blocks) => {
      packet.setU8(at, OPTION_KIND.sack);
      for (const [index, { left, right }] of blocks.entries()) {
        packet.setU32(at + 2 + 8 * index, left);
        packet.setU32(at + 6 + 8 * index, right);
      }
    },
  },
  timestamps: {
    length: () => 10,
    write: (packet, at, { value, echoReply }) => {
      packet.setU8(at, OPTION_KIND.timestamps);
      packet.setU32(at + 2, value);
      packet.setU32(at + 6, echoReply);
    },
  },
  userTimeout: {
    length: () => 4,
    write: (packet, at, { inMinutes, value }) => {
      packet.setU8(at, OPTION_KIND.userTimeout);
      packet.setU16(at + 2, (inMinutes ? 0x8000 : 0) | value);
    },
  },
  fastOpen: {
    length: ({ cookie, experimental }) => (experimental ? 4 : 2) + cookie.length,
    write: (packet, at, { cookie, experimental }) => {
      packet.setU8(at, experimental ? OPTION_KIND.experiment : OPTION_KIND.fastOpen);
      if (experimental) packet.setU16(at + 2, FAST_OPEN_MAGIC);
      packet.set(cookie, at + (experimental ? 4 : 2));
    },
  },
  accurateEcn: {
    length: ({ counters }) => 2 + 3 * counters.length,
    write: (packet, at, { order, counters }) => {
      packet.setU8(at, order === 0 ? OPTION_KIND.accurateEcn0 : OPTION_KIND.accurateEcn1);
      for (const [index, counter] of counters.entries()) {
        packet.setU8(at + 2 + 3 * index, (counter >>> 16) & 0xff);
        packet.setU16(at + 3 + 3 * index, counter & 0xffff);
      }
    },
  },
};

/** One of the table's entries, whose value is of its own key. */
function writerOf(option: keyof TcpOptions): OptionWriter<unknown> {
  return WRITERS[option] as OptionWriter<unknown>;
}

/** Octets of an option without padding; 0: it is absent. */
function lengthOf(option: keyof TcpOptions, options: TcpOptions): number {
  const value = options[option];
  return value === undefined ? 0 : writerOf(option).length(value);
}

const FOUR_BLOCKS: readonly SackBlock[] = new Array(4).fill({ left: 0, right: 0 });

/** Octets that `options` take when written, padding included. */
export function tcpOptionsLength(options: TcpOptions, layout: OptionLayout = "rfc"): number {
  let length = 0;
  for (const { option, modulus, remainder } of tableFor(layout, options).places) {
    const own = lengthOf(option, options);
    if (own > 0) length += paddingBefore(length, modulus, remainder) + own;
  }
  return (length + 3) & ~3;
}

/** How many SACK blocks fit beside `options` (RFC 2018 §3): four alone, three with timestamps. */
export function sackBlocksThatFit(options: TcpOptions, layout: OptionLayout = "rfc"): number {
  let count = FOUR_BLOCKS.length;
  while (count > 0 && tcpOptionsLength({ ...options, sackBlocks: FOUR_BLOCKS.slice(0, count) }, layout) > MAX_OPTIONS_LENGTH) count -= 1;
  return count;
}

/** Writes `options` at the window's start, `tcpOptionsLength` octets with the same layout; what pads the end is zero, except in Linux (MUST-69). */
export function writeTcpOptions(packet: PacketBuffer, options: TcpOptions, layout: OptionLayout = "rfc"): void {
  const { places, padding } = tableFor(layout, options);
  let at = 0;
  for (const { option, modulus, remainder } of places) {
    const length = lengthOf(option, options);
    if (length === 0) continue;
    const aligned = at + paddingBefore(at, modulus, remainder);
    for (; at < aligned; at += 1) packet.setU8(at, OPTION_KIND.noOperation);
    packet.setU8(at + 1, length);
    writerOf(option).write(packet, at, options[option]);
    at += length;
  }
  for (; at % 4 !== 0; at += 1) packet.setU8(at, padding);
}

/** The twelve octets of a segment that has no other options: the same in all layouts (RFC 7323 appendix A). */
export function writeAlignedTimestamps(packet: PacketBuffer, value: number, echoReply: number): void {
  packet.setU32(0, ALIGNED_TIMESTAMPS);
  packet.setU32(4, value);
  packet.setU32(8, echoReply);
}

function paddingBefore(at: number, modulus: number, remainder: number): number {
  return (remainder - (at % modulus) + modulus) % modulus;
}
