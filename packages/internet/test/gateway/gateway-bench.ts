// A gateway on the bench: inner hosts on eth1 (10.0.0.0/24), the outside on eth0 (192.0.2.0/24), behind which 192.0.2.254 leads everywhere.
import { foldChecksum, ip, type PacketBuffer, prefix, sumBytes } from "@netstrata/core";
import { type Gateway, type InternetOptions, sumPseudoHeader } from "../../src/index.ts";
import { address, Bench, type DatagramFields, datagram, octets, type RecordingInterface, type Sent } from "../bench-host.ts";

export const INNER = "10.0.0.2";
export const SERVER = "203.0.113.9";
export const OUTER = "192.0.2.1";

export const SYN = 0x02;
export const ACK = 0x10;
export const FIN = 0x01;
export const RST = 0x04;

export interface GatewayBench {
  readonly bench: Bench;
  readonly gateway: Gateway;
  /** eth0 */
  readonly outside: RecordingInterface;
  /** eth1 */
  readonly inside: RecordingInterface;
}

export function gatewayBench(options: InternetOptions = { nat: { outside: "eth0" } }): GatewayBench {
  const bench = new Bench({ forwarding: true, ...options });
  const inside = bench.addLink("eth1", "10.0.0.1/24");
  bench.layer.routes.add({ prefix: prefix("0.0.0.0/0"), interface: bench.link, nextHop: ip("192.0.2.254") });
  const { gateway } = bench.layer;
  if (gateway === undefined) throw new Error("these options ask for no gateway");
  return { bench, gateway, outside: bench.link, inside };
}

export interface Ends {
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
}

/** INNER:5000 to SERVER:80. */
export const OUTWARD: Ends = { from: INNER, fromPort: 5000, to: SERVER, toPort: 80 };

export function udp(ends: Partial<Ends> = {}, data: Uint8Array = octets(20), fields: DatagramFields = {}): PacketBuffer {
  const { from, fromPort, to, toPort } = { ...OUTWARD, ...ends };
  const bytes = new Uint8Array(8 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, fromPort);
  view.setUint16(2, toPort);
  view.setUint16(4, bytes.length);
  bytes.set(data, 8);
  view.setUint16(6, transportChecksum(bytes, from, to, 17) || 0xffff);
  return datagram({ ...fields, source: from, destination: to, protocol: 17 }, bytes);
}

export function tcp(flags: number, ends: Partial<Ends> = {}, options: Uint8Array = octets(0)): PacketBuffer {
  const { from, fromPort, to, toPort } = { ...OUTWARD, ...ends };
  const bytes = new Uint8Array(20 + options.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, fromPort);
  view.setUint16(2, toPort);
  view.setUint32(4, 1000);
  view.setUint32(8, 2000);
  bytes[12] = (bytes.length / 4) << 4;
  bytes[13] = flags;
  bytes.set(options, 20);
  view.setUint16(16, transportChecksum(bytes, from, to, 6));
  return datagram({ source: from, destination: to, protocol: 6 }, bytes);
}

function transportChecksum(bytes: Uint8Array, from: string, to: string, protocol: number): number {
  return foldChecksum(sumBytes(bytes, 0, bytes.length, sumPseudoHeader(address(from), address(to), protocol, bytes.length)));
}

/** The ends that a datagram with ports names, as text. */
export function endsOf({ header, payload }: Pick<Sent, "header" | "payload">): string {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return `${text(header.source)}:${view.getUint16(0)} > ${text(header.destination)}:${view.getUint16(2)}`;
}

/** The checksum over everything computed anew: 0 when the one in it is right. */
export function checksumOf({ header, payload }: Pick<Sent, "header" | "payload">): number {
  const pseudoHeader = header.protocol === 1 ? 0 : sumPseudoHeader(header.source, header.destination, header.protocol, payload.length);
  return foldChecksum(sumBytes(payload, 0, payload.length, pseudoHeader));
}

function text(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join(".");
}
