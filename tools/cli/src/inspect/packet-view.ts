// One line a packet, and below it what the options ask for.
import { formatHex, formatLayers, formatLine, RelativeSequence, toJson } from "@netstrata/capture";
import type { InspectedPacket } from "./packet-source.ts";

export interface PacketViewOptions {
  readonly layers: boolean;
  readonly bytes: boolean;
  /** TCP's numbers as they stand in the header, not counted from each stream's first. */
  readonly absolute: boolean;
}

export type PacketView = (packet: InspectedPacket) => string;

export function textView({ layers, bytes, absolute }: PacketViewOptions): PacketView {
  const relativeSequence = absolute ? undefined : new RelativeSequence();
  return ({ packet, dissection }) => {
    const lines = [formatLine(dissection, { timestamp: packet.timestamp, relativeSequence })];
    for (const comment of packet.comments ?? []) lines.push(`    # ${comment.replace(/\s*\n\s*/g, " ")}`);
    if (layers) lines.push(formatLayers(dissection));
    if (bytes && packet.bytes.length > 0) lines.push(formatHex(packet.bytes));
    return lines.join("\n");
  };
}

/** NDJSON. */
export function jsonView(): PacketView {
  return ({ packet, dissection }) => JSON.stringify(toJson(packet, dissection));
}
