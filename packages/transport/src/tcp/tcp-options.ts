// Reading TCP options (RFC 9293 §3.1, §3.2; window scale and timestamps RFC 7323; SACK RFC 2018; user timeout RFC 5482; Fast Open RFC 7413; AccECN RFC 9768).
import type { PacketBuffer, SequenceNumber } from "@netstrata/core";
import { TCP_HEADER_LENGTH } from "./tcp-header.ts";

/** The Kind octets. */
export const OPTION_KIND = {
  end: 0,
  noOperation: 1,
  maximumSegmentSize: 2,
  windowScale: 3,
  sackPermitted: 4,
  sack: 5,
  timestamps: 8,
  userTimeout: 28,
  fastOpen: 34,
  accurateEcn0: 172,
  accurateEcn1: 174,
  /** RFC 4727: shared by experiments, which tell themselves apart by a magic number (RFC 6994). */
  experiment: 254,
} as const;

/** The experiment that became Fast Open (RFC 7413 appendix B). */
export const FAST_OPEN_MAGIC = 0xf989;
/** RFC 7323 appendix A: two no-operations, kind 8, length 10. What nearly every segment with timestamps begins its options with. */
export const ALIGNED_TIMESTAMPS = 0x0101080a;
/** Octets of a timestamps option with its padding. */
export const ALIGNED_TIMESTAMPS_LENGTH = 12;
/** The data offset leaves this much room for options (RFC 9293 §3.1). */
export const MAX_OPTIONS_LENGTH = 40;
/** RFC 7323 §2.3: a larger shift count is taken as 14. */
export const MAX_WINDOW_SCALE = 14;
/** RFC 7413 §4.1.1: sizes of a cookie. */
export const MIN_FAST_OPEN_COOKIE = 4;
export const MAX_FAST_OPEN_COOKIE = 16;

/** Edges of one block of received data: [left, right). */
export interface SackBlock {
  readonly left: SequenceNumber;
  readonly right: SequenceNumber;
}

/** TSval and TSecr, 32 bits each (RFC 7323 §3.2). */
export interface Timestamps {
  readonly value: number;
  readonly echoReply: number;
}

/** RFC 7413 §4.1.1. */
export interface FastOpenOption {
  /** Empty: a cookie is asked for. Else an even number of octets from 4 to 16, which the reader has copied. */
  readonly cookie: Uint8Array;
  /** In the form of the experiment: kind 254 with the magic number F989. */
  readonly experimental: boolean;
}

/** RFC 9768 §3.2.3. */
export interface AccurateEcnOption {
  /** 0: counters are EE0B, ECEB, EE1B (kind 172). 1: they are EE1B, ECEB, EE0B (kind 174). */
  readonly order: 0 | 1;
  /** None to three, 24 bits each, as they stand in the option. */
  readonly counters: readonly number[];
}

/** RFC 5482 §3: 15 bits, of seconds or of minutes. */
export interface UserTimeoutOption {
  readonly inMinutes: boolean;
  readonly value: number;
}

export interface TcpOptions {
  /** In octets. */
  readonly maximumSegmentSize?: number;
  /** Shift count as sent; may be above 14. */
  readonly windowScale?: number;
  readonly sackPermitted?: boolean;
  readonly sackBlocks?: readonly SackBlock[];
  readonly timestamps?: Timestamps;
  readonly userTimeout?: UserTimeoutOption;
  readonly fastOpen?: FastOpenOption;
  readonly accurateEcn?: AccurateEcnOption;
}

const NO_OPTIONS: TcpOptions = {};

type MutableTcpOptions = { -readonly [Key in keyof TcpOptions]: TcpOptions[Key] };

/**
 * Reads the options of a segment whose header starts at the window's start. What is malformed ends the list, what is
 * unknown is skipped (MUST-6), and an option of the wrong length counts as unknown (MUST-7).
 */
