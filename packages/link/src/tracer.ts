// A device wrapper that shows every packet that passes to somebody.
import type { PacketBuffer } from "@netstrata/core";
import { DeviceWrapper, type Direction } from "./device-wrapper.ts";
import type { LinkDevice } from "./link-device.ts";

/** Called before the packet goes on; `packet` is lent for the duration of the call, its window must stay as it is. */
export type Trace = (packet: PacketBuffer, direction: Direction, device: LinkDevice) => void;

export class Tracer extends DeviceWrapper {
  private readonly trace: Trace;

  constructor(inner: LinkDevice, trace: Trace) {
    super(inner);
    this.trace = trace;
  }

  override transmit(packet: PacketBuffer): void {
    this.trace(packet, "out", this);
    this.inner.transmit(packet);
  }

  override receive(packet: PacketBuffer): void {
    this.trace(packet, "in", this);
    super.receive(packet);
  }
}
