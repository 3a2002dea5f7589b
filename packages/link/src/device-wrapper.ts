// Devices wrap devices: a wrapper is a link device around another one, and does something with what passes.
import type { PacketBuffer } from "@netstrata/core";
import type { LinkCounters, LinkDevice, LinkOffload, Medium, PacketReceiver } from "./link-device.ts";

/** Which way a packet passes: "out" from the stack to the medium, "in" the other way. */
export type Direction = "in" | "out";

/** It passes everything on. Subclasses override `transmit` and `receive`. */
export abstract class DeviceWrapper implements LinkDevice, PacketReceiver {
  protected readonly inner: LinkDevice;
  private receiver: PacketReceiver | undefined;
  protected closed = false;

  constructor(inner: LinkDevice) {
    this.inner = inner;
  }

  get name(): string {
    return this.inner.name;
  }

  get medium(): Medium {
    return this.inner.medium;
  }

  get mtu(): number {
    return this.inner.mtu;
  }

  get offload(): LinkOffload {
    return this.inner.offload;
  }

  get counters(): LinkCounters {
    return this.inner.counters;
  }

  transmit(packet: PacketBuffer): void {
    this.inner.transmit(packet);
  }

  receive(packet: PacketBuffer): void {
    this.receiver?.receive(packet);
  }

  attach(receiver: PacketReceiver): void {
    if (!this.closed) this.receiver = receiver;
    // Not before: the device below counts what arrives while nobody is there.
    this.inner.attach(this);
  }

  close(): void {
    this.closed = true;
    // A receiver may close the device while it is given a packet, and behind that one others may be on their way up.
    this.receiver = undefined;
    this.inner.close();
  }
}
