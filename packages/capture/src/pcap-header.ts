// The classic pcap file (draft-ietf-opsawg-pcap): a header of 24 octets, then records.
import { u16, u32 } from "./byte-order.ts";
import { CaptureError, type CapturePlace } from "./capture-error.ts";
import { type CaptureInterface, MAX_RECORD_LENGTH } from "./captured-packet.ts";

export const PCAP_HEADER_LENGTH = 24;

export const MAGIC_MICROSECONDS = 0xa1b2c3d4;
export const MAGIC_NANOSECONDS = 0xa1b23c4d;
/** Written by a patched libpcap of the late nineties (Alexey Kuznetsov's): records have 8 octets more. */
export const MAGIC_MODIFIED = 0xa1b2cd34;

export interface PcapHeader {
  readonly littleEndian: boolean;
  /** Nanoseconds that one unit of a record's second timestamp word stands for: 1000n or 1n. */
  readonly tick: bigint;
  /** Octets of each record's header: 16, or 24 in the modified format. */
  readonly recordHeaderLength: number;
  readonly minorVersion: number;
  readonly snapLength: number;
  readonly linkType: number;
  readonly fcsLength: number | undefined;
}

interface Layout {
  readonly tick: bigint;
  readonly recordHeaderLength: number;
}

const LAYOUTS: ReadonlyMap<number, Layout> = new Map([
  [MAGIC_MICROSECONDS, { tick: 1000n, recordHeaderLength: 16 }],
  [MAGIC_NANOSECONDS, { tick: 1n, recordHeaderLength: 16 }],
  [MAGIC_MODIFIED, { tick: 1000n, recordHeaderLength: 24 }],
]);

/** The byte order and layout that the first four octets of a file announce; undefined when it is not a pcap file. */
export function readPcapMagic(bytes: Uint8Array): (Layout & { readonly magic: number; readonly littleEndian: boolean }) | undefined {
  for (const littleEndian of [true, false]) {
    const magic = u32(bytes, 0, littleEndian);
    const layout = LAYOUTS.get(magic);
    if (layout !== undefined) return { ...layout, magic, littleEndian };
  }
  return undefined;
}

/** Reads the 24 octets of a file header whose magic number is known to be right. */
export function readPcapHeader(bytes: Uint8Array, file: string): PcapHeader {
  const place = { file, packetNumber: 0, byteOffset: 0 };
  const magic = readPcapMagic(bytes);
  if (magic === undefined) throw new CaptureError("unknown-format", place, unknownFormat(bytes));
  const { littleEndian } = magic;
  const majorVersion = u16(bytes, 4, littleEndian);
  const minorVersion = u16(bytes, 6, littleEndian);
  // Minor versions above 4 do not exist, but nothing is known to be different in files that claim one.
  if (majorVersion !== 2) {
    throw new CaptureError("unsupported-version", place, `pcap version ${majorVersion}.${minorVersion}; only 2.x is known`);
  }
  // The upper half of the link type says whether frames carry their FCS (bit 26), and its length in 16-bit words (bits 28 … 31).
  const linkType = u32(bytes, 20, littleEndian);
  const fcsLength = (linkType & 0x04000000) !== 0 ? (linkType >>> 28) * 2 : undefined;
  return { ...magic, minorVersion, snapLength: u32(bytes, 16, littleEndian), linkType: linkType & 0xffff, fcsLength };
}

/** The one interface of a classic file. */
export function pcapInterface(header: PcapHeader): CaptureInterface {
  const { littleEndian, linkType, snapLength, fcsLength } = header;
  return { section: { format: "pcap", littleEndian, comments: [] }, index: 0, linkType, snapLength, fcsLength, comments: [] };
}

/** Nanoseconds since 1970 of a record's two timestamp words. */
export function pcapTimestamp(seconds: number, fraction: number, tick: bigint): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction) * tick;
}

/** What to do with a record that is longer than its file's snap length: a fault that some capture programs have nevertheless produced. */
export type LongRecords = "refuse" | "accept";

/** Throws when a record of `capturedLength` octets may not be. */
export function checkRecordLength(capturedLength: number, snapLength: number, longRecords: LongRecords, place: CapturePlace): void {
  // A snap length of 0 means "no limit": several writers leave the field empty.
  const limited = longRecords === "refuse" && snapLength !== 0 && snapLength < MAX_RECORD_LENGTH;
  const limit = limited ? snapLength : MAX_RECORD_LENGTH;
  if (capturedLength <= limit) return;
  const what = limited ? `longer than the snap length of ${limit}` : `more than the ${limit} that any record may have`;
  throw new CaptureError("record-too-long", place, `a record of ${capturedLength} octets, ${what}`);
}

/** Says what a file that is no capture might be. */
export function unknownFormat(bytes: Uint8Array): string {
  const digits = Array.from(bytes.subarray(0, 4), (octet) => octet.toString(16).padStart(2, "0")).join(" ");
  const hint = digits.startsWith("1f 8b") ? "; it is compressed with gzip: unpack it first" : "";
  return `neither pcap nor pcapng: it begins with ${digits}${hint}`;
}
