// The differences from tshark that are meant, each with its reason. A rule that explains nothing any more fails the test.
import type { JsonLayer } from "@netstrata/capture";
import type { Difference } from "./compare-frame.ts";

export interface Exception {
  readonly reason: string;
  readonly explains: (difference: Difference) => boolean;
}

export const EXCEPTIONS: readonly Exception[] = [
  {
    reason: "a file whose fraction of a second is no fraction: tshark keeps it in 32 bits of nanoseconds, we carry it over",
    explains: ({ field, ours, theirs }) => field === "frame.time_epoch" && (BigInt(ours) - BigInt(theirs)) % 2n ** 32n === 0n,
  },
  {
    reason: "SunATM is a link type we do not know: tshark takes its 4 octets off before it counts",
    explains: ({ field, ours, theirs, packet }) =>
      packet.linkType === "link type 123" && field.startsWith("frame.") && Number(ours) === Number(theirs) + 4,
  },
  {
    reason: "Cisco's ISL and FabricPath stand in front of a frame and are told by MAC addresses only: we see the addresses",
    explains: ({ field, protocols }) => /^eth:(cfp:)?eth:/.test(protocols) && (field === "layers" || field.startsWith("eth.")),
  },
  {
    reason: "tshark gives up on a datagram whose security option is shorter than RFC 1108 has it; a receiver does not look",
    explains: ({ packet }) => packet.layers.some((layer) => optionsOf(layer).some(({ kind, length }) => kind === 130 && length === 2)),
  },
  {
    reason: "WCCP puts a redirect header between GRE and the datagram: not decoded",
    explains: ({ packet }) => packet.layers.some((layer) => layer.protocol === "gre" && layer["etherType"] === 0x883e),
  },
  {
    reason: "tshark dissects the extension objects of RFC 4884 in ICMPv6 under the name icmp: not decoded",
    explains: ({ field, protocols }) => field === "layers" && protocols.endsWith("icmpv6:icmp"),
  },
  {
    reason: "tshark does not say the length of a segment that an ICMP error quotes, which is cut short anyway",
    explains: ({ field, theirs, packet }) => field === "tcp.len" && theirs === "" && isQuoting(packet.layers),
  },
  {
    reason: "tshark does not verify ICMP messages that an ICMP error quotes; a quotation that is whole can be verified",
    explains: ({ field, ours, theirs, packet }) =>
      /^icmp(v6)?\.checksum/.test(field) && isQuoting(packet.layers) && theirs === `${ours.split(" ")[0]} 2`,
  },
  {
    reason: "where the IP header promises more than the frame holds, tshark takes the checksum of what there is; it covers more",
    explains: ({ field, ours, theirs, packet }) =>
      /^(tcp|icmp|icmpv6)\.checksum/.test(field) && ours === "2" && theirs !== "2" && packet.layers.some(promisesTooMuch),
  },
  {
    reason: "a UDP datagram that ends before its cut-off IP payload is there whole, and can be verified: tshark does not",
    explains: ({ field, ours, theirs, packet }) =>
      field === "udp.checksum.status" && ours !== "2" && theirs === "2" && packet.capturedLength < packet.length,
  },
];

function optionsOf(layer: JsonLayer): readonly { readonly kind: number; readonly length: number }[] {
  return (layer["options"] ?? []) as unknown as readonly { kind: number; length: number }[];
}

function isQuoting(layers: readonly JsonLayer[]): boolean {
  const error = layers.findIndex((layer) => layer.protocol === "icmp" || layer.protocol === "icmpv6");
  return layers.slice(error + 1).some((layer) => layer.protocol === "ipv4" || layer.protocol === "ipv6");
}

function promisesTooMuch(layer: JsonLayer): boolean {
  const { totalLength, payloadLengthField, headerLength, payloadLength } = layer as unknown as Record<string, number>;
  if (layer.protocol === "ipv4") return totalLength > headerLength + payloadLength;
  // 0 stands in a jumbogram, whose length is in an option.
  return layer.protocol === "ipv6" && (payloadLengthField > payloadLength || (payloadLengthField === 0 && payloadLength > 0));
}
