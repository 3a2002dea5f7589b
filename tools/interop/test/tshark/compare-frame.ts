// Compares our JSON of one packet with tshark's fields of the same frame.
import type { JsonLayer, JsonPacket } from "@netstrata/capture";
import { COMPARED_FIELDS } from "./compared-fields.ts";
import type { TsharkFrame } from "./tshark.ts";

export interface Difference {
  /** tshark's name of the field; "layers" when the two do not see the same headers. */
  readonly field: string;
  readonly ours: string;
  readonly theirs: string;
  readonly packet: JsonPacket;
  /** tshark's chain of protocols. */
  readonly protocols: string;
}

export const ASKED_FIELDS: readonly string[] = [
  "frame.number",
  "frame.time_epoch",
  "frame.len",
  "frame.cap_len",
  "frame.protocols",
  "ip.version",
  ...COMPARED_FIELDS.map((field) => field.tshark),
];

/** Our names of the protocols that both programs read. At the first other one in tshark's chain the comparison ends. */
const OUR_NAMES: ReadonlyMap<string, string> = new Map([
  ["eth", "eth"],
  ["vlan", "vlan"],
  ["ieee8021ad", "service-vlan"],
  ["llc", "llc"],
  ["null", "null"],
  ["sll", "sll"],
  ["arp", "arp"],
  ["ip", "ipv4"],
  ["ipv6", "ipv6"],
  ["ipv6.hopopts", "hop-by-hop"],
  ["ipv6.dstopts", "destination-options"],
  ["ipv6.routing", "routing"],
  ["ipv6.fraghdr", "ipv6-fragment"],
  ["ah", "authentication"],
  ["icmp", "icmp"],
  ["icmpv6", "icmpv6"],
  ["udp", "udp"],
  ["tcp", "tcp"],
  ["gre", "gre"],
  ["vxlan", "vxlan"],
]);
/** tshark lists these without a header of their own. */
const WITHOUT_HEADER: ReadonlySet<string> = new Set(["ethertype", "raw"]);

/** What tshark sees, in our names, and whether it goes on where we do not. */
function layersOf(frame: TsharkFrame): { readonly names: string[]; readonly goesOn: boolean } {
  const names: string[] = [];
  const chain = (frame.get("frame.protocols")?.[0] ?? "").split(":").filter((name) => !WITHOUT_HEADER.has(name));
  // It says "ip" before it has looked at the version: where that is 6, no IPv4 header stands behind the word.
  let ipv4Headers = (frame.get("ip.version") ?? []).filter((version) => version === "4").length;
  for (const [index, name] of chain.entries()) {
    const ours = OUR_NAMES.get(name);
    if (ours === undefined) return { names, goesOn: true };
    if (ours === "ipv4" && chain[index + 1] === "ipv6" && ipv4Headers === 0) continue;
    if (ours === "ipv4") ipv4Headers -= 1;
    names.push(ours);
  }
  return { names, goesOn: false };
}

export function compareFrame(packet: JsonPacket, frame: TsharkFrame): Difference[] {
  const differences: Difference[] = [];
  const protocols = frame.get("frame.protocols")?.[0] ?? "";
  const compare = (field: string, ours: string, theirs: string): void => {
    if (ours !== theirs) differences.push({ field, ours, theirs, packet, protocols });
  };
  compare("frame.number", String(packet.number), first(frame, "frame.number"));
  compare("frame.time_epoch", String(nanosecondsOf(packet.time)), String(nanosecondsOfEpoch(first(frame, "frame.time_epoch"))));
  compare("frame.len", String(packet.length), first(frame, "frame.len"));
  compare("frame.cap_len", String(packet.capturedLength), first(frame, "frame.cap_len"));
  if (packet.layers[0]?.protocol === "unknown-link-type") return differences;

  const theirs = layersOf(frame);
  const whole = wholeLayers(packet);
  const broken = packet.layers.find((layer) => layer.protocol === "malformed");
  const names = whole.map((layer) => layer.protocol);
  // A header that we found broken tshark may show in part, or not at all.
  const brokenName = broken?.["expected"] as string | undefined;
  const expected = theirs.names.length > names.length && broken !== undefined ? [...names, brokenName] : names;
  compare("layers", expected.join(" "), theirs.names.join(" "));

  for (const { tshark, protocol, values, normalize = (text: string) => text } of COMPARED_FIELDS) {
    const known = whole.filter((layer) => layer.protocol === protocol).flatMap(values);
    const partial = broken !== undefined && brokenName === protocol ? values(broken) : [];
    let said = (frame.get(tshark) ?? []).map(normalize);
    // Of a broken header each program reads what it dares to; where both do, they agree.
    for (const [index, value] of partial.entries()) {
      const other = said[known.length + index];
      if (value !== undefined && other !== undefined) compare(tshark, value, other);
    }
    if (broken !== undefined || theirs.goesOn) said = said.slice(0, known.length);
    compare(tshark, known.join(" "), said.join(" "));
  }
  return differences;
}

/** Layers that are headers, and whole, in tshark's distinctions. */
function wholeLayers(packet: JsonPacket): JsonLayer[] {
  return packet.layers
    .map((layer, index) => {
      const isService = layer.protocol === "vlan" && packet.layers[index - 1]?.["etherType"] === 0x88a8;
      return isService ? { ...layer, protocol: "service-vlan" } : layer;
    })
    .filter((layer) => layer.protocol !== "data" && layer.protocol !== "malformed");
}

function first(frame: TsharkFrame, field: string): string {
  return frame.get(field)?.[0] ?? "";
}

/** Of our `2026-08-01T12:34:56.123456789Z`, or of seconds where a calendar does not reach. */
function nanosecondsOf(time: string): bigint {
  if (!time.endsWith("Z")) return nanosecondsOfEpoch(time);
  const point = time.lastIndexOf(".");
  return BigInt(Date.parse(`${time.slice(0, point)}Z`)) * 1_000_000n + BigInt(time.slice(point + 1, -1));
}

/** tshark writes seconds and nanoseconds, each as it stands in the file: a sign belongs to the nanoseconds. */
function nanosecondsOfEpoch(time: string): bigint {
  const [seconds, fraction] = time.replace("-", "").split(".");
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction) * (time.startsWith("-") ? -1n : 1n);
}
