// `<mss 1000,nop,nop,sackOK,nop,wscale 7>`: the TCP options of a packet.
import type { Cursor } from "./cursor.ts";
import type { AccEcnCounter, TcpOptionDescription } from "./packet.ts";

type Parser = (cursor: Cursor) => TcpOptionDescription;

const HEXADECIMAL = /(?:0[xX])?[0-9a-fA-F]+(?=[\s,>\]]|$)/y;
const COUNTERS: readonly AccEcnCounter[] = ["e0b", "ceb", "e1b"];

/** By the word that an option begins with, in small letters. */
const PARSERS: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ["nop", () => ({ kind: "nop" })],
  ["eol", () => ({ kind: "eol" })],
  ["mss", (cursor) => ({ kind: "mss", value: cursor.integer("the MSS", 65535) })],
  ["wscale", (cursor) => ({ kind: "wscale", shift: cursor.integer("the shift count", 255) })],
  ["sackok", () => ({ kind: "sackOK" })],
  ["sack", parseSack],
  ["ts", parseTimestamps],
  ["fo", (cursor) => ({ kind: "FO", experimental: false, cookie: parseCookie(cursor) })],
  ["foexp", (cursor) => ({ kind: "FO", experimental: true, cookie: parseCookie(cursor) })],
  ["ecn", parseAccEcn],
  ["accecn", parseAccEcn],
  ["md5", (cursor) => ({ kind: "md5", digest: takeHexadecimal(cursor) })],
  ["md5valid", () => ({ kind: "md5", digest: undefined })],
  ["md5invalid", () => ({ kind: "md5", digest: new Uint8Array(16) })],
]);

export function parseTcpOptions(cursor: Cursor): TcpOptionDescription[] {
  cursor.expect("<", "in front of the TCP options");
  const options: TcpOptionDescription[] = [];
  if (cursor.takeSymbol(">")) return options;
  for (;;) {
    options.push(parseOption(cursor));
    if (cursor.takeSymbol(">")) return options;
    cursor.expect(",", 'between TCP options, or ">" behind the last one');
  }
}

function parseOption(cursor: Cursor): TcpOptionDescription {
  if (cursor.sees(/\d|kind\b|opt\b/y)) return parseRaw(cursor);
  // `FO-exp` and `exp-FO` are other spellings of `FOEXP`.
  if (cursor.take(/(?:FO[-_]?exp|exp[-_]FO)\b/iy) !== undefined) return { kind: "FO", experimental: true, cookie: parseCookie(cursor) };
  const before = cursor.at;
  const word = cursor.word("a TCP option");
  const parser = PARSERS.get(word.toLowerCase());
  if (parser !== undefined) return parser(cursor);
  cursor.at = before;
  return cursor.fail(`${word} is no TCP option`);
}

/** `254 0xf989` or `kind 254 …`: an option's number, and its data in hexadecimal. */
function parseRaw(cursor: Cursor): TcpOptionDescription {
  if (!cursor.takeWord("kind")) cursor.takeWord("opt");
  const number = cursor.integer("an option's number", 255);
  const pieces: Uint8Array[] = [];
  for (let piece = takeHexadecimal(cursor); piece !== undefined; piece = takeHexadecimal(cursor)) pieces.push(piece);
  const data = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
  if (data.length > 38) cursor.fail("more data than an option can hold");
  return { kind: "raw", number, data };
}

function parseSack(cursor: Cursor): TcpOptionDescription {
  const blocks: { left: number; right: number }[] = [];
  while (cursor.sees(/\d/y)) {
    const left = cursor.integer("a block's left edge");
    cursor.expect(":", "between a block's edges");
    blocks.push({ left, right: cursor.integer("a block's right edge") });
  }
  return { kind: "sack", blocks };
}

function parseTimestamps(cursor: Cursor): TcpOptionDescription {
  if (!cursor.takeWord("val")) cursor.fail("val is missing");
  const value = cursor.integer("the timestamp");
  if (!cursor.takeWord("ecr")) cursor.fail("ecr is missing");
  return { kind: "TS", value, echo: cursor.integer("the echoed timestamp") };
}

function parseAccEcn(cursor: Cursor): TcpOptionDescription {
  const counters: { name: AccEcnCounter; value: number }[] = [];
  for (;;) {
    const name = COUNTERS.find((each) => cursor.takeWord(each));
    if (name === undefined) return { kind: "AccECN", counters };
    counters.push({ name, value: cursor.integer(`the counter ${name}`, 0xffffff) });
  }
}

/** Nothing asks for a cookie. */
function parseCookie(cursor: Cursor): Uint8Array {
  return takeHexadecimal(cursor) ?? new Uint8Array(0);
}

/** Octets in hexadecimal, or a name that stands for them. */
function takeHexadecimal(cursor: Cursor): Uint8Array | undefined {
  const before = cursor.at;
  let text = cursor.take(HEXADECIMAL);
  if (text === undefined) {
    const name = cursor.take(/[A-Za-z_]\w*/y);
    text = name === undefined ? undefined : cursor.definitions.get(name)?.trim();
  }
  const digits = text?.replace(/^0[xX]/, "");
  if (digits === undefined || digits.length % 2 !== 0 || !/^[0-9a-fA-F]+$/.test(digits)) {
    cursor.at = before;
    return undefined;
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (octet) => Number.parseInt(octet, 16));
}

export function parseHexadecimal(cursor: Cursor, what: string): Uint8Array {
  return takeHexadecimal(cursor) ?? cursor.fail(`${what} is missing: an even number of hexadecimal digits`);
}
