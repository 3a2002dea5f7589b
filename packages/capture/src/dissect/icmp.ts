// ICMP (RFC 792) and ICMPv6 (RFC 4443 §2.1). An error quotes the datagram that caused it: it is dissected like any other.
import { foldChecksum, sumBytes } from "@netstrata/core";
import { ICMP_HEADER_LENGTH, isIcmpError, PROTOCOL_ICMPV6 } from "@netstrata/internet";
import { type Cursor, NEXT_DATA, NEXT_NOTHING, type NextLayer, nextEtherType } from "./cursor.ts";
import type { ChecksumVerdict } from "./layer.ts";
import { transportChecksum } from "./transport-checksum.ts";

/** Type, code and checksum: what every message has. */
const SHORTEST = 4;
/** RFC 4443 §2.1: the error messages are those with a type below 128; 1 to 4 exist. */
const LAST_ICMPV6_ERROR = 4;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;

export function dissectIcmp(cursor: Cursor): NextLayer {
  const { packet, promisedLength } = cursor;
  if (packet.length < SHORTEST) return cursor.malformed("icmp", "truncated");
  const checksum: ChecksumVerdict = cursor.canVerify(promisedLength)
    ? cursor.verdict(foldChecksum(sumBytes(packet.bytes, packet.start, packet.start + promisedLength)) === 0)
    : "unverified";
  return message(cursor, "icmp", checksum, isIcmpError(packet.u8(0)) ? nextEtherType(ETHERTYPE_IPV4) : NEXT_DATA);
}

export function dissectIcmpv6(cursor: Cursor): NextLayer {
  const { packet } = cursor;
  if (packet.length < SHORTEST) return cursor.malformed("icmpv6", "truncated");
  const type = packet.u8(0);
  const isError = type > 0 && type <= LAST_ICMPV6_ERROR;
  const checksum = transportChecksum(cursor, PROTOCOL_ICMPV6, cursor.promisedLength);
  return message(cursor, "icmpv6", checksum, isError ? nextEtherType(ETHERTYPE_IPV6) : NEXT_DATA);
}

function message(cursor: Cursor, protocol: "icmp" | "icmpv6", checksum: ChecksumVerdict, next: NextLayer): NextLayer {
  const { packet } = cursor;
  const isWhole = packet.length >= ICMP_HEADER_LENGTH;
  return cursor.found(
    {
      protocol,
      offset: packet.start,
      headerLength: isWhole ? ICMP_HEADER_LENGTH : SHORTEST,
      type: packet.u8(0),
      code: packet.u8(1),
      checksum,
      rest: isWhole ? packet.u32(4) : undefined,
      messageLength: cursor.wireLength,
    },
    cursor.wireLength > ICMP_HEADER_LENGTH ? next : NEXT_NOTHING,
  );
}
