// What can be chosen for a run: on the command line, in the head of the script as `--name=value`, or by the caller.
import { type IpAddress, ipVersion, parseIp } from "@netstrata/core";
import type { PersonalityName } from "@netstrata/transport";
import type { ScriptOption } from "../language/script.ts";
import { type DrillIpVersion, DrillStop, IP_VERSIONS } from "./drill-report.ts";

export interface DrillOptions {
  /** The script's name in reports. @default "script" */
  readonly name?: string;
  /** Whose choices the stack makes. @default "linux"; "freebsd" for a script that sets FreeBSD's sysctls */
  readonly personality?: PersonalityName;
  /** What the script is run over, unless it says so itself. @default "ipv4" */
  readonly ipVersion?: DrillIpVersion;
  /** Names and what stands for them in the script. */
  readonly definitions?: Readonly<Record<string, string>>;
  /** As `--name=value` in the head of the script; these win. */
  readonly arguments?: Readonly<Record<string, string>>;
  /** Files beside the script, for `./defaults.sh` and the like. @default none is there */
  readonly readFile?: (path: string) => string | undefined;
  /** Of the stack's chance. @default 1 */
  readonly seed?: number;
  /** Options of the stack's TCP that win over everything the script sets; for tests of the scripts themselves. */
  readonly tcp?: Readonly<Record<string, unknown>>;
}

/** Everything decided. Times in ms. */
export interface RunSettings {
  readonly ipVersion: DrillIpVersion;
  readonly personality: PersonalityName;
  readonly localAddress: IpAddress;
  readonly remoteAddress: IpAddress;
  readonly bindPort: number;
  readonly connectPort: number;
  readonly mtu: number;
  readonly mss: number | undefined;
  readonly tolerance: number;
  /** A part of the time since the event before. */
  readonly tolerancePart: number;
  /** Milliseconds of one tick of our timestamps, which are then checked; 0: they are not. */
  readonly timestampTick: number;
  readonly strictSegments: boolean;
  readonly strictOptions: boolean;
  readonly nonFatalPackets: boolean;
  readonly nonFatalCalls: boolean;
  readonly initScripts: readonly string[];
}

const ADDRESSES: Readonly<Record<DrillIpVersion, readonly [local: string, remote: string]>> = {
  ipv4: ["192.168.0.1", "192.0.2.1"],
  "ipv4-mapped-ipv6": ["192.168.0.1", "192.0.2.1"],
  ipv6: ["fd3d:0a0b:17d6::1", "fd3d:fa7b:d17d::1"],
};
/** The header is 20 octets longer: so both versions have the same segments. */
const MTUS: Readonly<Record<DrillIpVersion, number>> = { ipv4: 1500, "ipv4-mapped-ipv6": 1500, ipv6: 1520 };

/** Options that are about packetdrill's own machinery, or that say what is the case anyway. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(
  "code_command code_format code_sockopt verbose debug dry_run wire_client_dev wire_server_port netmask_ip gateway_ip speed so_filename persistent_tun_dev persistent_tun send_omit_free define udp_encaps tun_dev live_prefix".split(
    " ",
  ),
);
/** Two machines and a wire between them. */
const UNSUPPORTED: ReadonlySet<string> = new Set("wire_client wire_server wire_server_at wire_server_ip so_flags".split(" "));
const KNOWN: ReadonlySet<string> = new Set(
  "ip_version local_ip live_local_ip remote_ip live_remote_ip connect_ip live_connect_ip bind_ip live_bind_ip bind_port live_bind_port connect_port live_connect_port mtu mss tolerance_usecs tolerance_percent tcp_ts_tick_usecs tcp_ts_ecr_scaled strict_segments strict_tcp_options non_fatal init_scripts personality".split(
    " ",
  ),
);

/** @throws DrillStop */
export function runSettings(script: readonly ScriptOption[], options: DrillOptions): RunSettings {
  const values = new Map(script.map(({ name, value }) => [name, value ?? "1"]));
  for (const [name, value] of Object.entries(options.arguments ?? {})) values.set(name.replaceAll("-", "_"), value);
  for (const name of values.keys()) {
    if (UNSUPPORTED.has(name)) throw new DrillStop("unsupported", `unsupported: the option --${name}`);
    if (!KNOWN.has(name) && !WITHOUT_EFFECT.has(name)) throw new DrillStop("error", `there is no option --${name}`);
  }
  const ipVersion = oneOf(values, "ip_version", IP_VERSIONS) ?? options.ipVersion ?? "ipv4";
  const bindPort = number(values, "bind_port", 65535) ?? number(values, "live_bind_port", 65535) ?? 8080;
  const [local, remote] = ADDRESSES[ipVersion];
  const nonFatal = (values.get("non_fatal") ?? "").split(",");
  return {
    ipVersion,
    personality: oneOf(values, "personality", ["rfc", "linux", "freebsd"] as const) ?? options.personality ?? "linux",
    localAddress: address(values, ["local_ip", "live_local_ip", "bind_ip", "live_bind_ip"], ipVersion, local),
    remoteAddress: address(values, ["remote_ip", "live_remote_ip", "connect_ip", "live_connect_ip"], ipVersion, remote),
    bindPort,
    connectPort: number(values, "connect_port", 65535) ?? number(values, "live_connect_port", 65535) ?? 8080,
    mtu: number(values, "mtu", 65535) ?? MTUS[ipVersion],
    mss: number(values, "mss", 65535),
    tolerance: (number(values, "tolerance_usecs", 1e12) ?? 4000) / 1000,
    tolerancePart: (number(values, "tolerance_percent", 1e6) ?? 1) / 100,
    timestampTick: (number(values, "tcp_ts_tick_usecs", 1e9) ?? 0) / 1000,
    strictSegments: values.has("strict_segments"),
    strictOptions: values.has("strict_tcp_options"),
    nonFatalPackets: nonFatal.includes("packet"),
    nonFatalCalls: nonFatal.includes("syscall"),
    initScripts: (values.get("init_scripts") ?? "").split(",").filter((each) => each !== ""),
  };
}

function number(values: ReadonlyMap<string, string>, name: string, most: number): number | undefined {
  const text = values.get(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= most) return value;
  throw new DrillStop("error", `--${name}=${text}: not a number from 0 to ${most}`);
}

function oneOf<Value extends string>(values: ReadonlyMap<string, string>, name: string, allowed: readonly Value[]): Value | undefined {
  const text = values.get(name);
  const found = allowed.find((each) => each === text);
  if (text !== undefined && found === undefined) throw new DrillStop("error", `--${name}=${text}: not one of ${allowed.join(", ")}`);
  return found;
}

/** Addresses of the other version are for runs over the other version. */
function address(values: ReadonlyMap<string, string>, names: readonly string[], version: DrillIpVersion, standard: string): IpAddress {
  for (const name of names) {
    const text = values.get(name);
    const parsed = text === undefined ? undefined : parseIp(text.replace(/\/\d+$/, ""));
    if (text !== undefined && parsed === undefined) throw new DrillStop("error", `--${name}=${text}: not an IP address`);
    if (parsed !== undefined && ipVersion(parsed) === (version === "ipv6" ? 6 : 4)) return parsed;
  }
  return parseIp(standard) as IpAddress;
}
