// Replay: our stack plays one host of a recording, and the recording plays everybody that host talked to.
import type { CapturedPacket } from "@netstrata/capture";
import { type IpAddress, isIpv4, isUnspecified } from "@netstrata/core";
import { type OwnEnd, type RecordedConversation, Recording } from "./recording.ts";
import { type ConversationReport, NO_LIBERTIES } from "./replay-report.ts";
import { planTcp } from "./tcp-plan.ts";
import { TcpPlayer, type TcpReplayOptions } from "./tcp-player.ts";
import { UdpPlayer } from "./udp-player.ts";

export interface ReplayOptions extends TcpReplayOptions {
  /** The host that our stack plays. IPv4 only, as the stack is. */
  readonly as: IpAddress;
  /** Only conversations of this port of it. @default all */
  readonly port?: number;
  /** Packets of that host held in memory; a RangeError is thrown for one more. @default 1000000 */
  readonly packetLimit?: number;
}

/**
 * Reads a capture to its end, then replays one conversation after the other, each on a virtual clock of its own that follows
 * the recorded times.
 * @throws what the reader of the capture throws, and RangeError for an address that cannot be played
 */
export async function* replay(
  packets: AsyncIterable<CapturedPacket> | Iterable<CapturedPacket>,
  options: ReplayOptions,
): AsyncGenerator<ConversationReport, void, void> {
  const recording = new Recording(ownEnd(options), options.packetLimit);
  for await (const packet of packets) recording.add(packet);
  for (const conversation of recording.conversations) yield replayConversation(conversation, options);
}

export function replayConversation(conversation: RecordedConversation, options: TcpReplayOptions = {}): ConversationReport {
  // Broken on purpose: no stack sends to such an end, or from it.
  const { own, peer } = conversation;
  const isReal = own.port !== 0 && peer.port !== 0 && !isUnspecified(peer.address);
  if (!isReal) return { ...describe(conversation), verdict: "not-replayed", reason: "an end has no port or no address" };
  return conversation.protocol === "tcp" ? replayTcp(conversation, options) : replayUdp(conversation, options);
}

function ownEnd({ as: address, port }: ReplayOptions): OwnEnd {
  if (!isIpv4(address)) throw new RangeError("only IPv4 conversations can be replayed");
  return { address, port };
}

function replayTcp(conversation: Extract<RecordedConversation, { protocol: "tcp" }>, options: TcpReplayOptions): ConversationReport {
  const plan = planTcp(conversation);
  if (typeof plan === "string") return { ...describe(conversation), verdict: "not-replayed", reason: plan };
  const player = new TcpPlayer(plan, options);
  try {
    player.play();
    return {
      ...describe(conversation),
      verdict: player.divergence === undefined ? "same" : "differs",
      divergence: player.divergence,
      octetsSent: plan.own.stream.length,
      octetsReceived: player.user.received,
      packetsSent: player.output.count,
      whole: plan.ends,
      liberties: player.liberties,
    };
  } finally {
    player.close();
  }
}

function replayUdp(conversation: Extract<RecordedConversation, { protocol: "udp" }>, options: TcpReplayOptions): ConversationReport {
  const cutOff = conversation.events.some((event) => event.datagram.missing > 0);
  if (cutOff) return { ...describe(conversation), verdict: "not-replayed", reason: "packets were cut off by the capture's snap length" };
  const player = new UdpPlayer(conversation, options.seed);
  try {
    player.play();
    const { octetsSent, octetsReceived, packetsSent, divergence } = player;
    const verdict = divergence === undefined ? "same" : "differs";
    return { ...describe(conversation), verdict, divergence, octetsSent, octetsReceived, packetsSent, whole: true };
  } finally {
    player.close();
  }
}

function describe(conversation: RecordedConversation): Omit<ConversationReport, "verdict"> {
  const { protocol, own, peer, events } = conversation;
  const packets = [events[0].datagram.number, events[events.length - 1].datagram.number] as const;
  const ownPackets = events.filter((event) => event.fromOwn).length;
  return {
    protocol,
    own,
    peer,
    packets,
    ownPackets,
    peerPackets: events.length - ownPackets,
    octetsSent: 0,
    octetsReceived: 0,
    packetsSent: 0,
    whole: false,
    liberties: NO_LIBERTIES,
  };
}
