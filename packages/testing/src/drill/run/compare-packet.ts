// The packet that a script expects and the one that came out, field by field.
import { ACK, SYN, URG } from "@netstrata/transport";
import type { IpDescription, PacketAction, TcpDescription, TcpOptionDescription } from "../language/packet.ts";
import { describeFlags, describeHexadecimal, describeSegment, describeTcpOption, describeTcpOptions } from "../wire/describe-packet.ts";
import { describeIcmpKind, icmpKind } from "../wire/icmp-names.ts";
import type { LivePacket, LiveSegment } from "../wire/live-packet.ts";
import { encodeTcpOption } from "../wire/tcp-option-bytes.ts";
import type { Difference } from "./drill-report.ts";
import type { Flow } from "./flow.ts";

/** A segment that came out, in the numbers of the script; several segments in a row may be one. */
export interface SeenSegment {
  readonly flags: number;
  readonly start: number;
  readonly length: number;
  readonly ack: number | undefined;
  readonly window: number;
  readonly urgent: number;
  readonly options: readonly TcpOptionDescription[];
  readonly payload: Uint8Array;
}

export function seenSegment({ header, options, payload }: LiveSegment, flow: Flow): SeenSegment {
  const numbering = (header.flags & SYN) !== 0 ? "syn" : "other";
  return {
    flags: header.flags,
    start: flow.toScript(header.seq, numbering),
    length: payload.length,
    ack: (header.flags & ACK) === 0 ? undefined : flow.peerToScript(header.ack, numbering),
    window: header.window,
    urgent: header.urgentPointer,
    options: flow.optionsToScript(options),
    payload,
  };
}

const ECN_NAMES = ["noecn", "ect1", "ect0", "ce"] as const;

export function compareIp(expected: IpDescription, { ip, flowLabel, fault }: LivePacket): Difference[] {
  const differences: Difference[] = [];
  const check = (field: string, wanted: number | string | undefined, seen: number | string, isSame = wanted === seen): void => {
    if (wanted !== undefined && !isSame) differences.push({ field, expected: String(wanted), seen: String(seen) });
  };
  const ecn = ECN_NAMES[ip.trafficClass & 3];
  check("ecn", expected.ecn, ecn, expected.ecn === ecn || (expected.ecn === "ect01" && (ecn === "ect0" || ecn === "ect1")));
  check("tos", expected.trafficClass, ip.trafficClass);
  check("ttl", expected.timeToLive, ip.timeToLive);
  check("flowlabel", expected.flowLabel, flowLabel);
  check("checksum", "right", fault ?? "right");
  return differences;
}

/** @param strictOptions the options' order and padding count, too */
export function compareSegment(expected: TcpDescription, seen: SeenSegment, strictOptions: boolean): Difference[] {
  const differences: Difference[] = [];
  const check = (field: string, wanted: number | string | undefined, found: number | string | undefined): void => {
    if (wanted !== found) differences.push({ field, expected: String(wanted ?? "none"), seen: String(found ?? "none") });
  };
  check("flags", describeFlags(expected.flags), describeFlags(seen.flags));
  check("seq", expected.start, seen.start);
  check("length", expected.length, seen.length);
  // Without the flag the number means nothing; with it, a script that leaves it out means 0.
  if (expected.ack !== undefined || seen.ack !== undefined) check("ack", expected.ack, seen.ack);
  if (expected.window !== undefined) check("win", expected.window, seen.window);
  if (expected.urgent !== undefined || (seen.flags & URG) !== 0) check("urg", expected.urgent ?? 0, seen.urgent);
  if (expected.payload !== undefined) check("payload", describeHexadecimal(expected.payload), describeHexadecimal(seen.payload));
  if (expected.options !== "any") compareOptions(expected.options, seen, strictOptions, differences);
  return differences;
}

function compareOptions(expected: readonly TcpOptionDescription[], seen: SeenSegment, strict: boolean, differences: Difference[]): void {
  const wanted = expected.filter((option) => strict || !isPadding(option));
  const found = seen.options.filter((option) => strict || !isPadding(option));
  const [a, b] = [wanted, found].map((options) => {
    const keys = options.map(key);
    return strict ? keys : keys.sort();
  });
  if (a.length === b.length && a.every((each, index) => each === b[index])) return;
  // One option that differs is told by its name, more than that as a whole.
  const missing = wanted.filter((option) => !b.includes(key(option)));
  const extra = found.filter((option) => !a.includes(key(option)));
  if (missing.length === 1 && extra.length === 1 && missing[0].kind === extra[0].kind) {
    const field = missing[0].kind;
    differences.push({ field, expected: describeTcpOption(missing[0]), seen: describeTcpOption(extra[0]) });
  } else {
    differences.push({
      field: "options",
      expected: describeTcpOptions(expected) || "none",
      seen: describeTcpOptions(seen.options) || "none",
    });
  }
}

