// A segment in the notation of RFC 9293's figures: <SEQ=100><ACK=300><CTL=SYN,ACK>, with relative numbers.
import { tcpFlagNames } from "@netstrata/capture";
import { sequenceDistance } from "@netstrata/core";
import { SYN } from "@netstrata/transport";
import type { LadderSegment } from "./ladder.ts";

/** The first sequence number of each end, so that numbers can be counted from it. */
export interface Origins {
  client: number | undefined;
  server: number | undefined;
}

export function segmentText({ dissection: { transport }, fromClient }: LadderSegment, origins: Origins): string {
  if (transport?.protocol !== "tcp") return "";
  const own = fromClient ? "client" : "server";
  const other = fromClient ? "server" : "client";
  if ((transport.flags & SYN) !== 0) origins[own] = transport.seq;
  const flags = tcpFlagNames(transport.flags);
  const parts = [`SEQ=${sequenceDistance(origins[own] ?? transport.seq, transport.seq)}`];
  if (flags.includes("ACK")) parts.push(`ACK=${sequenceDistance(origins[other] ?? transport.ack, transport.ack)}`);
  parts.push(`CTL=${flags.join(",")}`);
  if (transport.payloadLength > 0) parts.push(`${transport.payloadLength} octets`);
  const options = transport.options.filter(({ name }) => name === "mss" || name === "wscale");
  for (const { name, value } of options) parts.push(`${name === "mss" ? "MSS" : "WS"}=${value}`);
  // The blocks are of what the other end has sent (RFC 2018 §3).
  for (const { left, right } of transport.options.flatMap(({ blocks }) => blocks ?? [])) {
    const [from, to] = [left, right].map((edge) => sequenceDistance(origins[other] ?? edge, edge));
    parts.push(`SACK=${from}:${to}`);
  }
  return parts.map((part) => `<${part}>`).join("");
}

/** The first line of what a segment carries, when it is text. */
export function payloadText({ payload }: LadderSegment): string | undefined {
  const line = /^[\x20-\x7e]+(?=\r\n)/.exec(Buffer.from(payload.subarray(0, 80)).toString("latin1"));
  return line?.[0];
}
