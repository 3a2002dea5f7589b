// A packet of the script, made from its description and the connection's numbers.
import { ipVersion, PacketBuffer } from "@netstrata/core";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "@netstrata/internet";
import { ACK, SYN } from "@netstrata/transport";
import type { IcmpDescription, PacketAction, TcpDescription } from "../language/packet.ts";
import { buildDatagram, buildMessage, buildSegment, type Ends, prependIp } from "../wire/build-packet.ts";
import { icmpKind } from "../wire/icmp-names.ts";
import { encodeTcpOptions } from "../wire/tcp-option-bytes.ts";
import { DrillStop, unsupported } from "./drill-report.ts";
import type { Flow } from "./flow.ts";

export function inboundPacket(action: PacketAction, flow: Flow): PacketBuffer {
  const { body, ip } = action;
  const ends: Ends = { source: flow.remote.address, destination: flow.local.address };
  if (body.protocol === "tcp") return inboundSegment(body, action, flow, ends);
  if (body.protocol === "icmp") return inboundMessage(body, action, flow, ends);
  const payload = body.payload ?? new Uint8Array(body.length);
  return buildDatagram({ source: flow.remote.port, destination: flow.local.port }, payload, ip, ends);
}

function inboundSegment(body: TcpDescription, { ip }: PacketAction, flow: Flow, ends: Ends): PacketBuffer {
  const { flags, start, length, ack, window, urgent, options, payload } = body;
  if ((flags & SYN) !== 0) flow.peerOpens(start);
  const encoded = encodeTcpOptions(flow.optionsToLive(options === "any" ? [] : options));
  if (encoded === undefined) throw new DrillStop("error", "these TCP options do not fit in a header");
  const numbering = (flags & SYN) !== 0 ? "syn" : "other";
  const fields = {
    sourcePort: flow.remote.port,
    destinationPort: flow.local.port,
    seq: flow.peerToLive(start, numbering),
    ack: (flags & ACK) === 0 ? (ack ?? 0) : flow.toLive(ack ?? 0, numbering),
    flags,
    window: window ?? 0,
    urgentPointer: urgent ?? 0,
  };
  return buildSegment(fields, encoded, payload ?? new Uint8Array(length), ip, ends);
}

function inboundMessage(body: IcmpDescription, { ip }: PacketAction, flow: Flow, ends: Ends): PacketBuffer {
  const version = ipVersion(ends.source);
  const kind = icmpKind(version, body.type, body.code);
  if (kind === undefined) throw unsupported(`icmp ${body.type} ${body.code ?? ""} over IPv${version}`);
  const rest = body.mtu ?? (((body.identifier ?? 0) << 16) | (body.sequence ?? 0)) >>> 0;
  return buildMessage(kind, rest, quotation(body, flow, ends), ip, ends);
}

/** The start of a packet of ours, as an error quotes it (RFC 792: the header and 64 bits of the data). */
function quotation({ quoted }: IcmpDescription, flow: Flow, { source, destination }: Ends): Uint8Array {
  if (quoted === undefined) return new Uint8Array(0);
  const headerLength = quoted.protocol === "tcp" ? 20 : 8;
  const packet = PacketBuffer.allocate(64, headerLength + quoted.length);
  packet.setU16(0, flow.local.port);
  packet.setU16(2, flow.remote.port);
  if (quoted.protocol === "tcp") packet.setU32(4, flow.toLive(quoted.start, "other"));
  else packet.setU16(4, 8 + quoted.length);
  prependIp(
    packet,
    quoted.protocol === "tcp" ? PROTOCOL_TCP : PROTOCOL_UDP,
    { timeToLive: 64 },
    { source: destination, destination: source },
  );
  return packet.slice(0, packet.length - headerLength - quoted.length + 8);
}
