// The reset that refuses a TCP segment on its way (RFC 9293 §3.5.2): in the name of whom it was for.
import { foldChecksum, PacketBuffer, sumPacket } from "@netstrata/core";
import { type IpHeader, sumPseudoHeader } from "../ip-header.ts";
import { PROTOCOL_TCP } from "../ip-protocol.ts";
import type { IpService } from "../ip-service.ts";

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;
const TCP_HEADER_LENGTH = 20;

/** @param datagram a whole one, its window starts at the IP header; it is only read */
export function resetSender(ip: IpService, datagram: PacketBuffer, header: IpHeader): void {
  const at = header.headerLength;
  const { source, destination } = header;
  const flags = datagram.u8(at + 13);
  const text = datagram.length - at - (datagram.u8(at + 12) >>> 4) * 4;
  if (datagram.length < at + TCP_HEADER_LENGTH || (flags & RST) !== 0 || text < 0) return;
  const occupied = text + ((flags & SYN) === 0 ? 0 : 1) + ((flags & FIN) === 0 ? 0 : 1);
  const hasAck = (flags & ACK) !== 0;
  const reset = PacketBuffer.allocate(ip.headroom, TCP_HEADER_LENGTH);
  reset.setU16(0, datagram.u16(at + 2));
  reset.setU16(2, datagram.u16(at));
  // With an ACK the sender has told which number it expects; without one the reset must show what it acknowledges.
  reset.setU32(4, hasAck ? datagram.u32(at + 8) : 0);
  reset.setU32(8, hasAck ? 0 : (datagram.u32(at + 4) + occupied) >>> 0);
  reset.setU8(12, (TCP_HEADER_LENGTH / 4) << 4);
  reset.setU8(13, hasAck ? RST : RST | ACK);
  reset.setU16(16, foldChecksum(sumPacket(reset, sumPseudoHeader(destination, source, PROTOCOL_TCP, reset.length))));
  ip.send(reset, { source: destination, destination: source, protocol: PROTOCOL_TCP, transparent: true });
}
