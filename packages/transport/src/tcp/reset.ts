// Reset generation for segments that belong to no connection (RFC 9293 §3.5.2, §3.10.7.1).
import { PacketBuffer, sequenceAdd } from "@netstrata/core";
import { type IpHeader, type IpService, PROTOCOL_TCP } from "@netstrata/internet";
import type { Segment } from "./segment.ts";
import { ACK, prependTcp, RST, TCP_HEADER_LENGTH, type TcpHeader } from "./tcp-header.ts";

/** Answers `segment` with a RST that its sender will find acceptable. A RST is never answered. */
export function sendResetFor(ip: IpService, header: IpHeader, ports: TcpHeader, segment: Segment): void {
  const packet = PacketBuffer.allocate(ip.headroom + TCP_HEADER_LENGTH);
  const common = { sourcePort: ports.destinationPort, destinationPort: ports.sourcePort, window: 0, urgentPointer: 0 };
  // With an ACK the peer has told which number it expects; without one the reset must show what it acknowledges.
  const fields = segment.hasAck
    ? { ...common, seq: segment.ack, ack: 0, flags: RST }
    : { ...common, seq: 0, ack: sequenceAdd(segment.seq, segment.length), flags: RST | ACK };
  prependTcp(packet, fields, 0, header.destination, header.source);
  // The segment was taken as ours, whatever its address: a listener for any of them speaks for all.
  ip.send(packet, { source: header.destination, destination: header.source, protocol: PROTOCOL_TCP, transparent: true });
}
