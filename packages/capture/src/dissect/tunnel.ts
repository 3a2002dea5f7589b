// Tunnels: GRE (RFC 2784, RFC 2890) and VXLAN (RFC 7348 §5). IP in IP and 6in4 need no header of their own.
import { type Cursor, NEXT_DATA, NEXT_ETHERNET, type NextLayer, nextEtherType } from "./cursor.ts";

const VXLAN_HEADER_LENGTH = 8;
const GRE_HEADER_LENGTH = 4;
const GRE_CHECKSUM = 0x8000;
const GRE_ROUTING = 0x4000;
const GRE_KEY = 0x2000;
const GRE_SEQUENCE = 0x1000;
/** EtherType of a whole Ethernet frame. */
export const ETHERTYPE_TRANSPARENT_BRIDGING = 0x6558;

export function dissectGre(cursor: Cursor): NextLayer {
  const { packet } = cursor;
  if (packet.length < GRE_HEADER_LENGTH) return cursor.malformed("gre", "truncated");
  const flags = packet.u16(0);
  const version = flags & 7;
  const etherType = packet.u16(2);
  const offset = packet.start;
  // Version 1 is PPTP's own (RFC 2637), and source routes (RFC 1701) are gone: both are left as data.
  if (version !== 0 || (flags & GRE_ROUTING) !== 0) {
    return cursor.found({ protocol: "gre", offset, headerLength: GRE_HEADER_LENGTH, version, etherType }, NEXT_DATA);
  }
  const keyAt = GRE_HEADER_LENGTH + (flags & GRE_CHECKSUM ? 4 : 0);
  const headerLength = keyAt + (flags & GRE_KEY ? 4 : 0) + (flags & GRE_SEQUENCE ? 4 : 0);
  if (packet.length < headerLength) return cursor.malformed("gre", "truncated");
  const key = flags & GRE_KEY ? packet.u32(keyAt) : undefined;
  const next = etherType === ETHERTYPE_TRANSPARENT_BRIDGING ? NEXT_ETHERNET : nextEtherType(etherType);
  return cursor.found({ protocol: "gre", offset, headerLength, version, etherType, key }, next);
}

export function dissectVxlan(cursor: Cursor): NextLayer {
  const { packet } = cursor;
  if (packet.length < VXLAN_HEADER_LENGTH) return cursor.malformed("vxlan", "truncated");
  const layer = {
    protocol: "vxlan" as const,
    offset: packet.start,
    headerLength: VXLAN_HEADER_LENGTH,
    networkIdentifier: packet.u32(4) >>> 8,
  };
  return cursor.found(layer, NEXT_ETHERNET);
}
