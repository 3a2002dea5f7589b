// A UDP socket behind a descriptor. The order of checks is Linux's.
import { type ErrorCode, IPV4_ANY, IPV6_ANY } from "@netstrata/core";
import type { Endpoint, Udp, UdpDetails, UdpEndpoint, UdpOptions, UdpUser } from "@netstrata/transport";
import { copyOf } from "../byte-slab.ts";
import { DatagramQueue, DEFAULT_RECEIVE_BUFFER } from "../datagram-queue.ts";
import { Call, type Result } from "./call.ts";
import { type ControlMessage, NO_CONTROL } from "./control-message.ts";
import { datagramControl } from "./datagram-control.ts";
import type { Errno } from "./errno.ts";
import * as constant from "./linux-numbers.ts";
import { type Accepted, type FileOwner, type IpOptions, type Outgoing, type Received, SocketFile } from "./open-file.ts";
import { addressAbove } from "./socket-family.ts";

interface Waiting {
  readonly data: Uint8Array;
  readonly from: Endpoint;
  readonly control: readonly ControlMessage[];
}

/** net.core.rmem_default and wmem_default. */
const LINUX_BUFFER = 212_992;

/** What a datagram file needs of the calls' owner. */
export interface DatagramFileOwner extends FileOwner {
  readonly udp: Udp;
  /** The descriptor is gone. */
  ended(file: DatagramFile): void;
}

export class DatagramFile extends SocketFile implements UdpUser {
  readonly type: number = constant.SOCK_DGRAM;
  readonly protocol: number = constant.IPPROTO_UDP;
  readonly queue: DatagramQueue<Waiting>;
  options: UdpOptions = {};
  /** SO_SNDBUF: a number and nothing else, because datagrams are never kept. */
  sendBuffer: number;
  private readonly datagrams: DatagramFileOwner;
  private endpoint: UdpEndpoint | undefined;
  private readShut = false;
  private writeShut = false;

  constructor(domain: number, owner: DatagramFileOwner) {
    super(domain, owner);
    this.datagrams = owner;
    const buffer = owner.defaults.personality === "linux" ? LINUX_BUFFER : DEFAULT_RECEIVE_BUFFER;
    this.sendBuffer = buffer;
    this.queue = new DatagramQueue(buffer, "newest", () => owner.udp.refused());
  }

  get local(): Endpoint | undefined {
    return this.endpoint?.local;
  }

  get remote(): Endpoint | undefined {
    return this.endpoint?.remote;
  }

  configure(options: UdpOptions): void {
    this.options = { ...this.options, ...options };
    this.endpoint?.set(options);
  }

  configureIp(options: IpOptions): void {
    this.configure(options);
  }

  events(): number {
    const { POLLIN, POLLRDNORM, POLLOUT, POLLWRNORM, POLLWRBAND, POLLERR, POLLHUP, POLLRDHUP } = constant;
    let events = POLLOUT | POLLWRNORM | POLLWRBAND;
    if (this.pendingError !== undefined || this.errors.length > 0) events |= POLLERR;
    if ((events & POLLERR) !== 0 && this.setting(constant.SOL_SOCKET, constant.SO_SELECT_ERR_QUEUE) === 1) events |= constant.POLLPRI;
    if (this.readShut) events |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (this.readShut && this.writeShut) events |= POLLHUP;
    if (this.queue.length > 0) events |= POLLIN | POLLRDNORM;
    return events;
  }

  bind(local: Endpoint): Result {
    if (this.endpoint !== undefined) return "EINVAL";
    const endpoint = this.bindTo(local);
    return typeof endpoint === "string" ? endpoint : 0;
  }

  listen(): Result {
    return "EOPNOTSUPP";
  }

  accept(): Call<Accepted> {
    return new Call<Accepted>("EOPNOTSUPP");
  }

  connect(remote: Endpoint | undefined): Call {
    if (remote === undefined && this.endpoint === undefined) return new Call<number>(0);
    const endpoint = this.requireEndpoint();
    return new Call<number>(typeof endpoint === "string" ? endpoint : (endpoint.connect(remote) ?? 0));
  }

  send({ bytes, flags, to }: Outgoing): Call {
    return new Call<number>(this.transmit(bytes, flags, to) ?? bytes.length);
  }

