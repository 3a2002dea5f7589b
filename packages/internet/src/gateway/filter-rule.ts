// One rule of the packet filter: what it looks at, and how it is compared with a packet.
import { type IpAddress, type IpPrefix, isIpv4, parsePrefix, prefixContains } from "@netstrata/core";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from "../ip-protocol.ts";
import type { FlowState } from "./connection-tracking.ts";
import type { Flow } from "./flow.ts";

export type FilterAction = "accept" | "drop" | "reject";

/** What is absent matches everything. A list matches when one of it does. */
export interface FilterRule {
  /** "drop" in silence; "reject" a TCP segment with a reset, anything else as port unreachable. */
  readonly action: FilterAction;
  /** "reject" as administratively prohibited, TCP too (RFC 1812 §5.2.7.1, RFC 4443 §3.1). @default false */
  readonly prohibited?: boolean;
  /** The interface a packet came in by; what this host sends came in by none. */
  readonly in?: string;
  /** The interface it is to leave by. */
  readonly out?: string;
  readonly protocol?: "tcp" | "udp" | "icmp" | "icmpv6" | number;
  /** Addresses or prefixes of either family: `"10.0.0.0/8"`, `"2001:db8::1"`. */
  readonly from?: string | readonly string[];
  readonly to?: string | readonly string[];
  /** Ports, or ranges of them: `80`, `"1024-65535"`. Only TCP and UDP have any. */
  readonly fromPort?: Ports;
  readonly toPort?: Ports;
  readonly state?: FlowState | readonly FlowState[];
}

export type Ports = number | string | readonly (number | string)[];

/** A packet as rules see it: with translated destination, and a source that is not translated yet. */
export interface FilteredPacket {
  readonly flow: Flow;
  readonly state: FlowState;
  readonly in: string | undefined;
  readonly out: string | undefined;
}

const PROTOCOLS: Readonly<Record<string, number>> = {
  tcp: PROTOCOL_TCP,
  udp: PROTOCOL_UDP,
  icmp: PROTOCOL_ICMP,
  icmpv6: PROTOCOL_ICMPV6,
};

const STATES: ReadonlySet<string> = new Set<FlowState>(["new", "established", "related", "invalid", "untracked"]);

type Test = (packet: FilteredPacket) => boolean;

/** A rule that is in use, and what it has decided. */
export class ActiveRule {
  readonly rule: FilterRule;
  packets = 0;
  octets = 0;
  private readonly tests: readonly Test[];

  /** @throws RangeError for an address, port, protocol or state that is none */
  constructor(rule: FilterRule) {
    this.rule = rule;
    this.tests = testsOf(rule);
  }

  matches(packet: FilteredPacket): boolean {
    for (const test of this.tests) if (!test(packet)) return false;
    return true;
  }
}

/** The cheap ones first. */
function testsOf(rule: FilterRule): Test[] {
  const tests: Test[] = [];
  if (rule.in !== undefined) tests.push((packet) => packet.in === rule.in);
  if (rule.out !== undefined) tests.push((packet) => packet.out === rule.out);
  const protocol = rule.protocol === undefined ? undefined : protocolNumber(rule.protocol);
  if (protocol !== undefined) tests.push(({ flow }) => flow.protocol === protocol);
  const states = rule.state === undefined ? undefined : list(rule.state);
  const unknown = states?.find((state) => !STATES.has(state));
  if (unknown !== undefined) throw new RangeError(`state ${unknown}: not one of ${[...STATES].join(", ")}`);
  if (states !== undefined) tests.push(({ state }) => states.includes(state));
  if (rule.fromPort !== undefined) tests.push(portTest(rule.fromPort, (flow) => flow.sourcePort));
  if (rule.toPort !== undefined) tests.push(portTest(rule.toPort, (flow) => flow.destinationPort));
  if (rule.from !== undefined) tests.push(addressTest(rule.from, (flow) => flow.source));
  if (rule.to !== undefined) tests.push(addressTest(rule.to, (flow) => flow.destination));
  return tests;
}

function protocolNumber(protocol: string | number): number {
  const number = typeof protocol === "number" ? protocol : PROTOCOLS[protocol];
  if (!(Number.isInteger(number) && number >= 0 && number <= 255)) throw new RangeError(`protocol ${protocol}: not known`);
  return number;
}

function portTest(ports: Ports, portOf: (flow: Flow) => number): Test {
  const ranges = list(ports).map(portRange);
  return ({ flow }) => {
    if (flow.protocol !== PROTOCOL_TCP && flow.protocol !== PROTOCOL_UDP) return false;
    const port = portOf(flow);
    return ranges.some(([first, last]) => port >= first && port <= last);
  };
}

function portRange(port: number | string): readonly [number, number] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(String(port));
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!(first >= 0 && first <= last && last <= 65535)) throw new RangeError(`port ${JSON.stringify(port)}: not a port or a range of ports`);
  return [first, last];
}

function addressTest(texts: string | readonly string[], addressOf: (flow: Flow) => IpAddress): Test {
  const prefixes = list(texts).map(requirePrefix);
  return ({ flow }) => {
    const address = addressOf(flow);
    return prefixes.some((prefix) => isIpv4(prefix.address) === isIpv4(address) && prefixContains(prefix, address));
  };
}

function requirePrefix(text: string): IpPrefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(`${JSON.stringify(text)}: not an address or a prefix`);
  return parsed;
}

export function list<Item>(items: Item | readonly Item[]): readonly Item[] {
  return Array.isArray(items) ? items : [items as Item];
}
