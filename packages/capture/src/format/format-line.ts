// One line for a packet, in the form that everybody knows from tcpdump.
import type { Dissection } from "../dissect/dissection.ts";
import type { Layer, MalformedLayer, UnknownLinkLayer } from "../dissect/layer.ts";
import { linkTypeName } from "../link-type-name.ts";
import { describeIcmp } from "./describe-icmp.ts";
import { describeData, describeIp, describeUdp } from "./describe-ip.ts";
import { describeArp, describeFrame, describeGre, describeLlc, describeVlan, describeVxlan } from "./describe-link.ts";
import { describeTcp } from "./describe-tcp.ts";
import { formatTimeOfDay } from "./format-time.ts";
import type { Describer, Line } from "./line.ts";
import type { RelativeSequence } from "./relative-sequence.ts";

export interface LineOptions {
  /** Nanoseconds since 1970, written in front as time of day (UTC). Without it there is no time. */
  readonly timestamp?: bigint;
  /** Give the same one for every packet of a capture, in their order, to have TCP's numbers counted from 0. Without it they are absolute. */
  readonly relativeSequence?: RelativeSequence;
}

const DESCRIBERS: { readonly [Protocol in Layer["protocol"]]: Describer<Protocol> } = {
  eth: describeFrame,
  vlan: describeVlan,
  llc: describeLlc,
  null: describeFrame,
  sll: describeFrame,
  arp: describeArp,
  ipv4: describeIp,
  ipv6: describeIp,
  // `describeIp` passes over extension headers; these stand where one comes without its IP header.
  "hop-by-hop": describeFrame,
  "destination-options": describeFrame,
  routing: describeFrame,
  authentication: describeFrame,
  "ipv6-fragment": describeFrame,
  icmp: describeIcmp,
  icmpv6: describeIcmp,
  udp: describeUdp,
  tcp: describeTcp,
  gre: describeGre,
  vxlan: describeVxlan,
  data: describeData,
  malformed: ({ expected, reason }: MalformedLayer) => `[malformed ${expected}: ${reason}]`,
  "unknown-link-type": ({ linkType }: UnknownLinkLayer, { dissection }: Line) =>
    `unknown link type ${linkType} (${linkTypeName(linkType)}), length ${dissection.originalLength}`,
};

/**
 * `12:34:56.789012 IP 10.0.0.1.52000 > 10.0.0.2.80: Flags [S], seq 7, win 64240, options [mss 1460], length 0`.
 * No newline at the end.
 */
export function formatLine(dissection: Dissection, options: LineOptions = {}): string {
  const line: Line = {
    dissection,
    relativeSequence: options.relativeSequence,
    describe(index) {
      const layer = dissection.layers[index];
      if (layer === undefined) return "length 0";
      return (DESCRIBERS[layer.protocol] as (layer: Layer, line: Line, index: number) => string)(layer, line, index);
    },
  };
  const time = options.timestamp === undefined ? "" : `${formatTimeOfDay(options.timestamp)} `;
  return time + line.describe(0);
}
