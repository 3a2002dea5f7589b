// What can still be said of a header that is cut short or broken: the fields that are there whole, each by itself.
import { formatIp, type PacketBuffer, readIpv4, readIpv6 } from "@netstrata/core";

/** Values of fields by the names they have in the whole layer; addresses as text. */
export type PartialHeader = Readonly<Record<string, number | string>>;

interface Field {
  readonly name: string;
  readonly offset: number;
  /** Octets it takes. */
  readonly size: number;
  readonly read: (packet: PacketBuffer, offset: number) => number | string;
}

function field(name: string, offset: number, size: number, read: Field["read"]): Field {
  return { name, offset, size, read };
}

const octet: Field["read"] = (packet, offset) => packet.u8(offset);
const word: Field["read"] = (packet, offset) => packet.u16(offset);
const long: Field["read"] = (packet, offset) => packet.u32(offset);

const PORTS = [field("sourcePort", 0, 2, word), field("destinationPort", 2, 2, word)];

const FIELDS: Readonly<Record<string, readonly Field[]>> = {
  arp: [field("operation", 6, 2, word)],
  ipv4: [
    field("headerLength", 0, 1, (packet, offset) => (packet.u8(offset) & 15) * 4),
    field("trafficClass", 1, 1, octet),
    field("totalLength", 2, 2, word),
    field("identification", 4, 2, word),
    field("timeToLive", 8, 1, octet),
    field("payloadProtocol", 9, 1, octet),
    field("source", 12, 4, (packet, offset) => formatIp(readIpv4(packet, offset))),
    field("destination", 16, 4, (packet, offset) => formatIp(readIpv4(packet, offset))),
  ],
  ipv6: [
    field("payloadLengthField", 4, 2, word),
    field("nextHeader", 6, 1, octet),
    field("hopLimit", 7, 1, octet),
    field("source", 8, 16, (packet, offset) => formatIp(readIpv6(packet, offset))),
    field("destination", 24, 16, (packet, offset) => formatIp(readIpv6(packet, offset))),
  ],
  icmp: [field("type", 0, 1, octet), field("code", 1, 1, octet)],
  icmpv6: [field("type", 0, 1, octet), field("code", 1, 1, octet)],
  udp: [...PORTS, field("length", 4, 2, word)],
  tcp: [
    ...PORTS,
    field("seq", 4, 4, long),
    field("ack", 8, 4, long),
    field("headerLength", 12, 1, (packet, offset) => (packet.u8(offset) >>> 4) * 4),
    field("flags", 12, 2, (packet, offset) => packet.u16(offset) & 0x1ff),
    field("window", 14, 2, word),
    field("urgentPointer", 18, 2, word),
  ],
};

export function readPartialHeader(protocol: string, packet: PacketBuffer): PartialHeader {
  const found: Record<string, number | string> = {};
  for (const { name, offset, size, read } of FIELDS[protocol] ?? []) {
    if (offset + size <= packet.length) found[name] = read(packet, offset);
  }
  return found;
}
