// Flow labels (RFC 6437): the same 20 bits on everything of one flow, so that routers can keep it on one path without looking further.
import type { IpAddress, PacketBuffer } from "@netstrata/core";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "./ip-protocol.ts";

/**
 * The label of a transport message (RFC 6437 §3: a hash of the five-tuple that looks random to those who do not know the secret).
 * @param secret 32 bits, another for each destination, so that nobody learns from the labels he sees those of flows to others
 */
export function flowLabelOf(secret: number, source: IpAddress, protocol: number, message: PacketBuffer): number {
  const isPort = protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP;
  const ports = isPort && message.length >= 4 ? message.u32(0) : 0;
  const from = typeof source === "string" ? (source.charCodeAt(6) << 16) | source.charCodeAt(7) : source;
  // The finalizer of MurmurHash3: every bit of the input changes about half of those of the result.
  let hash = Math.imul(secret ^ ports, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ from, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16) ^ protocol, 0x85ebca6b);
  hash = (hash ^ (hash >>> 15)) & 0xfffff;
  // RFC 6437 §3: 0 says that there is no label.
  return hash === 0 ? 1 : hash;
}
