// ARP (RFC 826) for IPv4 over Ethernet addresses.
import { ARP_LENGTH, readArp } from "@netstrata/link";
import { type Cursor, NEXT_NOTHING, type NextLayer } from "./cursor.ts";

export function dissectArp(cursor: Cursor): NextLayer {
  const message = readArp(cursor.packet);
  if (typeof message === "string") return cursor.malformed("arp", message);
  return cursor.found({ protocol: "arp", offset: cursor.packet.start, headerLength: ARP_LENGTH, ...message }, NEXT_NOTHING);
}
