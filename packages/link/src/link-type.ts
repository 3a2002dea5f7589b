// The LINKTYPE_ values of capture files (tcpdump.org link-layer header types) that this layer can read.
import type { PacketBuffer } from "@netstrata/core";
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, type EthernetHeader, readEthernet } from "./ethernet-header.ts";
import type { Medium } from "./link-device.ts";
import { type CookedHeader, readLinuxSll, readLinuxSll2 } from "./linux-sll-header.ts";
import { type NullHeader, readLoopHeader, readNullHeader } from "./null-header.ts";
import { rawIpEtherType } from "./raw-ip.ts";

export const LINKTYPE_NULL = 0;
export const LINKTYPE_ETHERNET = 1;
export const LINKTYPE_RAW = 101;
export const LINKTYPE_LOOP = 108;
export const LINKTYPE_LINUX_SLL = 113;
export const LINKTYPE_IPV4 = 228;
export const LINKTYPE_IPV6 = 229;
export const LINKTYPE_LINUX_SLL2 = 276;
/** LINKTYPE_RAW as it was before it had a number of its own: DLT_RAW of most systems, and of OpenBSD. */
const DLT_RAW = 12;
const DLT_RAW_OPENBSD = 14;

export interface RawHeader {
  readonly etherType: number;
  readonly headerLength: 0;
}

/** What all link headers have in common is the EtherType of what follows (0 when it has none) and their length. */
export type LinkHeader = EthernetHeader | CookedHeader | NullHeader | RawHeader;
export type LinkHeaderError = "truncated" | "too-many-tags" | "bad-version";

type Reader = (packet: PacketBuffer) => LinkHeader | LinkHeaderError;

function readRaw(packet: PacketBuffer): RawHeader | LinkHeaderError {
  const etherType = rawIpEtherType(packet);
  return typeof etherType === "string" ? etherType : { etherType, headerLength: 0 };
}

const READERS: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [LINKTYPE_NULL, readNullHeader],
  [LINKTYPE_ETHERNET, readEthernet],
  [DLT_RAW, readRaw],
  [DLT_RAW_OPENBSD, readRaw],
  [LINKTYPE_RAW, readRaw],
  [LINKTYPE_LOOP, readLoopHeader],
  [LINKTYPE_LINUX_SLL, readLinuxSll],
  [LINKTYPE_IPV4, () => ({ etherType: ETHERTYPE_IPV4, headerLength: 0 })],
  [LINKTYPE_IPV6, () => ({ etherType: ETHERTYPE_IPV6, headerLength: 0 })],
  [LINKTYPE_LINUX_SLL2, readLinuxSll2],
]);

/** Reads and consumes the link header of a captured packet. The packet is unchanged when the answer is a string. */
export function readLinkHeader(linkType: number, packet: PacketBuffer): LinkHeader | LinkHeaderError | "unknown-link-type" {
  const read = READERS.get(linkType);
  return read === undefined ? "unknown-link-type" : read(packet);
}

/** The LINKTYPE under which the packets of a device are written to a capture. */
export function linkTypeOf(medium: Medium): number {
  return medium === "ethernet" ? LINKTYPE_ETHERNET : LINKTYPE_RAW;
}
