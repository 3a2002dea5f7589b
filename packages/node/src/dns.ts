// `node:dns` over what a stack knows of names (Node documentation, "DNS"): its hosts entries. There is no resolver yet.
import dns from "node:dns";
import { isIP } from "node:net";
import { promisify } from "node:util";
import { formatIp, isIpv6 } from "@netstrata/core";
import type { Stack } from "@netstrata/socket";
import { invalidArgType, invalidArgValue } from "./node-error.ts";
import { lookupException } from "./system-exception.ts";
import { requireBoolean, requireFunction, requireNumber, requireOneOf, requireString } from "./validate.ts";

export interface LookupOptions {
  family?: number | "IPv4" | "IPv6";
  hints?: number;
  all?: boolean;
  order?: "ipv4first" | "ipv6first" | "verbatim";
  verbatim?: boolean;
}

interface Found {
  address: string;
  family: 4 | 6;
}

type LookupCallback = (error: Error | null, address?: string | Found[], family?: number) => void;

export interface StackDns {
  lookup(hostname: string, callback: LookupCallback): object;
  lookup(hostname: string, options: LookupOptions | number, callback: LookupCallback): object;
  readonly promises: { lookup(hostname: string, options?: LookupOptions | number): Promise<Found | Found[]> };
  getDefaultResultOrder(): string;
  setDefaultResultOrder(order: string): void;
  [other: string]: unknown;
}

const made: WeakMap<Stack, StackDns> = new WeakMap();

/** The one `dns` of a stack: what replaces its `lookup` replaces it for the stack's sockets as well, as in Node. */
export function stackDns(stack: Stack): StackDns {
  let existing = made.get(stack);
  if (existing === undefined) {
    existing = createDns(stack);
    made.set(stack, existing);
  }
  return existing;
}

/** Addresses of a name that is known without asking anybody. `localhost` has both (RFC 6761 §6.3). */
function known(stack: Stack, hostname: string): Found[] {
  const name = hostname.toLowerCase().replace(/\.$/, "");
  const address = stack.hosts.find(name);
  if (name === "localhost" && address !== undefined) {
    return [
      { address: "::1", family: 6 },
      { address: formatIp(address), family: 4 },
    ];
  }
  return address === undefined ? [] : [{ address: formatIp(address), family: isIpv6(address) ? 6 : 4 }];
}

export function createDns(stack: Stack): StackDns {
  const find = (hostname: string, options: LookupOptions): Found[] => {
    const family = options.family === "IPv4" ? 4 : options.family === "IPv6" ? 6 : (options.family ?? 0);
    const all = known(stack, hostname).filter((each) => family === 0 || each.family === family);
    const order =
      options.order ?? (options.verbatim === false ? "ipv4first" : options.verbatim === true ? "verbatim" : dns.getDefaultResultOrder());
    if (order === "verbatim") return all;
    const wanted = order === "ipv4first" ? 4 : 6;
    return [...all.filter((each) => each.family === wanted), ...all.filter((each) => each.family !== wanted)];
  };
  const result = {
    lookup(hostname: string, given: LookupOptions | number | LookupCallback, last?: LookupCallback): object {
      const callback = typeof given === "function" ? given : last;
      requireFunction(callback, "callback");
      const done = callback as LookupCallback;
      const options = toOptions(typeof given === "function" ? undefined : given);
      if (hostname) {
        if (typeof hostname !== "string") throw invalidArgType("hostname", "string", hostname);
      } else {
        process.nextTick(done, null, options.all ? [] : null, options.all ? undefined : options.family === 6 ? 6 : 4);
        return {};
      }
      const version = isIP(hostname);
      const addresses = version !== 0 ? [{ address: hostname, family: version as 4 | 6 }] : find(hostname, options);
      // What is known at once is told as if somebody had been asked.
      if (addresses.length === 0) process.nextTick(done, lookupException("ENOTFOUND", hostname));
      else if (options.all) process.nextTick(done, null, addresses);
      else process.nextTick(done, null, addresses[0].address, addresses[0].family);
      return {};
    },
    promises: {
      lookup: (hostname: string, options?: LookupOptions | number): Promise<Found | Found[]> =>
        new Promise((resolve, reject) => {
          const given = toOptions(options);
          result.lookup(hostname, given, (error, address, family) => {
            if (error !== null) reject(error);
            else resolve(given.all ? (address as Found[]) : { address: address as string, family: family as 4 | 6 });
          });
        }),
    },
    getDefaultResultOrder: dns.getDefaultResultOrder,
    setDefaultResultOrder: dns.setDefaultResultOrder,
  };
  const constants: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(dns)) if (typeof value === "string" || typeof value === "number") constants[name] = value;
  const calls = resolverCalls();
  const promised: Record<string, unknown> = { ...constants };
  for (const [name, call] of Object.entries(calls)) {
    // The settings answer at once, in both shapes.
    promised[name] = name.endsWith("Servers") ? call : promisify(call as (...args: unknown[]) => void);
  }
  const { getDefaultResultOrder, setDefaultResultOrder } = result;
  Object.assign(result.promises, { ...promised, getDefaultResultOrder, setDefaultResultOrder, lookup: result.promises.lookup });
  return { ...constants, ...calls, ...result } as unknown as StackDns;
}

/** The calls that ask a name server. There is none to be asked, which is told as Node tells it. */
function resolverCalls(): Record<string, unknown> {
  let servers: string[] = [];
  const calls: Record<string, unknown> = {
    getServers: () => [...servers],
    setServers: (wanted: readonly string[]) => {
      if (!Array.isArray(wanted)) throw invalidArgType("servers", "Array", wanted);
      servers = [...wanted];
    },
  };
  for (const name of Object.keys(dns).filter((each) => /^(resolve|reverse)/.test(each))) {
    const query =
      name === "reverse"
        ? "getHostByAddr"
        : `query${name === "resolve" || name === "resolve4" ? "A" : name === "resolve6" ? "Aaaa" : name.slice(7)}`;
    calls[name] = (hostname: unknown, ...rest: unknown[]): void => {
      requireString(hostname, "name");
      const callback = rest[rest.length - 1];
      requireFunction(callback, "callback");
      process.nextTick(callback as () => void, lookupException("ECONNREFUSED", hostname, query));
    };
  }
  return calls;
}

function toOptions(given: LookupOptions | number | undefined): LookupOptions {
  if (given === undefined || given === null) return {};
  const options = typeof given === "number" ? { family: given } : given;
  if (typeof options !== "object") throw invalidArgType("options", ["integer", "object"], given);
  if (options.hints != null) {
    requireNumber(options.hints, "options.hints");
    if ((options.hints & ~(dns.ADDRCONFIG | dns.V4MAPPED | dns.ALL)) !== 0) throw invalidArgValue("hints", options.hints);
  }
  if (options.family != null) requireOneOf(options.family, "options.family", [0, 4, 6, "IPv4", "IPv6"]);
  if (options.all != null) requireBoolean(options.all, "options.all");
  if (options.verbatim != null) requireBoolean(options.verbatim, "options.verbatim");
  if (options.order != null) requireOneOf(options.order, "options.order", ["ipv4first", "ipv6first", "verbatim"]);
  return options;
}
