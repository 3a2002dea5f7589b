// A UDP socket behind a descriptor.
import type { ErrorCode } from "@netstrata/core";
import type { Endpoint, Udp, UdpEndpoint, UdpOptions, UdpUser } from "@netstrata/transport";
import { copyOf } from "../byte-slab.ts";
import { DatagramQueue, DEFAULT_RECEIVE_BUFFER } from "../datagram-queue.ts";
import { DONE } from "../deferred.ts";
import { subjectOf } from "../socket-address.ts";
import { SystemError } from "../system-error.ts";
import * as constant from "./linux-numbers.ts";
import { type Accepted, OpenFile, type Received } from "./open-file.ts";

interface Waiting {
  readonly data: Uint8Array;
  readonly from: Endpoint;
}

export class DatagramFile extends OpenFile implements UdpUser {
  readonly type: number = constant.SOCK_DGRAM;
  readonly queue: DatagramQueue<Waiting>;
  options: UdpOptions = {};
  private readonly udp: Udp;
  private readonly onEnd: () => void;
  private endpoint: UdpEndpoint | undefined;
  private readShut = false;
  private writeShut = false;

  constructor(domain: number, udp: Udp, onEnd: () => void) {
    super(domain);
    this.udp = udp;
    this.onEnd = onEnd;
    this.queue = new DatagramQueue(DEFAULT_RECEIVE_BUFFER, "newest", () => udp.refused());
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

  events(): number {
    const { POLLIN, POLLOUT, POLLERR, POLLHUP, POLLRDHUP } = constant;
    let events = POLLOUT;
    if (this.queue.length > 0 || this.readShut) events |= POLLIN;
    if (this.pendingError !== undefined) events |= POLLIN | POLLERR;
    if (this.readShut) events |= this.writeShut ? POLLRDHUP | POLLHUP : POLLRDHUP;
    return events;
  }

  bind(local: Endpoint): void {
    if (this.endpoint !== undefined) throw new SystemError("EINVAL", "bind", subjectOf(local));
    this.bindTo(local, "bind");
  }

  listen(): void {
    throw new SystemError("EOPNOTSUPP", "listen");
  }

  accept(): Promise<Accepted> {
    return Promise.reject(new SystemError("EOPNOTSUPP", "accept"));
  }

  async connect(remote: Endpoint | undefined): Promise<void> {
    if (remote === undefined && this.endpoint === undefined) return;
    const error = this.requireEndpoint("connect").connect(remote);
    if (error !== undefined) throw new SystemError(error, "connect", remote && subjectOf(remote));
  }

  async send(bytes: Uint8Array, _flags: number, to: Endpoint | undefined): Promise<number> {
    if (this.writeShut) throw new SystemError("EPIPE", "send");
    this.throwPendingError("send");
    const error = this.requireEndpoint("send").send(bytes, to);
    if (error !== undefined) throw new SystemError(error, "send", to && subjectOf(to));
    return bytes.length;
  }

  receive(target: Uint8Array, flags: number): Promise<Received> {
    return this.perform("recv", (flags & constant.MSG_DONTWAIT) !== 0, () => {
      this.throwPendingError("recv");
      const waiting = (flags & constant.MSG_PEEK) !== 0 ? this.queue.peek() : this.queue.shift();
      if (waiting === undefined) return this.readShut ? { length: 0, flags: 0, from: undefined } : undefined;
      const { data, from } = waiting;
      const isCut = data.length > target.length;
      // What does not fit is lost with the datagram.
      target.set(isCut ? data.subarray(0, target.length) : data);
      const length = (flags & constant.MSG_TRUNC) !== 0 ? data.length : Math.min(data.length, target.length);
      return { length, flags: isCut ? constant.MSG_TRUNC : 0, from };
    });
  }

  shutdown(how: number): void {
    if (this.endpoint?.remote === undefined) throw new SystemError("ENOTCONN", "shutdown");
    if (how !== constant.SHUT_WR) this.readShut = true;
    if (how !== constant.SHUT_RD) this.writeShut = true;
    this.changed();
  }

  protected release(): Promise<void> {
    this.endpoint?.close();
    this.queue.clear();
    this.onEnd();
    return DONE;
  }

  destroy(): void {
    if (!this.isClosed) void this.close();
  }

  // From UDP

  received(_: UdpEndpoint, payload: Uint8Array, from: Endpoint): void {
    if (this.readShut || !this.queue.makeRoom(payload)) return;
    this.queue.push({ data: copyOf(payload), from });
    this.changed();
  }

  failed(endpoint: UdpEndpoint, error: ErrorCode): void {
    // As in Linux: on an unconnected socket nobody could tell which of its datagrams an error is about.
    if (endpoint.remote === undefined) return;
    this.pendingError = error;
    this.changed();
  }

  /** A socket that sends before it is bound gets a free port on all addresses. */
  private requireEndpoint(syscall: string): UdpEndpoint {
    return this.endpoint ?? this.bindTo({ port: 0 }, syscall);
  }

  private bindTo(local: Partial<Endpoint>, syscall: string): UdpEndpoint {
    const endpoint = this.udp.bind(local, this, { ...this.options, reuseAddress: this.reuseAddress });
    const { address, port } = local;
    if (typeof endpoint === "string") {
      throw new SystemError(endpoint, syscall, address === undefined || port === undefined ? {} : subjectOf({ address, port }));
    }
    this.endpoint = endpoint;
    return endpoint;
  }
}
