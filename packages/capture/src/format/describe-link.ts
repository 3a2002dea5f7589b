// Link headers, ARP and tunnels in words.
import { formatIp, formatMac } from "@netstrata/core";
import { ARP_REPLY, ARP_REQUEST } from "@netstrata/link";
import type { ArpLayer, GreLayer, Layer, LlcLayer, VlanLayer, VxlanLayer } from "../dissect/layer.ts";
import { hex, type Line, lengthBehind } from "./line.ts";

/** A header that only says what comes next is left out where we know what that is. */
export function describeFrame(layer: Layer, line: Line, index: number): string {
  const next = line.dissection.layers[index + 1];
  if (next !== undefined && next.protocol !== "data") return line.describe(index + 1);
  const addresses = layer.protocol === "eth" ? `${formatMac(layer.source)} > ${formatMac(layer.destination)}, ` : "";
  const type = "etherType" in layer && layer.etherType !== undefined ? `ethertype ${hex(layer.etherType, 4)}, ` : "";
  return `${addresses}${type}length ${lengthBehind(layer, line)}`;
}

export function describeVlan(layer: VlanLayer, line: Line, index: number): string {
  return `vlan ${layer.id}, ${describeFrame(layer, line, index)}`;
}

export function describeLlc(layer: LlcLayer, line: Line, index: number): string {
  if (layer.etherType !== undefined) return describeFrame(layer, line, index);
  const { destinationServiceAccessPoint, sourceServiceAccessPoint } = layer;
  return `LLC, dsap ${hex(destinationServiceAccessPoint)}, ssap ${hex(sourceServiceAccessPoint)}, length ${lengthBehind(layer, line)}`;
}

const REVERSE_REQUEST = 3;
const REVERSE_REPLY = 4;

const ARP_OPERATIONS: ReadonlyMap<number, (message: ArpLayer) => string> = new Map([
  [ARP_REQUEST, (message) => `Request who-has ${formatIp(message.targetProtocol)} tell ${formatIp(message.senderProtocol)}`],
  [ARP_REPLY, (message) => `Reply ${formatIp(message.senderProtocol)} is-at ${formatMac(message.senderHardware)}`],
  [REVERSE_REQUEST, (message) => `Reverse Request who-is ${formatMac(message.targetHardware)} tell ${formatMac(message.senderHardware)}`],
  [REVERSE_REPLY, (message) => `Reverse Reply ${formatMac(message.targetHardware)} at ${formatIp(message.targetProtocol)}`],
]);

export function describeArp(layer: ArpLayer): string {
  const operation = ARP_OPERATIONS.get(layer.operation)?.(layer) ?? `operation ${layer.operation}`;
  return `ARP, ${operation}, length ${layer.headerLength}`;
}

export function describeGre(layer: GreLayer, line: Line, index: number): string {
  const key = layer.key === undefined ? "" : `, key=${hex(layer.key)}`;
  return `GREv${layer.version}${key}, ${describeFrame(layer, line, index)}`;
}

export function describeVxlan(layer: VxlanLayer, line: Line, index: number): string {
  return `VXLAN, vni ${layer.networkIdentifier}: ${line.describe(index + 1)}`;
}
