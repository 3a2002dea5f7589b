// A dissection as plain values for JSON: addresses and control bits as text, everything else as it is.
import { formatIp, formatMac, type MacAddress } from "@netstrata/core";
import type { CapturedPacket } from "../captured-packet.ts";
import type { Dissection } from "../dissect/dissection.ts";
import type { Layer } from "../dissect/layer.ts";
import { linkTypeName } from "../link-type-name.ts";
import { formatDateTime } from "./format-time.ts";
import { tcpFlagNames } from "./tcp-flags.ts";

export type JsonValue = string | number | boolean | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonLayer = { readonly protocol: string; readonly offset: number; readonly headerLength: number } & {
  readonly [field: string]: JsonValue;
};

/** One packet, as one line of `inspect --json`. */
export interface JsonPacket {
  readonly number: number;
  /** `2026-08-01T12:34:56.123456789Z` */
  readonly time: string;
  readonly interface?: string;
  readonly linkType: string;
  /** Octets on the wire. */
  readonly length: number;
  readonly capturedLength: number;
  readonly direction?: "in" | "out";
  readonly comments?: readonly string[];
  /** Fields have the names of the layers' own in `Layer`. */
  readonly layers: readonly JsonLayer[];
}

type Convert = (value: never) => JsonValue;

const ip = { source: formatIp, destination: formatIp, finalDestination: formatIp } as Record<string, Convert>;

/** The fields that are numbers (or strings of UTF-16 units) for the machine and something else for people. */
const CONVERSIONS: Readonly<Record<string, Readonly<Record<string, Convert>>>> = {
  eth: { source: formatMac, destination: formatMac } as Record<string, (value: MacAddress) => string>,
  arp: { senderHardware: formatMac, targetHardware: formatMac, senderProtocol: formatIp, targetProtocol: formatIp } as Record<
    string,
    Convert
  >,
  ipv4: ip,
  ipv6: ip,
  tcp: { flags: tcpFlagNames } as Record<string, (value: number) => string[]>,
};

export function toJson(packet: CapturedPacket, dissection: Dissection): JsonPacket {
  return {
    number: packet.number,
    time: formatDateTime(packet.timestamp),
    interface: packet.interface.name,
    linkType: linkTypeName(packet.linkType),
    length: packet.originalLength,
    capturedLength: packet.bytes.length,
    direction: packet.direction,
    comments: packet.comments,
    layers: dissection.layers.map(layerToJson),
  };
}

/** The same for one layer: `JSON.stringify` needs nothing more. */
export function layerToJson(layer: Layer): JsonLayer {
  const json: Record<string, unknown> = {};
  const conversions = CONVERSIONS[layer.protocol] ?? {};
  for (const [field, value] of Object.entries(layer)) {
    if (value === undefined) continue;
    const convert = conversions[field] as ((value: unknown) => JsonValue) | undefined;
    json[field] = convert === undefined ? value : convert(value);
  }
  return json as JsonLayer;
}