function isPadding({ kind }: TcpOptionDescription): boolean {
  return kind === "nop" || kind === "eol";
}

function key(option: TcpOptionDescription): string {
  // A signature cannot be known in advance; a digest that is written down is one that is checked.
  return option.kind === "md5" && option.digest === undefined ? "md5" : encodeTcpOption(option).join(" ");
}

export function compareDatagram(expected: Extract<PacketAction["body"], { protocol: "udp" }>, payload: Uint8Array): Difference[] {
  const differences: Difference[] = [];
  if (expected.length !== payload.length)
    differences.push({ field: "length", expected: String(expected.length), seen: String(payload.length) });
  else if (expected.payload !== undefined && describeHexadecimal(expected.payload) !== describeHexadecimal(payload)) {
    differences.push({ field: "payload", expected: describeHexadecimal(expected.payload), seen: describeHexadecimal(payload) });
  }
  return differences;
}

export function compareMessage(expected: Extract<PacketAction["body"], { protocol: "icmp" }>, live: LivePacket): Difference[] {
  const { body, version } = live;
  if (body?.protocol !== "icmp") return [];
  const differences: Difference[] = [];
  const kind = icmpKind(version, expected.type, expected.code);
  const isSame = kind !== undefined && kind.type === body.type && (expected.code === undefined || kind.code === body.code);
  if (!isSame) {
    differences.push({
      field: "icmp",
      expected: [expected.type, expected.code ?? ""].join(" ").trim(),
      seen: describeIcmpKind(version, body),
    });
  }
  const mtu = version === 4 ? body.rest & 0xffff : body.rest;
  if (expected.mtu !== undefined && expected.mtu !== mtu)
    differences.push({ field: "mtu", expected: String(expected.mtu), seen: String(mtu) });
  const [identifier, sequence] = [body.rest >>> 16, body.rest & 0xffff];
  if (expected.identifier !== undefined && expected.identifier !== identifier) {
    differences.push({ field: "id", expected: String(expected.identifier), seen: String(identifier) });
  }
  if (expected.sequence !== undefined && expected.sequence !== sequence) {
    differences.push({ field: "seq", expected: String(expected.sequence), seen: String(sequence) });
  }
  return differences;
}

/** What was expected, as the script would write it. */
export function describeExpected({ ip, body }: PacketAction): string {
  const prefix = ip.ecn === undefined ? "" : `[${ip.ecn}] `;
  if (body.protocol === "udp") return `${prefix}udp (${body.length})`;
  if (body.protocol === "icmp") return `${prefix}icmp ${[body.type, body.code ?? ""].join(" ").trim()}`;
  return prefix + describeSegment(body);
}

/** A segment that came out, joined or cut. */
export function describeSeen({ ip }: LivePacket, seen: SeenSegment): string {
  return describeEcn(ip.trafficClass) + describeSegment(seen);
}

function describeEcn(trafficClass: number): string {
  return (trafficClass & 3) === 0 ? "" : `[${ECN_NAMES[trafficClass & 3]}] `;
}

/** A packet that came out, in the script's numbers where its connection is known. */
export function describeLive(live: LivePacket, flow: Flow | undefined): string {
  const { body, ip } = live;
  const ecn = describeEcn(ip.trafficClass);
  if (body === undefined) return `${ecn}IP protocol ${ip.protocol}, ${live.bytes.length} octets`;
  if (body.protocol === "icmp") return `${ecn}icmp ${describeIcmpKind(live.version, body)}`;
  if (body.protocol === "udp") return `${ecn}udp (${body.payload.length})`;
  if (flow !== undefined) return ecn + describeSegment(seenSegment(body, flow));
  const { seq, ack, window, urgentPointer, flags } = body.header;
  const raw = { flags, start: seq, length: body.payload.length, ack: (flags & ACK) === 0 ? undefined : ack, window, urgent: urgentPointer };
  return `${ecn}${body.header.sourcePort} > ${body.header.destinationPort} ${describeSegment({ ...raw, options: body.options })}`;
}
