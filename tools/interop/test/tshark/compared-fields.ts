// Which field of ours is which field of tshark's, and how its value reads there.
import type { JsonLayer, JsonValue } from "@netstrata/capture";

export interface ComparedField {
  readonly tshark: string;
  /** Our layer that has it. */
  readonly protocol: string;
  /** Its values as tshark would print them; undefined when the layer, being malformed, does not say. */
  readonly values: (layer: JsonLayer) => readonly (string | undefined)[];
  /** Brings tshark's own text into the form of `values`. */
  readonly normalize?: (text: string) => string;
}

type Print = (value: JsonValue) => string;

const decimal: Print = (value) => String(value);
const bit: Print = (value) => (value === true ? "1" : "0");
const hexadecimal =
  (digits: number): Print =>
  (value) =>
    `0x${(value as number).toString(16).padStart(digits, "0")}`;
/** tshark counts fragment offsets as the header does, in units of 8 octets. */
const eighths: Print = (value) => String((value as number) / 8);

const VERDICTS: Readonly<Record<string, string>> = { bad: "0", good: "1", unverified: "2", absent: "3" };
const verdict: Print = (value) => VERDICTS[value as string];

const FLAG_BITS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];
const flags: Print = (value) =>
  hexadecimal(4)(typeof value === "number" ? value : (value as string[]).reduce((sum, name) => sum | (1 << FLAG_BITS.indexOf(name)), 0));
/** RFC 9293 §3.1: the three bits before AE are reserved, not flags. */
const withoutReservedBits = (text: string): string => hexadecimal(4)(Number(text) & 0x1ff);

function one(tshark: string, protocol: string, name: string, print: Print = decimal): ComparedField {
  const values = (layer: JsonLayer): readonly (string | undefined)[] => {
    const value = fieldsOf(layer)[name];
    return [value === undefined ? undefined : print(value)];
  };
  return { tshark, protocol, values };
}

/** A value of every TCP option of one kind. */
function option(
  tshark: string,
  kind: number,
  read: (option: Record<string, JsonValue>) => JsonValue | readonly JsonValue[] | undefined,
): ComparedField {
  const values = (layer: JsonLayer): readonly string[] =>
    ((layer["options"] ?? []) as Record<string, JsonValue>[])
      .filter((candidate) => candidate["kind"] === kind)
      .flatMap((candidate) => read(candidate) ?? [])
      .map(decimal);
  return { tshark, protocol: "tcp", values };
}

const blocks =
  (edge: "left" | "right") =>
  (candidate: Record<string, JsonValue>): readonly JsonValue[] =>
    ((candidate["blocks"] ?? []) as Record<string, JsonValue>[]).map((block) => block[edge]);

function fieldsOf(layer: JsonLayer): Readonly<Record<string, JsonValue>> {
  return layer.protocol === "malformed" ? (layer["fields"] as Readonly<Record<string, JsonValue>>) : layer;
}

function destinationOf(layer: JsonLayer): string | undefined {
  const { finalDestination, destination } = fieldsOf(layer);
  return (finalDestination ?? destination) as string | undefined;
}

/** Of a super-segment, which has 0 in its header, tshark shows the length that it takes it to have. */
function totalLengthOf(layer: JsonLayer): string | undefined {
  const { totalLength, headerLength, payloadLength } = fieldsOf(layer) as Record<string, number | undefined>;
  if (totalLength === 0 && payloadLength !== undefined) return String((headerLength as number) + payloadLength);
  return totalLength === undefined ? undefined : String(totalLength);
}

