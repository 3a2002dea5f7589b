// netstrata drill: packetdrill scripts against a stack on a virtual clock.
import {
  type DrillIpVersion,
  type DrillOptions,
  type DrillReport,
  findScripts,
  IP_VERSIONS,
  OWN_OPTIONS,
  ownOptionValue,
  runDrillFile,
} from "@netstrata/testing/node";
import { PERSONALITIES, type PersonalityName } from "@netstrata/transport";
import { readInteger } from "../argument-value.ts";
import { type Command, defineCommand } from "../command.ts";
import type { Io } from "../terminal/io.ts";
import { LineWriter } from "../terminal/lines.ts";
import { ProgressBar } from "../terminal/progress-bar.ts";
import { styleFor } from "../terminal/style.ts";
import { UsageError } from "../usage-error.ts";
import { type DrillCounts, renderCounts, renderDrill, renderTap, reportToJson } from "./drill-view.ts";

/** Options of packetdrill itself, handed on as they are. */
const SCRIPT_OPTIONS = [
  "tolerance_usecs",
  "init_scripts",
  "local_ip",
  "remote_ip",
  "mtu",
  "bind_port",
  "tcp_ts_tick_usecs",
  "non_fatal",
] as const;

export const drill: Command = defineCommand({
  name: "drill",
  summary: "run packetdrill scripts against the stack; no root, no kernel",
  usage: "FILE|DIRECTORY…",
  examples: [
    ["netstrata drill handshake.pkt", "one script; after a failure: expected, seen, and the packets so far"],
    ["netstrata drill scripts/ --ip-version ipv4,ipv6", "all .pkt files below a directory, over both versions"],
    ["netstrata drill scripts/ --set sack=false", "what depends on selective acknowledgments? it fails without"],
    ["netstrata drill scripts/ --personality rfc --tap", "with other defaults of the stack; output for a test harness"],
  ],
  options: {
    "ip-version": { kind: "value", argument: "LIST", help: "ipv4, ipv6, ipv4-mapped-ipv6, unless the script says which (default ipv4)" },
    personality: { kind: "value", argument: "NAME", help: "linux, freebsd or rfc (default: linux, or freebsd by the script's sysctls)" },
    define: { kind: "list", short: "D", argument: "NAME=VALUE", help: "a name in the script, and what it stands for" },
    set: { kind: "list", argument: "NAME=VALUE", help: "an option of the stack's TCP that wins over what the script sets" },
    seed: { kind: "value", argument: "N", help: "of the stack's chance (default 1)" },
    json: { kind: "flag", help: "NDJSON: one object a run" },
    tap: { kind: "flag", help: "TAP version 13" },
    verbose: { kind: "flag", short: "v", help: "show every packet and call of every script" },
    strict_segments: { kind: "flag", help: "segments that are joined or split count as different" },
    tolerance_usecs: { kind: "value", argument: "N", help: "how far from its time a packet may be (default 4000)" },
    init_scripts: { kind: "value", argument: "FILES", help: "preparing scripts; only their sysctl lines mean something" },
    local_ip: { kind: "value", argument: "ADDRESS", help: "of the stack under test" },
    remote_ip: { kind: "value", argument: "ADDRESS", help: "of the peer that the script plays" },
    mtu: { kind: "value", argument: "N", help: "of the link (default 1500; 1520 over IPv6)" },
    bind_port: { kind: "value", argument: "PORT", help: "where `bind(…)` binds (default 8080)" },
    tcp_ts_tick_usecs: { kind: "value", argument: "N", help: "check the stack's timestamps against this clock" },
    non_fatal: { kind: "value", argument: "LIST", help: "packet, syscall: note what differs and go on" },
  },
  notes: [
    "Exit code: 0 all pass, 1 some fail or ask for something unsupported, 2 trouble: a script that cannot be read.",
    "What is unsupported is counted apart, and never as a pass. The language is described in docs/drill.md.",
  ].join("\n"),
  words: [1, Number.POSITIVE_INFINITY],
  run: async (values, words, io) => {
    const files = await findScripts(words);
    if (files.length === 0) throw new UsageError(`drill: no .pkt file in ${words.join(", ")}`);
    const versions = readVersions(values["ip-version"] ?? "ipv4");
    const given = SCRIPT_OPTIONS.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]] as const]));
    const options: DrillOptions = {
      personality: readPersonality(values.personality),
      definitions: Object.fromEntries(values.define.map(readDefinition)),
      tcp: Object.fromEntries(values.set.map(readSetting)),
      seed: values.seed === undefined ? undefined : readInteger(values.seed, "--seed", 0, 2 ** 32 - 1),
      arguments: Object.fromEntries([...given, ...(values.strict_segments ? [["strict_segments", "1"] as const] : [])]),
    };
    const counts = await runAll(files, versions, options, values, io);
    if (counts.error > 0) return 2;
    return counts.fail + counts.unsupported > 0 ? 1 : 0;
  },
});

