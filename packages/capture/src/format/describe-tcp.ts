// TCP segments in words, as tcpdump puts them.
import type { SequenceNumber } from "@netstrata/core";
import { ACK, FIN, RST, SYN, URG } from "@netstrata/transport";
import type { HeaderOption, TcpLayer } from "../dissect/layer.ts";
import { ipAround } from "./describe-ip.ts";
import type { Line } from "./line.ts";
import { tcpFlagLetters } from "./tcp-flags.ts";

export function describeTcp(tcp: TcpLayer, line: Line, index: number): string {
  const ip = ipAround(line, index);
  const { flags, payloadLength } = tcp;
  const relative = ip && line.relativeSequence?.numbers(ip.source, ip.destination, tcp);
  const { seq, ack } = relative ?? tcp;
  const ackOrigin = relative?.ackOrigin ?? 0;
  const parts = [`Flags [${tcpFlagLetters(flags)}]`];
  if (payloadLength > 0) parts.push(`seq ${seq}:${(seq + payloadLength) >>> 0}`);
  else if ((flags & (SYN | FIN | RST)) !== 0) parts.push(`seq ${seq}`);
  if ((flags & ACK) !== 0) parts.push(`ack ${ack}`);
  parts.push(`win ${tcp.window}`);
  if ((flags & URG) !== 0) parts.push(`urg ${tcp.urgentPointer}`);
  if (tcp.options.length > 0) parts.push(`options [${tcp.options.map((option) => describeOption(option, ackOrigin)).join(",")}]`);
  parts.push(`length ${payloadLength}`);
  return parts.join(", ");
}

function describeOption(option: HeaderOption, ackOrigin: SequenceNumber): string {
  if (option.timestamp !== undefined) return `${option.name} val ${option.timestamp} ecr ${option.echoReply}`;
  if (option.blocks !== undefined) {
    const blocks = option.blocks.map(({ left, right }) => `{${(left - ackOrigin) >>> 0}:${(right - ackOrigin) >>> 0}}`).join("");
    return `sack ${option.blocks.length} ${blocks}`;
  }
  return option.value === undefined ? option.name : `${option.name} ${option.value}`;
}
