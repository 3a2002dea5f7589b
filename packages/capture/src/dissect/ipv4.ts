// IPv4 (RFC 791 §3.1).
import { foldChecksum, type Ipv4Address, PacketBuffer, readIpv4, sumBytes } from "@netstrata/core";
import { IPV4_HEADER_LENGTH, type Ipv4Header, readUncheckedIpv4Header } from "@netstrata/internet";
import { type Cursor, NEXT_DATA, type NextLayer, nextIpProtocol } from "./cursor.ts";
import type { HeaderOption } from "./layer.ts";
import { readOptionList } from "./option-list.ts";

const LOOSE_SOURCE_ROUTE = 131;
const STRICT_SOURCE_ROUTE = 137;

const OPTION_NAMES: ReadonlyMap<number, string> = new Map([
  [0, "EOL"],
  [1, "NOP"],
  [7, "RR"],
  [68, "timestamp"],
  [130, "security"],
  [LOOSE_SOURCE_ROUTE, "LSRR"],
  [136, "stream-id"],
  [STRICT_SOURCE_ROUTE, "SSRR"],
  [148, "RA"],
]);

export function dissectIpv4(cursor: Cursor): NextLayer {
  const { packet } = cursor;
  const header = readHeader(packet);
  if (typeof header === "string") return cursor.malformed("ipv4", header);
  const { headerLength, totalLength, moreFragments, fragmentOffset, source, destination } = header;
  cursor.fragmented = moreFragments || fragmentOffset > 0;
  if (totalLength > 0) cursor.limit(totalLength);
  const offset = packet.start;
  const sum = foldChecksum(sumBytes(packet.bytes, offset, offset + headerLength));
  const options = readIpv4Options(packet, headerLength);
  const finalDestination = endOfRoute(packet, headerLength);
  cursor.source = source;
  // The pseudo-header is made by the ends, which know the whole route.
  cursor.destination = finalDestination ?? destination;
  return cursor.found(
    {
      protocol: "ipv4",
      offset,
      headerLength,
      source,
      destination,
      trafficClass: header.trafficClass,
      totalLength,
      identification: header.identification,
      dontFragment: header.dontFragment,
      moreFragments,
      fragmentOffset,
      timeToLive: header.timeToLive,
      payloadProtocol: header.protocol,
      checksum: cursor.verifyChecksums ? cursor.verdict(sum === 0) : "unverified",
      options,
      payloadLength: Math.max(0, cursor.wireLength - headerLength),
      finalDestination,
    },
    // The middle of something is not its beginning.
    fragmentOffset > 0 ? NEXT_DATA : nextIpProtocol(header.protocol),
  );
}

/** A header whose Total Length is 0 was captured before the network card cut a super-segment: it reaches to the frame's end. */
function readHeader(packet: PacketBuffer): ReturnType<typeof readUncheckedIpv4Header> {
  const header = readUncheckedIpv4Header(packet);
  if (header !== "bad-total-length" || packet.u16(2) !== 0) return header;
  const filledIn = PacketBuffer.wrap(packet.slice());
  filledIn.setU16(2, 0xffff);
  return { ...(readUncheckedIpv4Header(filledIn) as Ipv4Header), totalLength: 0 };
}

const NO_OPTIONS: readonly HeaderOption[] = [];

function readIpv4Options(packet: PacketBuffer, headerLength: number): readonly HeaderOption[] {
  if (headerLength === IPV4_HEADER_LENGTH) return NO_OPTIONS;
  return readOptionList(packet.view(IPV4_HEADER_LENGTH, headerLength - IPV4_HEADER_LENGTH), OPTION_NAMES);
}

/** The last address of a source route whose pointer has not passed it (RFC 791 §3.1); undefined when there is no such route. */
function endOfRoute(packet: PacketBuffer, headerLength: number): Ipv4Address | undefined {
  for (let at = IPV4_HEADER_LENGTH; at + 2 < headerLength; ) {
    const kind = packet.u8(at);
    if (kind === 0) return undefined;
    const length = kind === 1 ? 1 : packet.u8(at + 1);
    if (length === 0 || at + length > headerLength) return undefined;
    if ((kind === LOOSE_SOURCE_ROUTE || kind === STRICT_SOURCE_ROUTE) && length >= 7 && packet.u8(at + 2) <= length - 3) {
      return readIpv4(packet, at + length - 4);
    }
    at += length;
  }
  return undefined;
}
