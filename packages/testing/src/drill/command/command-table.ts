// Every command that means something here, by its name without the directory.
import { formatIp, parseIp } from "@netstrata/core";
import { type Endpoint, formatEndpoint } from "@netstrata/transport";
import { type Command, type CommandResult, type CommandWorld, FAILURE, SUCCESS } from "./command-world.ts";
import { FILE_COMMANDS } from "./file-commands.ts";
import { ip } from "./ip-command.ts";
import { sysctl } from "./sysctl-command.ts";

const nothing: Command = () => SUCCESS;
const print = (text: string): CommandResult => ({ status: 0, output: text });

export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["sysctl", sysctl],
  ["ip", ip],
  ["sleep", sleep],
  ["usleep", ([text], world) => pass(world, Number(text) / 1000)],
  ["true", nothing],
  [":", nothing],
  ["false", () => FAILURE],
  ["echo", (words) => print(`${words.filter((word) => word !== "-n" && word !== "-e").join(" ")}\n`)],
  ["cat", cat],
  ["grep", grep],
  ["egrep", grep],
  ["nstat", nstat],
  ["ss", ss],
  ["netstat", ss],
  ["sockstat", ss],
  ["tcpdrop", tcpdrop],
  ...FILE_COMMANDS,
  // About devices and drivers that this stack has not, or that every script has for itself.
  ...["tc", "ethtool", "modprobe", "kldload", "kldunload", "sync", "logger", "set", "export", "ulimit", "ifconfig"].map(
    (name) => [name, nothing] as const,
  ),
]);

function sleep([text = ""]: readonly string[], world: CommandWorld): CommandResult {
  const match = /^([\d.]+)(ms|s|m)?$/.exec(text);
  if (match === null) return FAILURE;
  return pass(world, Number(match[1]) * ({ ms: 1, s: 1000, m: 60_000 }[match[2] ?? "s"] ?? 1000));
}

function pass(world: CommandWorld, duration: number): CommandResult {
  if (!(duration >= 0 && duration < 2 ** 31)) return FAILURE;
  world.sleep(duration);
  return SUCCESS;
}

/** Files of the system that tell something about the stack; any others are not there. */
function readSystemFile(path: string, world: CommandWorld): string | undefined {
  if (path === "/proc/net/tcp" || path === "/proc/net/tcp6") return connectionTable(world);
  const value = path.startsWith("/proc/sys/")
    ? world.settings.sysctls.get(path.slice("/proc/sys/".length).replaceAll("/", "."))
    : undefined;
  return value === undefined ? undefined : `${value}\n`;
}

function cat(words: readonly string[], world: CommandWorld, input: string): CommandResult | string {
  if (words.length === 0) return print(input);
  const texts = words.map((path) => readSystemFile(path, world));
  return texts.includes(undefined) ? `cat ${words.join(" ")}` : print(texts.join(""));
}

/** Fixed strings and the simple patterns that scripts look for. */
function grep(words: readonly string[], world: CommandWorld, input: string): CommandResult | string {
  const flags = words.filter((word) => /^-\w/.test(word)).join("");
  const [pattern, ...files] = words.filter((word) => !/^-\w/.test(word));
  if (pattern === undefined) return FAILURE;
  const texts = files.map((path) => readSystemFile(path, world));
  if (texts.includes(undefined)) return `grep in ${files.join(" ")}`;
  const lines = (files.length === 0 ? input : texts.join("")).split("\n").filter((line) => line !== "");
  const wanted = flags.includes("i") ? pattern.toLowerCase() : pattern;
  if (/[\\[\](){}+?|]/.test(wanted)) return `grep for ${pattern}`;
  const expression = new RegExp(wanted.replaceAll(".*", "\u0000").replaceAll(".", "\\.").replaceAll("*", "\\*").replaceAll("\u0000", ".*"));
  const found = lines.filter((line) => expression.test(flags.includes("i") ? line.toLowerCase() : line) !== flags.includes("v"));
  const output = flags.includes("q") ? "" : flags.includes("c") ? `${found.length}\n` : found.map((line) => `${line}\n`).join("");
  return { status: found.length > 0 ? 0 : 1, output };
}

/** Counters that have moved since the script began; `-n` prints nothing. */
function nstat(words: readonly string[], world: CommandWorld): CommandResult {
  if (words.includes("-n")) return SUCCESS;
  const lines = [...world.counters()].map(([name, value]) => `${name.padEnd(32)}${String(value).padEnd(16)}0.0\n`);
  return print(`#kernel\n${lines.join("")}`);
}

function ss(_: readonly string[], world: CommandWorld): CommandResult {
  return print(
    world
      .connections()
      .map(({ state, local, remote }) => `${state} ${formatEndpoint(local)} ${formatEndpoint(remote)}\n`)
      .join(""),
  );
}

const STATES = "ESTABLISHED SYN-SENT SYN-RECEIVED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED CLOSE-WAIT LAST-ACK LISTEN CLOSING".split(" ");

/** As /proc/net/tcp has it: addresses, ports and the state in hexadecimal. */
function connectionTable(world: CommandWorld): string {
  const end = ({ address, port }: Endpoint): string => `${formatIp(address)}:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const state = (name: string): string => (STATES.indexOf(name) + 1).toString(16).toUpperCase().padStart(2, "0");
  return world
    .connections()
    .map((each, index) => `${index}: ${end(each.local)} ${end(each.remote)} ${state(each.state)} \n`)
    .join("");
}

/** `tcpdrop local-address local-port foreign-address foreign-port`, or `-a` for all. */
function tcpdrop(words: readonly string[], world: CommandWorld): CommandResult | string {
  if (words.includes("-a")) return world.drop(undefined, undefined) ? SUCCESS : FAILURE;
  if (words.length !== 4) return `tcpdrop ${words.join(" ")}`;
  const [localAddress, localPort, remoteAddress, remotePort] = words;
  const [local, remote] = [parseIp(localAddress), parseIp(remoteAddress)];
  if (local === undefined || remote === undefined) return FAILURE;
  return world.drop({ address: local, port: Number(localPort) }, { address: remote, port: Number(remotePort) }) ? SUCCESS : FAILURE;
}