export const COMPARED_FIELDS: readonly ComparedField[] = [
  one("eth.src", "eth", "source"),
  one("eth.dst", "eth", "destination"),
  // Up to 1500 it is a length, which tshark has under another name.
  {
    ...one("eth.type", "eth", "etherType", hexadecimal(4)),
    values: ({ etherType }) => ((etherType as number) > 1500 ? [hexadecimal(4)(etherType)] : []),
  },
  one("vlan.id", "vlan", "id"),
  one("vlan.priority", "vlan", "priority"),
  one("ieee8021ad.id", "service-vlan", "id"),
  one("ieee8021ad.priority", "service-vlan", "priority"),
  one("arp.opcode", "arp", "operation"),
  one("arp.src.hw_mac", "arp", "senderHardware"),
  one("arp.src.proto_ipv4", "arp", "senderProtocol"),
  one("arp.dst.hw_mac", "arp", "targetHardware"),
  one("arp.dst.proto_ipv4", "arp", "targetProtocol"),
  one("ip.src", "ipv4", "source"),
  // On a source route tshark shows where it ends, not the next hop.
  { ...one("ip.dst", "ipv4", "destination"), values: (layer) => [destinationOf(layer)] },
  one("ip.proto", "ipv4", "payloadProtocol"),
  { ...one("ip.len", "ipv4", "totalLength"), values: (layer) => [totalLengthOf(layer)] },
  one("ip.hdr_len", "ipv4", "headerLength"),
  one("ip.id", "ipv4", "identification", hexadecimal(4)),
  one("ip.ttl", "ipv4", "timeToLive"),
  one("ip.dsfield", "ipv4", "trafficClass", hexadecimal(2)),
  one("ip.flags.df", "ipv4", "dontFragment", bit),
  one("ip.flags.mf", "ipv4", "moreFragments", bit),
  one("ip.frag_offset", "ipv4", "fragmentOffset", eighths),
  one("ip.checksum.status", "ipv4", "checksum", verdict),
  one("ipv6.src", "ipv6", "source"),
  one("ipv6.dst", "ipv6", "destination"),
  one("ipv6.nxt", "ipv6", "nextHeader"),
  one("ipv6.plen", "ipv6", "payloadLengthField"),
  one("ipv6.hlim", "ipv6", "hopLimit"),
  one("ipv6.tclass", "ipv6", "trafficClass", hexadecimal(8)),
  one("ipv6.flow", "ipv6", "flowLabel", hexadecimal(6)),
  one("ipv6.fraghdr.offset", "ipv6-fragment", "fragmentOffset", eighths),
  one("ipv6.fraghdr.more", "ipv6-fragment", "moreFragments", bit),
  one("ipv6.fraghdr.ident", "ipv6-fragment", "identification", hexadecimal(8)),
  one("icmp.type", "icmp", "type"),
  one("icmp.code", "icmp", "code"),
  one("icmp.checksum.status", "icmp", "checksum", verdict),
  one("icmpv6.type", "icmpv6", "type"),
  one("icmpv6.code", "icmpv6", "code"),
  one("icmpv6.checksum.status", "icmpv6", "checksum", verdict),
  one("udp.srcport", "udp", "sourcePort"),
  one("udp.dstport", "udp", "destinationPort"),
  one("udp.length", "udp", "length"),
  one("udp.checksum.status", "udp", "checksum", verdict),
  one("tcp.srcport", "tcp", "sourcePort"),
  one("tcp.dstport", "tcp", "destinationPort"),
  one("tcp.seq", "tcp", "seq"),
  one("tcp.ack", "tcp", "ack"),
  { ...one("tcp.flags", "tcp", "flags", flags), normalize: withoutReservedBits },
  one("tcp.window_size_value", "tcp", "window"),
  one("tcp.urgent_pointer", "tcp", "urgentPointer"),
  one("tcp.hdr_len", "tcp", "headerLength"),
  one("tcp.len", "tcp", "payloadLength"),
  one("tcp.checksum.status", "tcp", "checksum", verdict),
  option("tcp.options.mss_val", 2, (candidate) => candidate["value"]),
  option("tcp.options.wscale.shift", 3, (candidate) => candidate["value"]),
  option("tcp.options.sack_le", 5, blocks("left")),
  option("tcp.options.sack_re", 5, blocks("right")),
  option("tcp.options.timestamp.tsval", 8, (candidate) => candidate["timestamp"]),
  option("tcp.options.timestamp.tsecr", 8, (candidate) => candidate["echoReply"]),
];
