// Replays all conversations of a capture from the point of view of each host in it.
import type { CapturedPacket } from "@netstrata/capture";
import { IPV4_BROADCAST, type Ipv4Address, isMulticast, isUnspecified } from "@netstrata/core";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "@netstrata/internet";
import { type ConversationReport, Recording, replayConversation } from "../src/index.ts";
import { DatagramReader } from "../src/replay/recorded-datagram.ts";

export function* replayBothEnds(packets: readonly CapturedPacket[]): Generator<ConversationReport, void, void> {
  for (const address of hostsOf(packets)) {
    const recording = new Recording({ address });
    for (const packet of packets) recording.add(packet);
    for (const conversation of recording.conversations) yield replayConversation(conversation);
  }
}

function hostsOf(packets: readonly CapturedPacket[]): Set<Ipv4Address> {
  const hosts = new Set<Ipv4Address>();
  const reader = new DatagramReader();
  for (const packet of packets) {
    const header = reader.read(packet)?.header;
    if (header === undefined || (header.protocol !== PROTOCOL_TCP && header.protocol !== PROTOCOL_UDP)) continue;
    for (const address of [header.source, header.destination]) {
      if (!isUnspecified(address) && !isMulticast(address) && address !== IPV4_BROADCAST) hosts.add(address);
    }
  }
  return hosts;
}
