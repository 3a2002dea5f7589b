// UDP (RFC 768).
import { isIpv4 } from "@netstrata/core";
import { PROTOCOL_UDP } from "@netstrata/internet";
import { readUncheckedUdp, UDP_HEADER_LENGTH, type UdpHeader } from "@netstrata/transport";
import { type Cursor, NEXT_DATA, NEXT_NOTHING, NEXT_VXLAN, type NextLayer } from "./cursor.ts";
import type { ChecksumVerdict } from "./layer.ts";
import { transportChecksum } from "./transport-checksum.ts";

/** RFC 7348 §5. */
const VXLAN_PORT = 4789;

export function dissectUdp(cursor: Cursor): NextLayer {
  const { packet } = cursor;
  const header = readUncheckedUdp(packet);
  if (header === "truncated") return cursor.malformed("udp", header);
  const { sourcePort, destinationPort, length } = header;
  // RFC 2675 §4: a length of 0 means "to the end of the jumbogram".
  const isJumbo = length === 0 && cursor.wireLength > 0xffff;
  if (length < UDP_HEADER_LENGTH && !isJumbo) return cursor.malformed("udp", "bad-length");
  const checksum = udpChecksum(cursor, header, isJumbo ? cursor.wireLength : length);
  if (!isJumbo) cursor.limit(length);
  const payloadLength = cursor.wireLength - UDP_HEADER_LENGTH;
  return cursor.found(
    {
      protocol: "udp",
      offset: packet.start,
      headerLength: UDP_HEADER_LENGTH,
      sourcePort,
      destinationPort,
      length,
      checksum,
      payloadLength,
    },
    payloadLength === 0 ? NEXT_NOTHING : destinationPort === VXLAN_PORT || sourcePort === VXLAN_PORT ? NEXT_VXLAN : NEXT_DATA,
  );
}

function udpChecksum(cursor: Cursor, header: UdpHeader, length: number): ChecksumVerdict {
  if (header.checksum !== 0) return transportChecksum(cursor, PROTOCOL_UDP, length);
  // RFC 8200 §8.1: over IPv6 the checksum is not optional.
  if (isIpv4(cursor.source)) return "absent";
  return cursor.verifyChecksums ? "bad" : "unverified";
}
