// A device wrapper that hands every packet that passes to a capture. What a capture file looks like is not known here.
import type { Clock, Milliseconds, PacketBuffer } from "@netstrata/core";
import { DeviceWrapper, type Direction } from "./device-wrapper.ts";
import type { LinkDevice } from "./link-device.ts";

/** Implemented by whoever stores packets, such as the writers of capture files. */
export interface PacketSink {
  /**
   * @param bytes the packet from its link header on: a view, lent for the duration of the call
   * @param time on the scale of the clock that the capture writer was given
   */
  packet(bytes: Uint8Array, time: Milliseconds, direction: Direction): void;
}

/** Outgoing packets are seen before the device below has cut or finished them, as in captures that a kernel makes. */
export class CaptureWriter extends DeviceWrapper {
  private readonly clock: Clock;
  private readonly sink: PacketSink;

  constructor(inner: LinkDevice, clock: Clock, sink: PacketSink) {
    super(inner);
    this.clock = clock;
    this.sink = sink;
  }

  override transmit(packet: PacketBuffer): void {
    this.sink.packet(packet.view(), this.clock.now(), "out");
    this.inner.transmit(packet);
  }

  override receive(packet: PacketBuffer): void {
    this.sink.packet(packet.view(), this.clock.now(), "in");
    super.receive(packet);
  }
}
