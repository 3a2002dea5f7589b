// The host's raw sockets as a link device: whole IPv4 datagrams go out through the host's routes, and come in as the host gets them.
import { formatIp, PacketBuffer, readIpv4 } from "@netstrata/core";
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
import type { RawSocket } from "./raw-socket-module.ts";

/** An IPv4 header without options (RFC 791 §3.1). */
const SMALLEST_DATAGRAM = 20;
const DESTINATION_OFFSET = 16;

/** Made by `openRaw`. Keeps the process alive until it is closed. */
export class RawDevice implements LinkDevice {
  readonly name: string;
  readonly medium: Medium = "ip";
  readonly mtu: number;
  readonly offload: LinkOffload = NO_OFFLOAD;
  readonly counters: LinkCounters = createLinkCounters();
  /** How many datagrams may wait for the host's sockets. */
  readonly queueLimit: number;

  private readonly sockets: readonly RawSocket[];
  /** With the header included, any of the sockets sends any protocol. */
  private readonly sender: RawSocket;
  private receiver: PacketReceiver | undefined;
  private pending = 0;
  private open = true;

  /** @param sockets with IP_HDRINCL set, at least one; the device closes them */
  constructor(name: string, mtu: number, sockets: readonly RawSocket[], queueLimit: number) {
    this.name = name;
    this.mtu = mtu;
    this.queueLimit = queueLimit;
    this.sockets = sockets;
    this.sender = sockets[0];
    for (const socket of sockets) {
      // Without Node's own methods: a Buffer's `slice` does not copy.
      socket.on("message", ({ buffer, byteOffset, length }) => this.receive(new Uint8Array(buffer, byteOffset, length)));
      socket.on("error", () => {
        this.counters.rxErrors += 1;
      });
      // One that closes by itself is of no more use, nor is a device that hears only half.
      socket.on("close", () => this.close());
    }
  }

  /** True after `close`, and when the host's sockets failed. */
  get closed(): boolean {
    return !this.open;
  }

  attach(receiver: PacketReceiver): void {
    if (this.open) this.receiver = receiver;
  }

  transmit(packet: PacketBuffer): void {
    if (!fitsDevice(this, packet) || packet.length < SMALLEST_DATAGRAM || packet.u8(0) >>> 4 !== 4) {
      this.counters.txErrors += 1;
    } else if (!this.open || this.pending >= this.queueLimit) {
      this.counters.txDropped += 1;
    } else {
      this.pending += 1;
      const octets = packet.length;
      const destination = formatIp(readIpv4(packet, DESTINATION_OFFSET));
      this.sender.send(packet.bytes, packet.start, octets, destination, (error) => this.sent(octets, error !== null));
    }
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.receiver = undefined;
    this.counters.txDropped += this.pending;
    this.pending = 0;
    for (const socket of this.sockets) socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private sent(octets: number, failed: boolean): void {
    this.pending -= 1;
    if (failed) {
      this.counters.txErrors += 1;
    } else {
      this.counters.txPackets += 1;
      this.counters.txBytes += octets;
    }
  }

  private receive(bytes: Uint8Array): void {
    const { counters, receiver } = this;
    if (receiver === undefined) {
      counters.rxDropped += 1;
      return;
    }
    counters.rxPackets += 1;
    counters.rxBytes += bytes.length;
    try {
      receiver.receive(PacketBuffer.wrap(bytes));
    } catch (error) {
      // A bug above is not an error of the socket, which is what raw-socket would make of it.
      process.nextTick(() => {
        throw error;
      });
    }
  }
}
