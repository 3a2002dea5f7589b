// `sysctl netstrata.tcp.NAME=VALUE` and `netstrata drill --set NAME=VALUE`: options of this stack by their own names (docs: `TcpStackOptions`).
import { DEFAULT_TCP_OPTIONS, type TcpConnectionOptions, type TcpStackOptions } from "@netstrata/transport";

/** Those that a stack has as a whole, and takes when it is made. */
export const STACK_OPTIONS: ReadonlySet<string> = new Set<Exclude<keyof TcpStackOptions, keyof TcpConnectionOptions | "personality">>([
  "maxConnections",
  "maxOrphans",
  "memoryLimit",
  "portRange",
  "challengeAcksPerSecond",
  "synCookies",
  "fastOpen",
  "fastOpenKey",
  "acceptSourceRoutes",
]);

/** Those that mean something else than any value when they are absent. */
const WITHOUT_DEFAULT: readonly (keyof TcpConnectionOptions)[] = [
  "maximumSegmentSize",
  "timeToLive",
  "trafficClass",
  "quickAck",
  "slowStartLimit",
  "initialWindow",
  "windowScale",
];

const DEFAULTS: ReadonlyMap<string, unknown> = new Map(Object.entries(DEFAULT_TCP_OPTIONS));

export const OWN_OPTIONS: ReadonlySet<string> = new Set([...DEFAULTS.keys(), ...WITHOUT_DEFAULT, ...STACK_OPTIONS]);

const PREFIX = "netstrata.tcp.";

/** The option that a setting names; undefined where it is none of this stack's own. */
export function ownOptionName(setting: string): string | undefined {
  const name = setting.startsWith(PREFIX) ? setting.slice(PREFIX.length) : "";
  return OWN_OPTIONS.has(name) ? name : undefined;
}

/** Numbers, `Infinity`, `true`, `false`, JSON, or a word. Undefined where the option takes nothing of the kind. */
export function ownOptionValue(name: string, text: string): unknown {
  const value = readValue(text.trim());
  const usual: unknown = DEFAULTS.get(name);
  return usual === undefined || typeof usual === typeof value ? value : undefined;
}

function readValue(text: string): unknown {
  if (text === "") return undefined;
  if (!Number.isNaN(Number(text))) return Number(text);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
