// TCP options (RFC 9293 §3.1, §3.2; window scale and timestamps RFC 7323; SACK RFC 2018).
import type { PacketBuffer, SequenceNumber } from "@netstrata/core";
import { TCP_HEADER_LENGTH } from "./tcp-header.ts";

const KIND_END = 0;
const KIND_NO_OPERATION = 1;
const KIND_MAXIMUM_SEGMENT_SIZE = 2;
const KIND_WINDOW_SCALE = 3;
const KIND_SACK_PERMITTED = 4;
const KIND_SACK = 5;
const KIND_TIMESTAMPS = 8;

/** RFC 7323 §2.3: a larger shift count is taken as 14. */
export const MAX_WINDOW_SCALE = 14;

/** Edges of one block of received data: [left, right). */
export interface SackBlock {
  readonly left: SequenceNumber;
  readonly right: SequenceNumber;
}

export interface TcpOptions {
  /** In octets. */
  readonly maximumSegmentSize?: number;
  /** Shift count as sent; may be above 14. */
  readonly windowScale?: number;
  readonly sackPermitted?: boolean;
  readonly sackBlocks?: readonly SackBlock[];
  readonly timestamps?: { readonly value: number; readonly echoReply: number };
}

const NO_OPTIONS: TcpOptions = {};

type MutableTcpOptions = { -readonly [Key in keyof TcpOptions]: TcpOptions[Key] };

/**
 * Reads the options of a segment whose header starts at the window's start. What is malformed ends the list, what is
 * unknown is skipped (MUST-6), and an option of the wrong length counts as unknown (MUST-7).
 */
export function readTcpOptions(packet: PacketBuffer, headerLength: number): TcpOptions {
  if (headerLength <= TCP_HEADER_LENGTH) return NO_OPTIONS;
  const options: MutableTcpOptions = {};
  let at = TCP_HEADER_LENGTH;
  while (at < headerLength) {
    const kind = packet.u8(at);
    if (kind === KIND_END) break;
    if (kind === KIND_NO_OPERATION) {
      at += 1;
      continue;
    }
    // MUST-68: every other option has a length octet, which counts itself and the kind.
    if (at + 1 >= headerLength) break;
    const length = packet.u8(at + 1);
    if (length < 2 || at + length > headerLength) break;
    if (kind === KIND_MAXIMUM_SEGMENT_SIZE && length === 4) options.maximumSegmentSize = packet.u16(at + 2);
    else if (kind === KIND_WINDOW_SCALE && length === 3) options.windowScale = packet.u8(at + 2);
    else if (kind === KIND_SACK_PERMITTED && length === 2) options.sackPermitted = true;
    else if (kind === KIND_SACK && length > 2 && (length - 2) % 8 === 0) options.sackBlocks = readSackBlocks(packet, at + 2, length - 2);
    else if (kind === KIND_TIMESTAMPS && length === 10) {
      options.timestamps = { value: packet.u32(at + 2), echoReply: packet.u32(at + 6) };
    }
    at += length;
  }
  return options;
}

function readSackBlocks(packet: PacketBuffer, at: number, length: number): SackBlock[] {
  const blocks: SackBlock[] = [];
  for (let offset = at; offset < at + length; offset += 8) {
    blocks.push({ left: packet.u32(offset), right: packet.u32(offset + 4) });
  }
  return blocks;
}

/** Octets that `options` take when written, padding included. */
export function tcpOptionsLength(options: TcpOptions): number {
  let length = 0;
  if (options.maximumSegmentSize !== undefined) length += 4;
  if (options.sackPermitted) length += 2;
  if (options.windowScale !== undefined) length += 3;
  if (options.timestamps !== undefined) length += 10;
  if (options.sackBlocks !== undefined && options.sackBlocks.length > 0) length += 2 + 8 * options.sackBlocks.length;
  return (length + 3) & ~3;
}

/** Writes `options` at the window's start; the octets up to `tcpOptionsLength` that remain are zero: end of list (MUST-69). */
export function writeTcpOptions(packet: PacketBuffer, options: TcpOptions): void {
  let at = 0;
  const head = (kind: number, length: number): number => {
    packet.setU8(at, kind);
    packet.setU8(at + 1, length);
    at += length;
    return at - length + 2;
  };
  if (options.maximumSegmentSize !== undefined) packet.setU16(head(KIND_MAXIMUM_SEGMENT_SIZE, 4), options.maximumSegmentSize);
  if (options.sackPermitted) head(KIND_SACK_PERMITTED, 2);
  if (options.windowScale !== undefined) packet.setU8(head(KIND_WINDOW_SCALE, 3), options.windowScale);
  if (options.timestamps !== undefined) {
    const value = head(KIND_TIMESTAMPS, 10);
    packet.setU32(value, options.timestamps.value);
    packet.setU32(value + 4, options.timestamps.echoReply);
  }
  if (options.sackBlocks !== undefined && options.sackBlocks.length > 0) {
    let edge = head(KIND_SACK, 2 + 8 * options.sackBlocks.length);
    for (const block of options.sackBlocks) {
      packet.setU32(edge, block.left);
      packet.setU32(edge + 4, block.right);
      edge += 8;
    }
  }
  while (at % 4 !== 0) {
    packet.setU8(at, KIND_END);
    at += 1;
  }
}