export function readTcpOptions(packet: PacketBuffer, headerLength: number): TcpOptions {
  if (headerLength <= TCP_HEADER_LENGTH) return NO_OPTIONS;
  // Timestamps alone, as RFC 7323 appendix A lays them out: the options of almost every segment.
  if (headerLength === TCP_HEADER_LENGTH + ALIGNED_TIMESTAMPS_LENGTH && packet.u32(TCP_HEADER_LENGTH) === ALIGNED_TIMESTAMPS) {
    return { timestamps: readTimestamps(packet, TCP_HEADER_LENGTH + 4) };
  }
  const options: MutableTcpOptions = {};
  let at = TCP_HEADER_LENGTH;
  while (at < headerLength) {
    const kind = packet.u8(at);
    if (kind === OPTION_KIND.end) break;
    if (kind === OPTION_KIND.noOperation) {
      at += 1;
      continue;
    }
    // MUST-68: every other option has a length octet, which counts itself and the kind.
    if (at + 1 >= headerLength) break;
    const length = packet.u8(at + 1);
    if (length < 2 || at + length > headerLength) break;
    readOption(options, packet, kind, at + 2, length);
    at += length;
  }
  return options;
}

/** @param at where the option's value starts; @param length as the option says: the value and two octets */
function readOption(options: MutableTcpOptions, packet: PacketBuffer, kind: number, at: number, length: number): void {
  switch (kind) {
    case OPTION_KIND.maximumSegmentSize:
      if (length === 4) options.maximumSegmentSize = packet.u16(at);
      break;
    case OPTION_KIND.windowScale:
      if (length === 3) options.windowScale = packet.u8(at);
      break;
    case OPTION_KIND.sackPermitted:
      if (length === 2) options.sackPermitted = true;
      break;
    case OPTION_KIND.sack:
      if (length > 2 && (length - 2) % 8 === 0) options.sackBlocks = readSackBlocks(packet, at, length - 2);
      break;
    case OPTION_KIND.timestamps:
      if (length === 10) options.timestamps = readTimestamps(packet, at);
      break;
    case OPTION_KIND.userTimeout:
      if (length === 4) options.userTimeout = { inMinutes: packet.u8(at) >= 0x80, value: packet.u16(at) & 0x7fff };
      break;
    case OPTION_KIND.fastOpen:
      if (isCookieLength(length - 2)) options.fastOpen = { cookie: packet.slice(at, length - 2), experimental: false };
      break;
    case OPTION_KIND.accurateEcn0:
    case OPTION_KIND.accurateEcn1:
      if (length <= 11 && (length - 2) % 3 === 0) {
        options.accurateEcn = { order: kind === OPTION_KIND.accurateEcn0 ? 0 : 1, counters: readCounters(packet, at, length - 2) };
      }
      break;
    case OPTION_KIND.experiment:
      if (length >= 4 && packet.u16(at) === FAST_OPEN_MAGIC && isCookieLength(length - 4)) {
        options.fastOpen = { cookie: packet.slice(at + 2, length - 4), experimental: true };
      }
      break;
  }
}

function readTimestamps(packet: PacketBuffer, at: number): Timestamps {
  return { value: packet.u32(at), echoReply: packet.u32(at + 4) };
}

function readSackBlocks(packet: PacketBuffer, at: number, length: number): SackBlock[] {
  const blocks: SackBlock[] = [];
  for (let offset = at; offset < at + length; offset += 8) {
    blocks.push({ left: packet.u32(offset), right: packet.u32(offset + 4) });
  }
  return blocks;
}

function readCounters(packet: PacketBuffer, at: number, length: number): number[] {
  const counters: number[] = [];
  for (let offset = at; offset < at + length; offset += 3) counters.push((packet.u8(offset) << 16) | packet.u16(offset + 1));
  return counters;
}

/** RFC 7413 §4.1.1: none, or an even number of octets from 4 to 16. */
function isCookieLength(length: number): boolean {
  return length === 0 || (length % 2 === 0 && length >= MIN_FAST_OPEN_COOKIE && length <= MAX_FAST_OPEN_COOKIE);
}
