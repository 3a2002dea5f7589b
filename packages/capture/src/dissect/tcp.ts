// TCP (RFC 9293 §3.1) with the options of RFC 7323 and RFC 2018.
import { PROTOCOL_TCP } from "@netstrata/internet";
import { readUncheckedTcp, TCP_HEADER_LENGTH } from "@netstrata/transport";
import { u16, u32 } from "../byte-order.ts";
import { type Cursor, NEXT_DATA, NEXT_NOTHING, type NextLayer } from "./cursor.ts";
import type { HeaderOption } from "./layer.ts";
import { type OptionValueReader, readOptionList } from "./option-list.ts";
import { transportChecksum } from "./transport-checksum.ts";

const OPTION_NAMES: ReadonlyMap<number, string> = new Map([
  [0, "eol"],
  [1, "nop"],
  [2, "mss"],
  [3, "wscale"],
  [4, "sackOK"],
  [5, "sack"],
  [8, "TS"],
  [19, "md5"],
  [28, "uto"],
  [29, "tcp-ao"],
  [30, "mptcp"],
  [34, "tfo"],
]);

const OPTION_VALUES: ReadonlyMap<number, OptionValueReader> = new Map<number, OptionValueReader>([
  [2, (value) => (value.length === 2 ? { value: u16(value, 0, false) } : undefined)],
  [3, (value) => (value.length === 1 ? { value: value[0] } : undefined)],
  [5, (value) => (value.length > 0 && value.length % 8 === 0 ? { blocks: readBlocks(value) } : undefined)],
  [8, (value) => (value.length === 8 ? { timestamp: u32(value, 0, false), echoReply: u32(value, 4, false) } : undefined)],
]);

function readBlocks(value: Uint8Array): { left: number; right: number }[] {
  return Array.from({ length: value.length / 8 }, (_, index) => ({
    left: u32(value, 8 * index, false),
    right: u32(value, 8 * index + 4, false),
  }));
}

const NO_OPTIONS: readonly HeaderOption[] = [];

export function dissectTcp(cursor: Cursor): NextLayer {
  const { packet } = cursor;
  const header = readUncheckedTcp(packet);
  if (typeof header === "string") return cursor.malformed("tcp", header);
  const { headerLength } = header;
  // A header that the capture cut short is worth reading; one that claims more than the segment has is not.
  if (headerLength > cursor.wireLength) return cursor.malformed("tcp", "bad-header-length");
  const optionsEnd = Math.min(headerLength, packet.length);
  const options =
    headerLength === TCP_HEADER_LENGTH
      ? NO_OPTIONS
      : readOptionList(packet.view(TCP_HEADER_LENGTH, optionsEnd - TCP_HEADER_LENGTH), OPTION_NAMES, OPTION_VALUES);
  const payloadLength = cursor.wireLength - headerLength;
  return cursor.found(
    {
      protocol: "tcp",
      offset: packet.start,
      headerLength,
      sourcePort: header.sourcePort,
      destinationPort: header.destinationPort,
      seq: header.seq,
      ack: header.ack,
      flags: header.flags,
      window: header.window,
      urgentPointer: header.urgentPointer,
      checksum: transportChecksum(cursor, PROTOCOL_TCP, cursor.promisedLength),
      options,
      payloadLength,
    },
    payloadLength > 0 ? NEXT_DATA : NEXT_NOTHING,
  );
}
