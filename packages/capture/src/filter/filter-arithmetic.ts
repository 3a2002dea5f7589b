// Arithmetic on a packet's octets: `ip[2:2] - ((ip[0] & 0xf) << 2)`. All numbers are unsigned and have 32 bits.
import type { Dissection } from "../dissect/dissection.ts";
import type { Layer } from "../dissect/layer.ts";
import type { Quantity, Test } from "./filter-node.ts";

interface Operator {
  /** The higher binds the closer. */
  readonly precedence: number;
  readonly apply: (left: number, right: number) => number | undefined;
}

export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["|", { precedence: 1, apply: (left, right) => left | right }],
  ["^", { precedence: 1, apply: (left, right) => left ^ right }],
  ["&", { precedence: 2, apply: (left, right) => left & right }],
  ["<<", { precedence: 3, apply: (left, right) => (right > 31 ? 0 : left << right) }],
  [">>", { precedence: 3, apply: (left, right) => (right > 31 ? 0 : left >>> right) }],
  ["+", { precedence: 4, apply: (left, right) => left + right }],
  ["-", { precedence: 4, apply: (left, right) => left - right }],
  ["*", { precedence: 5, apply: Math.imul }],
  ["/", { precedence: 5, apply: (left, right) => (right === 0 ? undefined : left / right) }],
  ["%", { precedence: 5, apply: (left, right) => (right === 0 ? undefined : left % right) }],
]);

const RELATIONS: ReadonlyMap<string, (left: number, right: number) => boolean> = new Map([
  ["=", (left: number, right: number) => left === right],
  ["==", (left: number, right: number) => left === right],
  ["!=", (left: number, right: number) => left !== right],
  ["<", (left: number, right: number) => left < right],
  ["<=", (left: number, right: number) => left <= right],
  [">", (left: number, right: number) => left > right],
  [">=", (left: number, right: number) => left >= right],
]);

export function isRelation(operator: string): boolean {
  return RELATIONS.has(operator);
}

export function relation(operator: string, left: Quantity, right: Quantity): Test {
  const holds = RELATIONS.get(operator) as (left: number, right: number) => boolean;
  return (dissection) => {
    const a = left(dissection);
    const b = right(dissection);
    return a !== undefined && b !== undefined && holds(a, b);
  };
}

export function operation({ apply }: Operator, left: Quantity, right: Quantity): Quantity {
  return (dissection) => {
    const a = left(dissection);
    const b = right(dissection);
    const result = a === undefined || b === undefined ? undefined : apply(a, b);
    return result === undefined ? undefined : result >>> 0;
  };
}

type HeaderFinder = (dissection: Dissection) => Layer | undefined;

/** Where octets are counted from, by the name in front of the brackets. */
const HEADERS: ReadonlyMap<string, HeaderFinder> = new Map<string, HeaderFinder>([
  ["ether", ({ layers }) => layers[0]],
  ["ip", ({ ip }) => (ip?.protocol === "ipv4" ? ip : undefined)],
  ["ip6", ({ ip }) => (ip?.protocol === "ipv6" ? ip : undefined)],
  ["arp", ({ layers }) => layers.find((layer) => layer.protocol === "arp")],
  ["tcp", ({ transport }) => (transport?.protocol === "tcp" ? transport : undefined)],
  ["udp", ({ transport }) => (transport?.protocol === "udp" ? transport : undefined)],
  ["icmp", ({ transport }) => (transport?.protocol === "icmp" ? transport : undefined)],
  ["icmp6", ({ transport }) => (transport?.protocol === "icmpv6" ? transport : undefined)],
]);

export function hasOctets(protocol: string): boolean {
  return HEADERS.has(protocol);
}

/** `size` octets (1, 2 or 4) from `offset` on, counted from the protocol's header. */
export function octets(protocol: string, offset: Quantity, size: number): Quantity {
  const header = HEADERS.get(protocol) as HeaderFinder;
  return (dissection) => {
    const layer = header(dissection);
    const distance = offset(dissection);
    if (layer === undefined || distance === undefined) return undefined;
    const { bytes } = dissection;
    const at = layer.offset + distance;
    if (at + size > bytes.length) return undefined;
    let value = 0;
    for (let index = at; index < at + size; index += 1) value = value * 256 + bytes[index];
    return value;
  };
}

/** Names for numbers: control bits, types, and where in a header they are. */
export const NAMED_NUMBERS: ReadonlyMap<string, number> = new Map([
  ["tcpflags", 13],
  ["tcp-fin", 0x01],
  ["tcp-syn", 0x02],
  ["tcp-rst", 0x04],
  ["tcp-push", 0x08],
  ["tcp-ack", 0x10],
  ["tcp-urg", 0x20],
  ["tcp-ece", 0x40],
  ["tcp-cwr", 0x80],
  ["icmptype", 0],
  ["icmpcode", 1],
  ["icmp-echoreply", 0],
  ["icmp-unreach", 3],
  ["icmp-sourcequench", 4],
  ["icmp-redirect", 5],
  ["icmp-echo", 8],
  ["icmp-routeradvert", 9],
  ["icmp-routersolicit", 10],
  ["icmp-timxceed", 11],
  ["icmp-paramprob", 12],
  ["icmp-tstamp", 13],
  ["icmp-tstampreply", 14],
  ["icmp6type", 0],
  ["icmp6code", 1],
  ["icmp6-destinationunreach", 1],
  ["icmp6-packettoobig", 2],
  ["icmp6-timeexceeded", 3],
  ["icmp6-parameterproblem", 4],
  ["icmp6-echo", 128],
  ["icmp6-echoreply", 129],
  ["icmp6-routersolicit", 133],
  ["icmp6-routeradvert", 134],
  ["icmp6-neighborsolicit", 135],
  ["icmp6-neighboradvert", 136],
]);
