// IP headers in words: addresses, ports, and what is between them.
import { formatIp, type IpAddress } from "@netstrata/core";
import type { DataLayer, IpLayer, Ipv6ExtensionLayer, Ipv6FragmentLayer, Layer, UdpLayer } from "../dissect/layer.ts";
import type { Line } from "./line.ts";
import { ipProtocolName } from "./protocol-name.ts";

/** The nearest IP header around the layer at `index`. */
export function ipAround(line: Line, index: number): IpLayer | undefined {
  for (let at = index - 1; at >= 0; at -= 1) {
    const layer = line.dissection.layers[at];
    if (layer.protocol === "ipv4" || layer.protocol === "ipv6") return layer;
  }
  return undefined;
}

export function describeIp(ip: IpLayer, line: Line, index: number): string {
  const inner = skipExtensions(line.dissection.layers, index + 1);
  const layer = line.dissection.layers[inner];
  const family = ip.protocol === "ipv4" ? "IP" : "IP6";
  const ports = portsOf(layer);
  if (ports !== undefined) {
    const from = `${formatIp(ip.source)}.${ports.sourcePort}`;
    return `${family} ${from} > ${formatIp(ip.destination)}.${ports.destinationPort}: ${line.describe(inner)}`;
  }
  const addresses = `${family} ${formatIp(ip.source)} > ${formatIp(ip.destination)}: `;
  const fragment = fragmentOf(ip, line, inner);
  if (fragment !== undefined) return addresses + fragment;
  const known = layer !== undefined && layer.protocol !== "data";
  return (
    addresses +
    (known ? line.describe(inner) : `${ipProtocolName(payloadProtocol(ip, line, inner))}, length ${payloadLength(ip, line, inner)}`)
  );
}

/** A later fragment has no header to describe. */
function fragmentOf(ip: IpLayer, line: Line, inner: number): string | undefined {
  const layer = line.dissection.layers[inner - 1];
  const fragment = ip.protocol === "ipv4" ? ip : layer?.protocol === "ipv6-fragment" ? layer : undefined;
  if (fragment === undefined || fragment.fragmentOffset === 0) return undefined;
  const more = fragment.moreFragments ? "+" : "";
  const name = ipProtocolName(payloadProtocol(ip, line, inner));
  return `${name} fragment, id ${fragment.identification}, offset ${fragment.fragmentOffset}${more}, length ${payloadLength(ip, line, inner)}`;
}

/** The index of the first layer from `index` on that is not an extension header. */
function skipExtensions(layers: readonly Layer[], index: number): number {
  while (index < layers.length && isExtension(layers[index])) index += 1;
  return index;
}

function isExtension(layer: Layer): layer is Ipv6ExtensionLayer | Ipv6FragmentLayer {
  return "nextHeader" in layer && layer.protocol !== "ipv6";
}

function payloadProtocol(ip: IpLayer, line: Line, inner: number): number {
  const last = line.dissection.layers[inner - 1];
  if (isExtension(last)) return last.nextHeader;
  return ip.protocol === "ipv4" ? ip.payloadProtocol : ip.nextHeader;
}

function payloadLength(ip: IpLayer, line: Line, inner: number): number {
  const last = line.dissection.layers[inner - 1];
  return ip.offset + ip.headerLength + ip.payloadLength - last.offset - last.headerLength;
}

export function describeUdp(layer: UdpLayer, line: Line, index: number): string {
  const next = line.dissection.layers[index + 1];
  if (next !== undefined && next.protocol !== "data") return `UDP, ${line.describe(index + 1)}`;
  return `UDP, length ${layer.payloadLength}`;
}

export function describeData(layer: DataLayer): string {
  return `length ${layer.headerLength}`;
}

/** `10.0.0.1 udp port 53`: whom the datagram that an ICMP error quotes was for. */
export function describeQuoted(line: Line, index: number): { host: string; service: string } {
  const layers = line.dissection.layers;
  const quoted = layers[index];
  if (quoted?.protocol !== "ipv4" && quoted?.protocol !== "ipv6") return { host: "?", service: "?" };
  const inner = skipExtensions(layers, index + 1);
  const host = formatIp(quoted.destination as IpAddress);
  const name = ipProtocolName(payloadProtocol(quoted, line, inner));
  const port = portsOf(layers[inner])?.destinationPort;
  return { host, service: port === undefined ? `${host} ${name}` : `${host} ${name} port ${port}` };
}

/** The ports of a TCP or UDP header, also of one that is cut short: an ICMP error need quote no more. */
function portsOf(layer: Layer | undefined): { sourcePort: number | string; destinationPort: number | string } | undefined {
  if (layer?.protocol === "tcp" || layer?.protocol === "udp") return layer;
  if (layer?.protocol !== "malformed") return undefined;
  const { sourcePort, destinationPort } = layer.fields;
  return sourcePort === undefined || destinationPort === undefined ? undefined : { sourcePort, destinationPort };
}
