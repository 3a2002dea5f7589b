// ICMP and ICMPv6 messages in words, as tcpdump puts them.
import { formatIp, type Ipv4Address, PacketBuffer, readIpv6 } from "@netstrata/core";
import type { IcmpLayer } from "../dissect/layer.ts";
import { describeQuoted } from "./describe-ip.ts";
import type { Line } from "./line.ts";

type Words = (message: IcmpLayer, line: Line, index: number) => string;

const echo =
  (kind: string): Words =>
  ({ rest = 0 }) =>
    `echo ${kind}, id ${rest >>> 16}, seq ${rest & 0xffff}`;

const quotedHost =
  (what: string): Words =>
  (_message, line, index) =>
    `host ${describeQuoted(line, index + 1).host} ${what}`;

const quotedService =
  (what: string): Words =>
  (_message, line, index) =>
    `${describeQuoted(line, index + 1).service} ${what}`;

/** RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1. */
const UNREACHABLE: readonly Words[] = [
  quotedHost("network unreachable"),
  quotedHost("unreachable"),
  quotedService("protocol unreachable"),
  quotedService("unreachable"),
  ({ rest = 0 }, line, index) => `${describeQuoted(line, index + 1).host} unreachable - need to frag (mtu ${rest & 0xffff})`,
  quotedHost("unreachable - source route failed"),
  quotedHost("network unknown"),
  quotedHost("unknown"),
  quotedHost("isolated"),
  quotedHost("unreachable - network prohibited"),
  quotedHost("unreachable - admin prohibited"),
  quotedHost("unreachable - network type of service"),
  quotedHost("unreachable - type of service"),
  quotedHost("unreachable - admin prohibited filter"),
];

const V4: ReadonlyMap<number, Words> = new Map<number, Words>([
  [0, echo("reply")],
  [3, (message, line, index) => UNREACHABLE[message.code]?.(message, line, index) ?? `unreachable code ${message.code}`],
  [4, () => "source quench"],
  [5, ({ rest = 0 }, line, index) => `redirect ${describeQuoted(line, index + 1).host} to host ${formatIp(rest as Ipv4Address)}`],
  [8, echo("request")],
  [9, () => "router advertisement"],
  [10, () => "router solicitation"],
  [11, ({ code }) => (code === 0 ? "time exceeded in-transit" : "ip reassembly time exceeded")],
  [12, ({ rest = 0 }) => `parameter problem - octet ${rest >>> 24}`],
  [13, () => "time stamp query"],
  [14, () => "time stamp reply"],
]);

/** RFC 4443 §3.1. */
const UNREACHABLE_V6 = ["no route", "prohibited", "beyond scope", "address", "port", "source policy", "reject route"];

const V6: ReadonlyMap<number, Words> = new Map<number, Words>([
  [
    1,
    ({ code }, line, index) =>
      `destination unreachable, ${UNREACHABLE_V6[code] ?? `code ${code}`}, ${describeQuoted(line, index + 1).service}`,
  ],
  [2, ({ rest = 0 }) => `packet too big, mtu ${rest}`],
  [3, ({ code }) => (code === 0 ? "time exceeded in-transit" : "ip reassembly time exceeded")],
  [4, ({ rest = 0 }) => `parameter problem - octet ${rest}`],
  [128, echo("request")],
  [129, echo("reply")],
  [130, () => "multicast listener query"],
  [131, () => "multicast listener report"],
  [132, () => "multicast listener done"],
  [133, () => "router solicitation"],
  [134, () => "router advertisement"],
  [135, (message, line) => `neighbor solicitation, who has ${targetOf(message, line)}`],
  [136, (message, line) => `neighbor advertisement, tgt is ${targetOf(message, line)}`],
  [137, () => "redirect"],
  [143, () => "multicast listener report v2"],
]);

export function describeIcmp(message: IcmpLayer, line: Line, index: number): string {
  const isV4 = message.protocol === "icmp";
  const words = (isV4 ? V4 : V6).get(message.type)?.(message, line, index) ?? `type ${message.type} code ${message.code}`;
  return `${isV4 ? "ICMP " : "ICMP6, "}${words}, length ${message.messageLength}`;
}

/** The address behind the header of a neighbour message (RFC 4861 §4.3). */
function targetOf(message: IcmpLayer, line: Line): string {
  const at = message.offset + message.headerLength;
  const { bytes } = line.dissection;
  return at + 16 <= bytes.length ? formatIp(readIpv6(PacketBuffer.wrap(bytes), at)) : "?";
}
