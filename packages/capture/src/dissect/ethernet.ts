// Ethernet (RFC 894), 802.1Q tags and 802.2/SNAP (RFC 1042), each as a layer of its own.
import { readMac } from "@netstrata/core";
import { ETHERNET_HEADER_LENGTH } from "@netstrata/link";
import { type Cursor, NEXT_DATA, NEXT_LLC, type NextLayer, nextEtherType } from "./cursor.ts";

/** Values up to this are a payload length, not a type (IEEE 802.3 §3.2.6). */
const LARGEST_LENGTH = 1500;
const VLAN_TAG_LENGTH = 4;
const LLC_LENGTH = 3;
const SNAP_LENGTH = 8;
/** Service access points AA and unnumbered information: a SNAP header follows. */
const SNAP = 0xaaaa03;
/** Novell's raw 802.3: an IPX header, whose checksum is always all ones, where LLC should be. */
const RAW_802_3 = 0xffff;
const IP_SERVICE_ACCESS_POINT = 0x06;
const ETHERTYPE_IPV4 = 0x0800;

export function dissectEthernet(cursor: Cursor): NextLayer {
  const { packet } = cursor;
  if (packet.length < ETHERNET_HEADER_LENGTH) return cursor.malformed("eth", "truncated");
  const etherType = packet.u16(12);
  const next = afterType(cursor, etherType, ETHERNET_HEADER_LENGTH);
  const { start: offset } = packet;
  return cursor.found(
    {
      protocol: "eth",
      offset,
      headerLength: ETHERNET_HEADER_LENGTH,
      destination: readMac(packet, 0),
      source: readMac(packet, 6),
      etherType,
    },
    next,
  );
}

/** The four octets behind an EtherType 0x8100, 0x88a8 or 0x9100. */
export function dissectVlan(cursor: Cursor): NextLayer {
  const { packet } = cursor;
  if (packet.length < VLAN_TAG_LENGTH) return cursor.malformed("vlan", "truncated");
  const control = packet.u16(0);
  const etherType = packet.u16(2);
  const next = afterType(cursor, etherType, VLAN_TAG_LENGTH);
  return cursor.found(
    {
      protocol: "vlan",
      offset: packet.start,
      headerLength: VLAN_TAG_LENGTH,
      id: control & 0xfff,
      priority: control >>> 13,
      dropEligible: (control & 0x1000) !== 0,
      etherType,
    },
    next,
  );
}

/** A length cuts the padding off; LLC follows it. */
function afterType(cursor: Cursor, typeOrLength: number, headerLength: number): NextLayer {
  if (typeOrLength > LARGEST_LENGTH) return nextEtherType(typeOrLength);
  const { packet } = cursor;
  cursor.limit(headerLength + typeOrLength);
  return packet.length >= headerLength + 2 && packet.u16(headerLength) === RAW_802_3 ? NEXT_DATA : NEXT_LLC;
}

export function dissectLlc(cursor: Cursor): NextLayer {
  const { packet } = cursor;
  if (packet.length < LLC_LENGTH) return cursor.malformed("llc", "truncated");
  const destinationServiceAccessPoint = packet.u8(0);
  const common = {
    protocol: "llc" as const,
    offset: packet.start,
    destinationServiceAccessPoint,
    sourceServiceAccessPoint: packet.u8(1),
    control: packet.u8(2),
  };
  const isSnap = ((packet.u16(0) << 8) | packet.u8(2)) === SNAP;
  if (isSnap && packet.length >= SNAP_LENGTH) {
    // Organization code 0 means that an EtherType follows (RFC 1042, header format).
    const isEtherType = packet.u16(3) === 0 && packet.u8(5) === 0;
    const etherType = packet.u16(6);
    if (isEtherType) return cursor.found({ ...common, headerLength: SNAP_LENGTH, etherType }, nextEtherType(etherType));
    return cursor.found({ ...common, headerLength: SNAP_LENGTH }, NEXT_DATA);
  }
  const next = destinationServiceAccessPoint === IP_SERVICE_ACCESS_POINT ? nextEtherType(ETHERTYPE_IPV4) : NEXT_DATA;
  return cursor.found({ ...common, headerLength: LLC_LENGTH }, next);
}
