// The link headers that exist in captures only: BSD loopback and Linux "cooked" (tcpdump.org link-layer header types).
import { type CookedHeader, readLinuxSll, readLinuxSll2, readLoopHeader, readNullHeader } from "@netstrata/link";
import { type Cursor, NEXT_DATA, NEXT_LLC, type NextLayer, nextEtherType } from "./cursor.ts";

/** The cooked header's value for 802.2 (linux/if_ether.h: ETH_P_802_2). */
const PROTOCOL_802_2 = 4;
/** A GRE device: its protocols are EtherTypes too (RFC 2784 §2.4). */
const HARDWARE_GRE = 778;

export function dissectNull(cursor: Cursor): NextLayer {
  return dissectLoopback(cursor, readNullHeader);
}

export function dissectLoop(cursor: Cursor): NextLayer {
  return dissectLoopback(cursor, readLoopHeader);
}

function dissectLoopback(cursor: Cursor, read: typeof readNullHeader): NextLayer {
  const { packet } = cursor;
  const offset = packet.start;
  const header = read(packet);
  if (header === "truncated") return cursor.malformed("null", header);
  const { family, etherType, headerLength } = header;
  packet.rewind(headerLength);
  return cursor.found({ protocol: "null", offset, headerLength, family }, etherType === 0 ? NEXT_DATA : nextEtherType(etherType));
}

export function dissectSll(cursor: Cursor): NextLayer {
  return dissectCooked(cursor, readLinuxSll(cursor.packet));
}

export function dissectSll2(cursor: Cursor): NextLayer {
  return dissectCooked(cursor, readLinuxSll2(cursor.packet));
}

function dissectCooked(cursor: Cursor, header: CookedHeader | "truncated"): NextLayer {
  if (header === "truncated") return cursor.malformed("sll", header);
  const { packetType, hardwareType, headerLength } = header;
  const etherType = hardwareType === HARDWARE_GRE ? header.protocol : header.etherType;
  cursor.packet.rewind(headerLength);
  const offset = cursor.packet.start;
  const linkAddress = Array.from(header.linkAddress, (octet) => octet.toString(16).padStart(2, "0")).join(":");
  const next = header.protocol === PROTOCOL_802_2 ? NEXT_LLC : etherType === 0 ? NEXT_DATA : nextEtherType(etherType);
  return cursor.found({ protocol: "sll", offset, headerLength, packetType, hardwareType, linkAddress, etherType }, next);
}
