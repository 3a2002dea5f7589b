// The loopback device: what is transmitted comes back (RFC 1122 §3.2.1.3 g: 127.0.0.0/8 never leaves the host).
import type { Clock, Observer } from "@netstrata/core";
import type { LinkOffload } from "./link-device.ts";
import { MemoryDevice } from "./memory-device.ts";
import type { LineOptions } from "./transmission-line.ts";

/** The largest IPv4 datagram: nothing need ever be fragmented. */
export const LOOPBACK_MTU = 65535;

/** The packets never leave memory, so their checksums can stay unfinished; and a datagram is never larger than the MTU. */
const LOOPBACK_OFFLOAD: LinkOffload = { checksum: true, segmentation: 0 };

export interface LoopbackOptions extends LineOptions {
  /** @default "lo" */
  readonly name?: string;
  /** @default 65535 */
  readonly mtu?: number;
  /** Told of every packet that is lost here. */
  readonly observer?: Observer;
}

/** A device of medium "ip" that receives what it transmits, through the clock. */
export class LoopbackDevice extends MemoryDevice {
  constructor(clock: Clock, options: LoopbackOptions = {}) {
    super(clock, { ...options, medium: "ip", name: options.name ?? "lo", mtu: options.mtu ?? LOOPBACK_MTU, offload: LOOPBACK_OFFLOAD });
    this.connect(this.inbound);
  }
}