  receive(target: readonly Uint8Array[], flags: number): Call<Received> {
    if ((flags & constant.MSG_ERRQUEUE) !== 0) return new Call<Received>(this.errors.receive(target, this.domain));
    return this.startReading<Received>(
      (mayWait) => {
        const error = this.takeError();
        if (error !== undefined) return error;
        const waiting = (flags & constant.MSG_PEEK) !== 0 ? this.queue.peek() : this.queue.shift();
        if (waiting !== undefined) return deliver(waiting, target, flags);
        if (!mayWait) return "EAGAIN";
        return this.readShut ? { length: 0, flags: 0, from: undefined, control: NO_CONTROL } : undefined;
      },
      (flags & constant.MSG_DONTWAIT) !== 0,
    );
  }

  /** The next datagram's octets (SIOCINQ); what was sent is never kept (SIOCOUTQ). */
  ioctl(request: number): Result | undefined {
    if (request === constant.SIOCINQ) return this.queue.peek()?.data.length ?? 0;
    return request === constant.SIOCOUTQ ? 0 : undefined;
  }

  /** Linux shuts what is not connected, too, and says that it cannot be done. */
  shutdown(how: number): Result {
    if (how !== constant.SHUT_WR) this.readShut = true;
    if (how !== constant.SHUT_RD) this.writeShut = true;
    this.changed();
    return this.remote === undefined ? "ENOTCONN" : 0;
  }

  destroy(): void {
    if (!this.isClosed) this.close();
  }

  // From UDP

  received(_: UdpEndpoint, payload: Uint8Array, from: Endpoint, details: UdpDetails): void {
    if (this.readShut || !this.queue.makeRoom(payload)) return;
    this.queue.push({
      data: copyOf(payload),
      from: addressAbove(this, from),
      control: this.settings === undefined ? NO_CONTROL : datagramControl(this, details),
    });
    this.changed(constant.POLLIN | constant.POLLRDNORM);
  }

  failed(endpoint: UdpEndpoint, error: ErrorCode): void {
    // As in Linux: on an unconnected socket nobody could tell which of its datagrams an error is about.
    if (endpoint.remote === undefined) return;
    this.pendingError = error;
    this.changed(constant.POLLERR);
  }

  protected release(): Call {
    this.endpoint?.close();
    this.queue.clear();
    this.datagrams.ended(this);
    return new Call<number>(0);
  }

  private transmit(bytes: Uint8Array, flags: number, to: Endpoint | undefined): Errno | undefined {
    // A port is chosen before anything else is looked at.
    const endpoint = this.requireEndpoint();
    if (typeof endpoint === "string") return endpoint;
    if (bytes.length > 0xffff) return "EMSGSIZE";
    if ((flags & constant.MSG_OOB) !== 0) return "EOPNOTSUPP";
    if (to !== undefined && to.port === 0) return "EINVAL";
    if (to === undefined && this.remote === undefined) return "EDESTADDRREQ";
    const error = this.takeError();
    if (error !== undefined) return error;
    if (this.writeShut) return "EPIPE";
    return endpoint.send(bytes, to);
  }

  /** A socket that sends before it is bound gets a free port on all addresses. */
  private requireEndpoint(): UdpEndpoint | Errno {
    return this.endpoint ?? this.bindTo({ address: this.domain === constant.AF_INET ? IPV4_ANY : IPV6_ANY, port: 0 });
  }

  private bindTo(local: Endpoint): UdpEndpoint | Errno {
    const { options, reuseAddress, reusePort, onlyIpv6: ipv6Only } = this;
    const endpoint = this.datagrams.udp.bind(local, this, { ...options, reuseAddress: reuseAddress || reusePort, ipv6Only });
    if (typeof endpoint !== "string") this.endpoint = endpoint;
    return endpoint;
  }
}

/** What does not fit is lost with the datagram. */
function deliver({ data, from, control }: Waiting, target: readonly Uint8Array[], flags: number): Received {
  let filled = 0;
  for (const each of target) {
    const count = Math.min(each.length, data.length - filled);
    each.set(data.subarray(filled, filled + count));
    filled += count;
  }
  const isCut = filled < data.length;
  const length = (flags & constant.MSG_TRUNC) !== 0 ? data.length : filled;
  return { length, flags: isCut ? constant.MSG_TRUNC : 0, from, control };
}
