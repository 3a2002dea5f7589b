// IPv6 (RFC 8200 §3).
import { readIpv6 } from "@netstrata/core";
import { IPV6_HEADER_LENGTH, PROTOCOL_IPV6_HOP_BY_HOP } from "@netstrata/internet";
import { type Cursor, type NextLayer, nextIpProtocol } from "./cursor.ts";
import { jumboPayloadLength } from "./ipv6-extension.ts";

export function dissectIpv6(cursor: Cursor): NextLayer {
  const { packet } = cursor;
  if (packet.length < IPV6_HEADER_LENGTH) return cursor.malformed("ipv6", "truncated");
  if (packet.u8(0) >>> 4 !== 6) return cursor.malformed("ipv6", "bad-version");
  const first = packet.u32(0);
  const payloadLengthField = packet.u16(4);
  const nextHeader = packet.u8(6);
  const source = readIpv6(packet, 8);
  const destination = readIpv6(packet, 24);
  // RFC 2675 §3: a jumbogram has its length in a hop-by-hop option.
  const mayBeJumbo = payloadLengthField === 0 && nextHeader === PROTOCOL_IPV6_HOP_BY_HOP;
  const payloadLength = mayBeJumbo ? jumboPayloadLength(packet, IPV6_HEADER_LENGTH) : payloadLengthField;
  if (payloadLength !== undefined) cursor.limit(IPV6_HEADER_LENGTH + payloadLength);
  cursor.fragmented = false;
  cursor.source = source;
  cursor.destination = destination;
  return cursor.found(
    {
      protocol: "ipv6",
      offset: packet.start,
      headerLength: IPV6_HEADER_LENGTH,
      source,
      destination,
      trafficClass: (first >>> 20) & 0xff,
      flowLabel: first & 0xfffff,
      hopLimit: packet.u8(7),
      nextHeader,
      payloadLengthField,
      payloadLength: cursor.wireLength - IPV6_HEADER_LENGTH,
    },
    nextIpProtocol(nextHeader),
  );
}
