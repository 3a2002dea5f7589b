// `< [ect0] P. 1:1001(1000) ack 1 win 257 <nop,nop,TS val 100 ecr 200>`, and the UDP and ICMP lines.
import { ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG } from "@netstrata/transport";
import type { Cursor } from "./cursor.ts";
import type {
  IcmpDescription,
  IpDescription,
  PacketAction,
  PacketDamage,
  SequenceRange,
  TcpDescription,
  UdpDescription,
} from "./packet.ts";
import { parseHexadecimal, parseTcpOptions } from "./parse-tcp-options.ts";

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Letters of flags; digits are the ACE field of Accurate ECN as a number. */
const FLAGS: Readonly<Record<string, number>> = { F: FIN, S: SYN, R: RST, P: PSH, ".": ACK, U: URG, E: ECE, W: CWR, C: CWR, A: AE };
const FLAG_LETTERS = /[FSRPUEWCA.0-7]+(?=\s)|-(?=\s)/y;
const PORTS = /\d+\s*>\s*\d+\s*:?/y;
const IP_WORD = /\[\s*(?=(?:ect0|ect1|ect01|ce|noecn|tos|dscp|ttl|hlim|flowlabel|bad_\w+|trunc\w*)\b)|\(\s*(?=(?:ttl|hlim|tos)\b)/y;
const ENCAPSULATION = /(?:ipv4|ipv6|gre|mpls)\b[^:\n]*(?:[0-9a-fA-F]*:[0-9a-fA-F]*)*:/y;

export function parsePacket(cursor: Cursor): PacketAction {
  const direction = cursor.takeSymbol("<") ? "in" : "out";
  if (direction === "out") cursor.expect(">", "in front of a packet");
  let ip: IpDescription = {};
  let ports: PacketAction["ports"];
  let unsupported: string | undefined;
  for (;;) {
    const opening = cursor.take(IP_WORD);
    if (opening !== undefined) ip = { ...ip, ...parseIp(cursor, opening.startsWith("[") ? "]" : ")") };
    else if (cursor.take(ENCAPSULATION) !== undefined) unsupported = "packets in tunnels";
    else if (ports === undefined && cursor.sees(PORTS)) ports = parsePorts(cursor);
    else break;
  }
  const body = parseBody(cursor, direction);
  if (typeof body === "string") return { kind: "packet", direction, ip, ports, body: NOTHING, unsupported: body };
  if (body.protocol === "tcp" && direction === "in" && body.options === "any") cursor.fail("<...> stands for options that come out only");
  return { kind: "packet", direction, ip, ports, body, unsupported };
}

const NOTHING: UdpDescription = { protocol: "udp", length: 0, payload: undefined };

function parsePorts(cursor: Cursor): PacketAction["ports"] {
  const source = cursor.integer("a port", 65535);
  cursor.expect(">", "between the ports");
  const destination = cursor.integer("a port", 65535);
  cursor.takeSymbol(":");
  return { source, destination };
}

function parseIp(cursor: Cursor, closing: string): IpDescription {
  const ip: Mutable<IpDescription> = {};
  const damage: Mutable<PacketDamage> = {};
  while (!cursor.takeSymbol(closing)) {
    const word = cursor.word("a property of the IP header");
    if (word === "ect0" || word === "ect1" || word === "ect01" || word === "ce" || word === "noecn") ip.ecn = word;
    else if (word === "tos") ip.trafficClass = cursor.integer("the TOS octet", 255);
    else if (word === "dscp") ip.trafficClass = cursor.integer("the DSCP", 63) << 2;
    else if (word === "ttl" || word === "hlim") ip.timeToLive = cursor.integer("the TTL", 255);
    else if (word === "flowlabel") ip.flowLabel = cursor.integer("the flow label", 0xfffff);
    else if (/^bad_(?:ip_?cksum|cksum_ip|ip_checksum)$/.test(word)) damage.ipChecksum = true;
    else if (/^bad_c(?:ksum|hecksum)/.test(word)) damage.transportChecksum = true;
    else if (/^trunc/.test(word)) damage.truncatedTo = cursor.integer("the number of octets that arrive", 65535);
    else cursor.fail(`${word} is no property of an IP header`);
    cursor.takeSymbol(",");
  }
  return Object.keys(damage).length > 0 ? { ...ip, damage } : ip;
}

function parseBody(cursor: Cursor, direction: "in" | "out"): TcpDescription | UdpDescription | IcmpDescription | string {
  if (cursor.sees(/sctp\b|igmp\b|udplite\b|dccp\b/y)) {
    const protocol = cursor.word("a protocol");
    cursor.take(/[^\n]*/y);
    return `${protocol} packets`;
  }
  if (cursor.takeWord("udp")) {
    cursor.expect("(", "in front of the payload's length");
    const length = cursor.integer("the payload's length", 65535);
    cursor.expect(")", "behind the payload's length");
    return { protocol: "udp", length, payload: parsePayload(cursor, length) };
  }
  if (cursor.takeWord("icmp") || cursor.takeWord("icmpv6")) return parseIcmp(cursor);
  return parseTcp(cursor, direction);
}

function parseTcp(cursor: Cursor, direction: "in" | "out"): TcpDescription {
  const letters = cursor.take(FLAG_LETTERS) ?? cursor.fail("TCP flags (such as S. or P.), udp or icmp are missing");
  const flags = flagsOf(letters);
  const range = parseRange(cursor);
  let ack: number | undefined;
  let window: number | undefined;
  let urgent: number | undefined;
  for (;;) {
    if (cursor.takeWord("ack")) ack = cursor.integer("the acknowledgment");
    else if (cursor.takeWord("win")) window = cursor.takeSymbol("*") ? undefined : cursor.integer("the window", 65535);
    else if (cursor.takeWord("urg")) urgent = cursor.integer("the urgent pointer", 65535);
    else break;
  }
  const options = cursor.takeSymbol("<...>") ? "any" : cursor.startsWith("<") && isOptions(cursor) ? parseTcpOptions(cursor) : [];
  if (direction === "in") window ??= 0;
  return { protocol: "tcp", flags, ...range, ack, window, urgent, options, payload: parsePayload(cursor, range.length) };
}

/** An event without a time could begin with `<` too. */
function isOptions(cursor: Cursor): boolean {
  return !cursor.sees(/<\s*(?:\[|[FSRPUEWCA.-]+\s+\d+:)/y);
}

function flagsOf(letters: string): number {
  if (letters === "-") return 0;
  let flags = 0;
  for (const letter of letters) {
    if (/\d/.test(letter)) flags |= (Number(letter) & 4 ? AE : 0) | (Number(letter) & 2 ? CWR : 0) | (Number(letter) & 1 ? ECE : 0);
    else flags |= FLAGS[letter];
  }
  return flags;
}

function parseRange(cursor: Cursor): SequenceRange {
  cursor.takeWord("seq");
  const start = cursor.integer("the sequence number");
  cursor.expect(":", "behind the sequence number");
  const end = cursor.integer("the number behind the payload", 2 ** 33);
  cursor.expect("(", "in front of the payload's length");
  const length = cursor.integer("the payload's length", 65535 * 64);
  cursor.expect(")", "behind the payload's length");
  if ((start + length - end) % 2 ** 32 !== 0) cursor.fail(`${start}:${end} is not ${length} octets`);
  return { start, length };
}

function parsePayload(cursor: Cursor, length: number): Uint8Array | undefined {
  if (!cursor.takeWord("payload")) return undefined;
  const quoted = cursor.string();
  const bytes = quoted === undefined ? parseHexadecimal(cursor, "the payload") : Uint8Array.from(quoted, (each) => each.charCodeAt(0));
  if (bytes.length !== length) cursor.fail(`a payload of ${bytes.length} octets where the packet has ${length}`);
  return bytes;
}

function parseIcmp(cursor: Cursor): IcmpDescription {
  const type = cursor.take(/\w+/y) ?? cursor.fail("the type of the ICMP message is missing");
  let code: string | undefined;
  let mtu: number | undefined;
  let identifier: number | undefined;
  let sequence: number | undefined;
  while (cursor.sees(/\w/y) && !cursor.sees(/\d+(?:\.\d*)?\s+[^\s[\]]|\d+\.\d/y)) {
    if (cursor.takeWord("mtu")) mtu = cursor.integer("the MTU");
    else if (cursor.takeWord("id")) identifier = cursor.integer("the identifier", 65535);
    else if (cursor.takeWord("seq")) sequence = cursor.integer("the sequence number", 65535);
    else if (code === undefined) code = cursor.take(/\w+/y);
    else break;
  }
  return { protocol: "icmp", type, code, mtu, identifier, sequence, quoted: cursor.takeSymbol("[") ? parseQuoted(cursor) : undefined };
}

function parseQuoted(cursor: Cursor): IcmpDescription["quoted"] {
  if (cursor.takeWord("udp")) {
    cursor.expect("(", "in front of the payload's length");
    const length = cursor.integer("the payload's length", 65535);
    cursor.expect(")", "behind the payload's length");
    cursor.expect("]", "behind the quoted packet");
    return { protocol: "udp", length };
  }
  const range = parseRange(cursor);
  cursor.expect("]", "behind the quoted packet");
  return { protocol: "tcp", ...range };
}
