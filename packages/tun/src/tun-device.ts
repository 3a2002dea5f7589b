// A TUN or TAP device: the end of a kernel interface that a program holds (Linux, Documentation/networking/tuntap.rst).
import { closeSync } from "node:fs";
import { constants } from "node:os";
import { PacketBuffer } from "@netstrata/core";
import {
  createLinkCounters,
  fitsDevice,
  type LinkCounters,
  type LinkDevice,
  type LinkOffload,
  type Medium,
  NO_OFFLOAD,
  type PacketReceiver,
} from "@netstrata/link";
import { configureKernelInterface, type KernelConfiguration } from "./kernel-interface.ts";
import { ReadableWatch } from "./readable-watch.ts";
import { type SystemCalls, systemCalls } from "./system-calls.ts";
import { TunError } from "./tun-error.ts";

export type TunMode = "tun" | "tap";

/** Packets read in one go before timers and other devices get their turn; larger batches measured no faster. */
export const READ_BATCH = 64;
/** The largest IP datagram with an Ethernet header and tags in front, and to spare: the kernel would cut what is longer. */
const READ_BUFFER_LENGTH = 65536 + 64;

/** What reading from a deleted interface fails with; Node has no name for it. */
const EBADFD = 77;
const { EAGAIN, ENOBUFS, ENOMEM, EINTR } = constants.errno;
/** Why the kernel may have no room for a packet just now; anything else is the packet's fault or the interface's. */
const NO_ROOM: ReadonlySet<number> = new Set([EAGAIN, ENOBUFS, ENOMEM]);

/** Made by `openTun`. Keeps the process alive until it is closed, unless `unref` is called. */
export class TunDevice implements LinkDevice {
  /** The interface's name, as the kernel gave it. */
  readonly name: string;
  readonly mode: TunMode;
  readonly medium: Medium;
  /** As it was when the device was opened. */
  readonly mtu: number;
  readonly offload: LinkOffload = NO_OFFLOAD;
  readonly counters: LinkCounters = createLinkCounters();

  private readonly calls: SystemCalls = systemCalls();
  private readonly descriptor: number;
  private readonly watch: ReadableWatch;
  private readonly bytes: Uint8Array = new Uint8Array(READ_BUFFER_LENGTH);
  /** The one packet that is lent to the receiver again and again. */
  private readonly packet: PacketBuffer = PacketBuffer.wrap(this.bytes);
  private receiver: PacketReceiver | undefined;
  private open = true;
  private error: TunError | undefined;

  /** @param descriptor a non-blocking one that TUNSETIFF has named; the device closes it */
  constructor(name: string, mode: TunMode, mtu: number, descriptor: number) {
    this.name = name;
    this.mode = mode;
    this.medium = mode === "tun" ? "ip" : "ethernet";
    this.mtu = mtu;
    this.descriptor = descriptor;
    this.watch = new ReadableWatch(
      descriptor,
      this.bytes,
      (length) => this.readBatch(length),
      (error) => this.fail(error),
    );
  }

  /** True after `close`, and when the interface was deleted under the device. */
  get closed(): boolean {
    return !this.open;
  }

  /** Why the device closed by itself, if it did. */
  get failure(): TunError | undefined {
    return this.error;
  }

  attach(receiver: PacketReceiver): void {
    if (this.open) this.receiver = receiver;
  }

  transmit(packet: PacketBuffer): void {
    const { counters } = this;
    const octets = packet.length;
    if (!fitsDevice(this, packet)) {
      counters.txErrors += 1;
    } else if (!this.open) {
      counters.txDropped += 1;
    } else if (this.calls.write(this.descriptor, packet.view(), octets) === octets) {
      counters.txPackets += 1;
      counters.txBytes += octets;
    } else if (NO_ROOM.has(this.calls.errno())) {
      counters.txDropped += 1;
    } else {
      // EIO: the interface is down; EINVAL: neither IPv4 nor IPv6; EBADFD: it is gone.
      counters.txErrors += 1;
    }
  }

  /** Gives the kernel's end an address and raises it. @throws TunError when the kernel refuses */
  configureKernel(configuration: KernelConfiguration): void {
    configureKernelInterface(this.name, configuration);
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.receiver = undefined;
    this.watch.close();
    closeSync(this.descriptor);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The open device keeps the process alive; so it is from the start. */
  ref(): void {
    this.watch.ref();
  }

  /** The process may end while the device is open. */
  unref(): void {
    this.watch.unref();
  }

  /** `length` octets have been read already; what else is there, up to a batch, follows. */
  private readBatch(length: number): void {
    for (let count = 1; length > 0; count += 1) {
      this.deliver(length);
      // The receiver may have closed the device. And what is left after a batch wakes us again.
      if (!this.open || count === READ_BATCH) return;
      length = this.calls.read(this.descriptor, this.bytes, READ_BUFFER_LENGTH);
    }
    const errno = this.calls.errno();
    // Whatever else it is, the watch meets it too and tells `fail`.
    if (errno !== EAGAIN && errno !== EINTR) this.counters.rxErrors += 1;
  }

  private deliver(length: number): void {
    const { counters, packet } = this;
    if (this.receiver === undefined) {
      counters.rxDropped += 1;
      return;
    }
    counters.rxPackets += 1;
    counters.rxBytes += length;
    packet.start = 0;
    packet.end = length;
    packet.segmentSize = 0;
    packet.checksum = "complete";
    this.receiver.receive(packet);
  }

  private fail(error: NodeJS.ErrnoException): void {
    const isGone = error.errno === -EBADFD;
    const code = isGone ? "EBADFD" : (error.code ?? "EIO");
    this.error = new TunError(this.name, code, isGone ? "the interface was deleted" : "can no longer be read", "read", error);
    this.close();
  }
}
