// What a test may ask our stack besides what every host can do.
import { formatIp, formatPrefix, ip } from "@netstrata/core";
import type { FaultInjector, LinkCounters } from "@netstrata/link";
import type { Layers, Stack } from "@netstrata/socket";
import type { OpenInterface } from "../stack-interfaces.ts";

export interface Subject {
  readonly stack: Stack;
  readonly interfaces: readonly OpenInterface[];
}

export interface StackCalls {
  readonly ping: typeof ping;
  readonly counters: typeof counters;
  readonly route: typeof route;
  readonly addresses: typeof addresses;
}

export const STACK_CALLS: StackCalls = { ping, counters, route, addresses };

export interface PingArguments {
  readonly to: string;
  readonly octets?: number;
  readonly timeToLive?: number;
  readonly dontFragment?: boolean;
}

export interface PingAnswer {
  readonly from: string;
  /** Octets of the reply's payload, if there was a reply. */
  readonly octets?: number;
  /** Why there was none. */
  readonly error?: string;
}

/** One echo request, and what came of it. */
async function ping({ stack }: Subject, { to, octets = 56, timeToLive, dontFragment }: PingArguments): Promise<PingAnswer> {
  return new Promise((resolve, reject) => {
    const finish = (answer: PingAnswer): void => {
      client.close();
      resolve(answer);
    };
    const client = stack.layers.internet.echo.open({
      reply: (_sequence, payload, header) => finish({ from: formatIp(header.source), octets: payload.length }),
      error: (error) => finish({ from: formatIp(error.from), error: error.kind }),
    });
    const result = client.send({ destination: ip(to), sequence: 1, payload: new Uint8Array(octets), timeToLive, dontFragment });
    if (result !== "sent") reject(new Error(result));
  });
}

export interface InterfaceCounters extends LinkCounters {
  readonly name: string;
  readonly faults: FaultInjector["faults"] | undefined;
}

export interface StackCounters {
  readonly tcp: Layers["tcp"]["counters"];
  readonly tcpDrops: Layers["tcp"]["drops"]["counters"];
  readonly udp: Layers["udp"]["counters"];
  readonly ip: Layers["internet"]["ipv4"]["counters"];
  readonly ip6: Layers["internet"]["ipv6"]["counters"];
  readonly connections: number;
  readonly interfaces: readonly InterfaceCounters[];
}

async function counters({ stack, interfaces }: Subject): Promise<StackCounters> {
  const { internet, tcp, udp } = stack.layers;
  return {
    tcp: tcp.counters,
    tcpDrops: tcp.drops.counters,
    udp: udp.counters,
    ip: internet.ipv4.counters,
    ip6: internet.ipv6.counters,
    connections: tcp.connectionCount,
    interfaces: interfaces.map(({ device, faults }) => ({ name: device.name, ...device.counters, faults: faults?.faults })),
  };
}

/** What our stack knows of the way to a destination. */
async function route({ stack }: Subject, { to }: { readonly to: string }): Promise<{ readonly maxSendSize: number }> {
  return { maxSendSize: stack.layers.internet.maxSendSize(ip(to)) };
}

/** The addresses of all our interfaces but the loopback, and the neighbours that we know by IPv6. */
async function addresses({ stack }: Subject): Promise<{ readonly own: readonly string[]; readonly neighbours: readonly string[] }> {
  const { internet } = stack.layers;
  const interfaces = internet.interfaces.slice(1);
  return {
    own: interfaces.flatMap((each) => each.addresses.map(formatPrefix)),
    neighbours: interfaces.flatMap((each) => internet.discovery(each)?.cache.addresses().map(formatIp) ?? []),
  };
}
