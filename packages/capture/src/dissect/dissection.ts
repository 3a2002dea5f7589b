// A packet taken apart: its layers, and short ways to the ones that most questions are about.
import type { IpLayer, Layer, TransportLayer } from "./layer.ts";

export interface Dissection {
  /** LINKTYPE_ number. */
  readonly linkType: number;
  /** The captured octets. */
  readonly bytes: Uint8Array;
  /** Octets on the wire. */
  readonly originalLength: number;
  /** Outermost first. */
  readonly layers: readonly Layer[];
  /** The outermost IP header. */
  readonly ip?: IpLayer;
  /** What that header carries, behind all extension headers: IANA's protocol number. Known for fragments too. */
  readonly ipProtocol?: number;
  /** The TCP, UDP, ICMP or ICMPv6 header directly in it; absent in later fragments. */
  readonly transport?: TransportLayer;
}

const TRANSPORTS: ReadonlySet<string> = new Set(["tcp", "udp", "icmp", "icmpv6"]);

export function summarize(bytes: Uint8Array, linkType: number, originalLength: number, layers: readonly Layer[]): Dissection {
  const at = layers.findIndex((layer) => layer.protocol === "ipv4" || layer.protocol === "ipv6");
  if (at < 0) return { linkType, bytes, originalLength, layers };
  const ip = layers[at] as IpLayer;
  let ipProtocol = ip.protocol === "ipv4" ? ip.payloadProtocol : ip.nextHeader;
  let inner = at + 1;
  for (; inner < layers.length; inner += 1) {
    const layer = layers[inner];
    if (!("nextHeader" in layer) || layer.protocol === "ipv6") break;
    ipProtocol = layer.nextHeader;
  }
  const behind = layers[inner];
  const transport = behind !== undefined && TRANSPORTS.has(behind.protocol) ? (behind as TransportLayer) : undefined;
  return { linkType, bytes, originalLength, layers, ip, ipProtocol, transport };
}

/** The captured part of what a TCP or UDP header carries, as a view; empty for other packets. */
export function transportPayload(dissection: Dissection): Uint8Array {
  const { transport, bytes } = dissection;
  if (transport === undefined || (transport.protocol !== "tcp" && transport.protocol !== "udp")) return bytes.subarray(0, 0);
  const start = transport.offset + transport.headerLength;
  return bytes.subarray(start, start + transport.payloadLength);
}
