// TCP options between a script's words and a header's octets (RFC 9293 §3.1, RFC 7323, RFC 2018, RFC 7413, RFC 2385, RFC 9768).
import type { AccEcnCounter, TcpOptionDescription } from "../language/packet.ts";

const END = 0;
const NO_OPERATION = 1;
const MAXIMUM_SEGMENT_SIZE = 2;
const WINDOW_SCALE = 3;
const SACK_PERMITTED = 4;
const SACK = 5;
const TIMESTAMPS = 8;
const MD5 = 19;
const FAST_OPEN = 34;
/** Counters in the order EE0B, ECEB, EE1B, and the other way round. */
const ACC_ECN_0 = 172;
const ACC_ECN_1 = 174;
const EXPERIMENT = 254;
/** RFC 7413 §4.1.1 and the IANA registry of experiment identifiers. */
const FAST_OPEN_EXPERIMENT = 0xf989;
const MOST_OPTION_OCTETS = 40;

const ORDERS: Readonly<Record<number, readonly AccEcnCounter[]>> = {
  [ACC_ECN_0]: ["e0b", "ceb", "e1b"],
  [ACC_ECN_1]: ["e1b", "ceb", "e0b"],
};

/** One option's octets, without padding. */
export function encodeTcpOption(option: TcpOptionDescription): number[] {
  switch (option.kind) {
    case "nop":
      return [NO_OPERATION];
    case "eol":
      return [END];
    case "mss":
      return [MAXIMUM_SEGMENT_SIZE, 4, ...octets(option.value, 2)];
    case "wscale":
      return [WINDOW_SCALE, 3, option.shift];
    case "sackOK":
      return [SACK_PERMITTED, 2];
    case "sack":
      return withLength(
        SACK,
        option.blocks.flatMap(({ left, right }) => [...octets(left, 4), ...octets(right, 4)]),
      );
    case "TS":
      return [TIMESTAMPS, 10, ...octets(option.value, 4), ...octets(option.echo, 4)];
    case "FO":
      return option.experimental
        ? withLength(EXPERIMENT, [...octets(FAST_OPEN_EXPERIMENT, 2), ...option.cookie])
        : withLength(FAST_OPEN, [...option.cookie]);
    case "AccECN":
      return withLength(
        option.counters[0]?.name === "e1b" ? ACC_ECN_1 : ACC_ECN_0,
        option.counters.flatMap(({ value }) => octets(value, 3)),
      );
    case "md5":
      return withLength(MD5, [...(option.digest ?? new Uint8Array(16))]);
    case "raw":
      return option.number <= NO_OPERATION ? [option.number] : withLength(option.number, [...option.data]);
  }
}

/** All of them, padded to whole words; undefined when the header cannot hold them. */
export function encodeTcpOptions(options: readonly TcpOptionDescription[]): Uint8Array | undefined {
  const bytes = options.flatMap(encodeTcpOption);
  while (bytes.length % 4 !== 0) bytes.push(END);
  return bytes.length > MOST_OPTION_OCTETS ? undefined : Uint8Array.from(bytes);
}

/** What the octets behind a header say; what has no length that makes sense is the raw option 255 at the end. */
export function decodeTcpOptions(bytes: Uint8Array): TcpOptionDescription[] {
  const options: TcpOptionDescription[] = [];
  for (let at = 0; at < bytes.length; ) {
    const number = bytes[at];
    const length = number <= NO_OPERATION ? 1 : bytes[at + 1];
    if (number > NO_OPERATION && !(length >= 2 && at + length <= bytes.length)) {
      options.push({ kind: "raw", number: 255, data: bytes.slice(at) });
      break;
    }
    options.push(decode(number, bytes.slice(at + 2, at + Math.max(length, 2))));
    at += length;
  }
  return options;
}

function decode(number: number, data: Uint8Array): TcpOptionDescription {
  const { length } = data;
  if (number === END) return { kind: "eol" };
  if (number === NO_OPERATION) return { kind: "nop" };
  if (number === MAXIMUM_SEGMENT_SIZE && length === 2) return { kind: "mss", value: read(data, 0, 2) };
  if (number === WINDOW_SCALE && length === 1) return { kind: "wscale", shift: data[0] };
  if (number === SACK_PERMITTED && length === 0) return { kind: "sackOK" };
  if (number === TIMESTAMPS && length === 8) return { kind: "TS", value: read(data, 0, 4), echo: read(data, 4, 4) };
  if (number === SACK && length % 8 === 0) {
    const blocks = Array.from({ length: length / 8 }, (_, index) => ({
      left: read(data, 8 * index, 4),
      right: read(data, 8 * index + 4, 4),
    }));
    return { kind: "sack", blocks };
  }
  if (number === FAST_OPEN) return { kind: "FO", experimental: false, cookie: data };
  if (number === EXPERIMENT && length >= 2 && read(data, 0, 2) === FAST_OPEN_EXPERIMENT) {
    return { kind: "FO", experimental: true, cookie: data.slice(2) };
  }
  const order = ORDERS[number];
  if (order !== undefined && length % 3 === 0 && length <= 9) {
    return { kind: "AccECN", counters: order.slice(0, length / 3).map((name, index) => ({ name, value: read(data, 3 * index, 3) })) };
  }
  if (number === MD5 && length === 16) return { kind: "md5", digest: data };
  return { kind: "raw", number, data };
}

function octets(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.floor(value / 2 ** (8 * (count - 1 - index))) & 0xff);
}

function read(data: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = at; index < at + count; index += 1) value = value * 256 + data[index];
  return value;
}

function withLength(number: number, data: readonly number[]): number[] {
  return [number, 2 + data.length, ...data];
}