interface View {
  readonly json: boolean;
  readonly tap: boolean;
  readonly verbose: boolean;
}

async function runAll(
  files: readonly string[],
  versions: readonly DrillIpVersion[],
  options: DrillOptions,
  view: View,
  io: Io,
): Promise<DrillCounts> {
  const counts: DrillCounts = { pass: 0, fail: 0, unsupported: 0, error: 0 };
  const style = styleFor(io.stdout, io.environment);
  const bar = new ProgressBar(io.stderr, "drill", files.length);
  const writer = new LineWriter(io.stdout);
  const started = performance.now();
  let number = 0;
  if (view.tap) await writer.line("TAP version 13");
  for (const [index, file] of files.entries()) {
    if (io.signal.aborted) break;
    bar.update(index);
    for (const report of await runVersions(file, versions, options)) {
      number += 1;
      counts[report.outcome] += 1;
      const lines = view.json ? [reportToJson(report)] : view.tap ? renderTap(report, number) : renderDrill(report, view.verbose, style);
      for (const line of lines) await writer.line(line);
    }
    // So that a signal is heard in time.
    if (index % 32 === 31) await new Promise((resolve) => setImmediate(resolve));
  }
  bar.close();
  if (view.tap) await writer.line(`1..${number}`);
  if (!view.json && !view.tap) await writer.line(renderCounts(counts, performance.now() - started, style));
  await writer.flush();
  return counts;
}

/** A script that names its version runs once. */
async function runVersions(file: string, versions: readonly DrillIpVersion[], options: DrillOptions): Promise<DrillReport[]> {
  const reports = new Map<DrillIpVersion, DrillReport>();
  for (const ipVersion of versions) {
    const report = await runDrillFile(file, { ...options, ipVersion });
    if (!reports.has(report.ipVersion)) reports.set(report.ipVersion, report);
  }
  return [...reports.values()];
}

function readVersions(text: string): DrillIpVersion[] {
  return text.split(",").map((name) => {
    const version = IP_VERSIONS.find((each) => each === name);
    if (version === undefined) throw new UsageError(`--ip-version: ${JSON.stringify(name)} is not one of ${IP_VERSIONS.join(", ")}`);
    return version;
  });
}

function readPersonality(text: string | undefined): PersonalityName | undefined {
  if (text === undefined) return undefined;
  if (Object.hasOwn(PERSONALITIES, text)) return text as PersonalityName;
  throw new UsageError(`--personality: ${JSON.stringify(text)} is not one of ${Object.keys(PERSONALITIES).join(", ")}`);
}

function readDefinition(text: string): [string, string] {
  const match = /^(\w+)(?:=([\s\S]*))?$/.exec(text);
  if (match === null) throw new UsageError(`--define: ${JSON.stringify(text)} is not NAME=VALUE`);
  return [match[1], match[2] ?? "1"];
}

function readSetting(text: string): [string, unknown] {
  const at = text.indexOf("=");
  const name = text.slice(0, at);
  if (at < 0 || !OWN_OPTIONS.has(name)) throw new UsageError(`--set: ${JSON.stringify(text)} is not NAME=VALUE with an option of TCP`);
  const value = ownOptionValue(name, text.slice(at + 1));
  if (value === undefined) throw new UsageError(`--set: ${JSON.stringify(text.slice(at + 1))} is no value for ${name}`);
  return [name, value];
}
