// `ip route … initcwnd 20 mtu 1400`, `ip link set dev tun0 mtu 1400`.
import { type Command, type CommandResult, type CommandWorld, SUCCESS } from "./command-world.ts";

/** Objects of `ip` whose settings mean nothing to a stack with one link to one neighbour. */
const WITHOUT_MEANING: ReadonlySet<string> = new Set(
  "tcp_metrics tcpmetrics tcp_metric addr address a neigh neighbour rule netns maddr token".split(" "),
);
/** Metrics of a route, and the options of TCP they are here; the value undefined where it cannot be taken on. */
const METRICS: Readonly<Record<string, readonly [option: string, value: (text: string) => unknown] | undefined>> = {
  initcwnd: ["initialWindow", Number],
  initrwnd: undefined,
  advmss: undefined,
  rto_min: ["rtoMinimum", (text) => Number.parseFloat(text) * (/\ds$/.test(text) ? 1000 : 1)],
  quickack: ["quickAck", (text) => text !== "0"],
  congctl: ["congestionControl", (text) => (text === "reno" ? "newreno" : text)],
};

export const ip: Command = (all, world) => {
  const words = all.filter((word) => !/^-\w/.test(word));
  const [object = "", verb = ""] = words;
  if (WITHOUT_MEANING.has(object)) return SUCCESS;
  if (/^r(?:oute)?$/.test(object)) return verb === "show" || verb === "get" || verb === "flush" ? SUCCESS : route(words.slice(1), world);
  if (/^l(?:ink)?$/.test(object)) return link(words.slice(1), world);
  return `ip ${words.join(" ")}`;
};

function route(words: readonly string[], world: CommandWorld): CommandResult | string {
  const changes: Record<string, unknown> = {};
  for (let index = 0; index < words.length; index += 1) {
    const name = words[index];
    // `mtu lock 1400`
    const value = words[index + 1] === "lock" ? words[index + 2] : words[index + 1];
    if (name === "mtu" && value !== undefined) setMtu(Number(value), world);
    if (name === "features" && value?.includes("ecn")) changes["ecn"] = "on";
    if (name === "features" && value !== undefined && !/^(?:ecn|0)$/.test(value)) return `ip route … features ${value}`;
    if (Object.hasOwn(METRICS, name) && METRICS[name] === undefined) return `ip route … ${name}`;
    const metric = Object.hasOwn(METRICS, name) && value !== undefined ? METRICS[name] : undefined;
    if (metric !== undefined) changes[metric[0]] = metric[1](value);
  }
  Object.assign(world.settings.tcp, changes);
  world.optionsChanged(changes);
  return SUCCESS;
}

function link(words: readonly string[], world: CommandWorld): CommandResult | string {
  const at = words.indexOf("mtu");
  if (words[0] !== "set") return SUCCESS;
  if (at >= 0) setMtu(Number(words[at + 1]), world);
  return words.includes("down") ? "ip link set … down" : SUCCESS;
}

function setMtu(mtu: number, world: CommandWorld): void {
  if (!(mtu >= 68 && mtu <= 65535)) return;
  world.settings.mtu = mtu;
  world.mtuChanged(mtu);
}
