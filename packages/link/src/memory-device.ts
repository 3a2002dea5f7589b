// A link device whose other side is in the same program: the ends of a wire, the ports of a switch, the loopback.
import type { Clock, DropEvent, Observer, PacketBuffer } from "@netstrata/core";
import {
  createLinkCounters,
  fitsDevice,
  type LinkCounters,
  type LinkDevice,
  type LinkOffload,
  type Medium,
  NO_OFFLOAD,
  type PacketReceiver,
} from "./link-device.ts";
import { type LineOptions, TransmissionLine } from "./transmission-line.ts";

export interface MemoryDeviceOptions extends LineOptions {
  readonly name: string;
  readonly medium: Medium;
  readonly mtu: number;
  /** Memory corrupts nothing, so it can carry partial checksums and whole super-segments. @default NO_OFFLOAD */
  readonly offload?: LinkOffload;
  /** Told of every packet that is lost here. */
  readonly observer?: Observer;
}

/** Where a device's packets go: it takes a packet, or answers false and the packet is lost. */
export interface Outlet {
  send(packet: PacketBuffer): boolean;
}

const NOWHERE: Outlet = { send: () => false };

export class MemoryDevice implements LinkDevice {
  readonly name: string;
  readonly medium: Medium;
  readonly mtu: number;
  readonly offload: LinkOffload;
  readonly counters: LinkCounters = createLinkCounters();
  /** What is on its way to this device. */
  readonly inbound: TransmissionLine;
  private readonly observer: Observer | undefined;
  private outlet: Outlet = NOWHERE;
  private receiver: PacketReceiver | undefined;
  private closed = false;

  constructor(clock: Clock, options: MemoryDeviceOptions) {
    if (!(options.mtu > 0)) throw new RangeError(`mtu ${options.mtu}: not a number of octets`);
    this.name = options.name;
    this.medium = options.medium;
    this.mtu = options.mtu;
    this.offload = options.offload ?? NO_OFFLOAD;
    this.observer = options.observer;
    this.inbound = new TransmissionLine(clock, (packet) => this.receive(packet), options, options.medium);
  }

  /** Joins the device to what carries its packets away. */
  connect(outlet: Outlet): void {
    this.outlet = outlet;
  }

  /** Puts a packet on its way to this device; what the queue there does not take is counted as lost here. */
  offer(packet: PacketBuffer): void {
    if (!this.inbound.send(packet)) this.drop("rxDropped", packet);
  }

  transmit(packet: PacketBuffer): void {
    const octets = packet.length;
    if (!fitsDevice(this, packet)) {
      this.drop("txErrors", packet);
    } else if (this.closed || !this.outlet.send(packet)) {
      this.drop("txDropped", packet);
    } else {
      this.counters.txPackets += 1;
      this.counters.txBytes += octets;
    }
  }

  attach(receiver: PacketReceiver): void {
    if (!this.closed) this.receiver = receiver;
  }

  close(): void {
    this.closed = true;
    this.receiver = undefined;
    this.counters.rxDropped += this.inbound.length;
    this.inbound.clear();
  }

  private receive(packet: PacketBuffer): void {
    if (this.receiver === undefined) {
      this.drop("rxDropped", packet);
    } else {
      this.counters.rxPackets += 1;
      this.counters.rxBytes += packet.length;
      this.receiver.receive(packet);
    }
  }

  private drop(reason: keyof LinkCounters, packet: PacketBuffer): void {
    this.counters[reason] += 1;
    if (this.observer === undefined) return;
    const event: DropEvent = { layer: "link", kind: "drop", reason, packet };
    this.observer.observe(event);
  }
}
