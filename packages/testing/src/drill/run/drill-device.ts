// The link of the stack under test: what comes out is kept for the script, what the script sends goes in.
import type { PacketBuffer, VirtualClock } from "@netstrata/core";
import {
  createLinkCounters,
  type LinkCounters,
  type LinkDevice,
  type LinkOffload,
  type Medium,
  NO_OFFLOAD,
  type PacketReceiver,
} from "@netstrata/link";
import { type LivePacket, readLivePacket } from "../wire/live-packet.ts";

/** Packets that have come out and that no line of the script has asked for yet; more are lost and counted. */
export const MAX_WAITING_PACKETS = 100_000;

export class DrillDevice implements LinkDevice {
  readonly name = "tun0";
  readonly medium: Medium = "ip";
  readonly mtu: number;
  readonly offload: LinkOffload = NO_OFFLOAD;
  readonly counters: LinkCounters = createLinkCounters();
  /** What has come out and was not looked at yet, oldest first. */
  readonly waiting: LivePacket[] = [];
  private readonly clock: VirtualClock;
  private receiver: PacketReceiver | undefined;

  constructor(clock: VirtualClock, mtu: number) {
    this.clock = clock;
    this.mtu = mtu;
  }

  transmit(packet: PacketBuffer): void {
    const live = this.waiting.length < MAX_WAITING_PACKETS ? readLivePacket(packet.slice(), this.clock.now()) : undefined;
    this.counters[live === undefined ? "txDropped" : "txPackets"] += 1;
    if (live !== undefined) this.waiting.push(live);
  }

  attach(receiver: PacketReceiver): void {
    this.receiver = receiver;
  }

  inject(packet: PacketBuffer): void {
    this.counters.rxPackets += 1;
    this.receiver?.receive(packet);
  }

  close(): void {
    this.receiver = undefined;
  }
}
