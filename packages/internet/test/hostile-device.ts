// A device that trusts nobody: it lends what arrives in one buffer that it spoils afterwards, and spoils what it was given to send.
import { PacketBuffer } from "@netstrata/core";
import { createLinkCounters, type LinkCounters, type LinkDevice, type Medium, NO_OFFLOAD, type PacketReceiver } from "@netstrata/link";

/** Octets in front of what arrives, as many as a device in the kernel might leave; never room for a header. */
const OFFSET = 2;
const SPOILT = 0xdd;

/** Whoever keeps a lent packet, or uses one that it gave away, finds 0xdd in it. */
export class HostileDevice implements LinkDevice {
  readonly name: string;
  readonly medium: Medium;
  readonly mtu: number;
  readonly offload = NO_OFFLOAD;
  readonly counters: LinkCounters = createLinkCounters();
  private readonly store: Uint8Array;
  private receiver: PacketReceiver | undefined;
  private sent: Uint8Array[] = [];

  /** @param store what it lends packets in; 64 KiB at least */
  constructor(name: string, medium: Medium, mtu: number, store: Uint8Array = new Uint8Array(66_000)) {
    this.name = name;
    this.medium = medium;
    this.mtu = mtu;
    this.store = store;
  }

  transmit(packet: PacketBuffer): void {
    this.sent.push(packet.slice());
    packet.bytes.fill(SPOILT, packet.start, packet.end);
  }

  attach(receiver: PacketReceiver): void {
    this.receiver = receiver;
  }

  close(): void {
    this.receiver = undefined;
  }

  deliver(bytes: Uint8Array): void {
    this.store.set(bytes, OFFSET);
    this.receiver?.receive(PacketBuffer.wrap(this.store, OFFSET, OFFSET + bytes.length));
    this.store.fill(SPOILT);
  }

  /** Everything sent since the last call, from its link header on. */
  take(): Uint8Array[] {
    return this.sent.splice(0);
  }
}
