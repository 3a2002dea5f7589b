// A UDP socket as promises: datagrams wait in a bounded queue until they are received.
import { type ErrorCode, formatIp, type IpAddress, isIpv6 } from "@netstrata/core";
import type { Endpoint, UdpDetails, UdpEndpoint, UdpOptions, UdpSendOptions } from "@netstrata/transport";
import { copyOf } from "./byte-slab.ts";
import { DatagramQueue, DEFAULT_RECEIVE_BUFFER } from "./datagram-queue.ts";
import { Deferred, DONE } from "./deferred.ts";
import { Fifo } from "./fifo.ts";
import { requireRanges } from "./option-ranges.ts";
import { type AnySocketAddress, type NumericAddress, subjectOf, toNumericAddress } from "./socket-address.ts";
import { toBytes } from "./socket-streams.ts";
import { SystemError } from "./system-error.ts";

export interface UdpSocketOptions extends UdpOptions {
  /** 0 or absent: a random free one. */
  readonly port?: number;
  /** An address or a name of this host. @default "::", which is all addresses of both families */
  readonly hostname?: string;
  /** Octets of datagrams that wait to be received; each counts 256 more than it carries. @default 262144 */
  readonly receiveBuffer?: number;
  /** Which datagram is dropped when there is no more room. @default "newest", as kernels do */
  readonly overflow?: "newest" | "oldest";
  /** Closes the socket; what waits is rejected with its reason. */
  readonly signal?: AbortSignal;
  /**
   * ICMP complained about a datagram that was sent to `error.address` and `error.port`. On a connected socket the error is given
   * to the next `receive` as well.
   */
  readonly onError?: (error: SystemError) => void;
}

/** What was received. It has the address of the sender, so that `send(bytes, datagram)` answers it. */
export class Datagram implements NumericAddress {
  /** The caller's to keep. */
  readonly data: Uint8Array;
  readonly port: number;
  readonly timeToLive: number;
  readonly trafficClass: number;
  private readonly source: IpAddress;
  private readonly target: IpAddress;

  constructor(data: Uint8Array, from: Endpoint, details: UdpDetails) {
    this.data = data;
    this.port = from.port;
    this.timeToLive = details.timeToLive;
    this.trafficClass = details.trafficClass;
    this.source = from.address;
    this.target = details.destination.address;
  }

  // Addresses become text when somebody asks: most never do, and writing them out costs more than all else that is done here.

  get address(): string {
    return formatIp(this.source);
  }

  get family(): 4 | 6 {
    return isIpv6(this.source) ? 6 : 4;
  }

  /** The address it was sent to: one of ours, a broadcast or a multicast address. */
  get destination(): string {
    return formatIp(this.target);
  }
}

/** What a socket needs of its stack. */
export interface UdpSocketOwner {
  resolve(address: AnySocketAddress, syscall: string): Endpoint;
  /** A datagram was dropped for lack of room. */
  refused(): void;
  ended(): void;
}

export class UdpSocket implements AsyncIterable<Datagram>, AsyncDisposable {
  /** Resolves when it has been closed. */
  readonly closed: Promise<void>;
  /** Datagrams that were dropped for lack of room. */
  dropped = 0;
  private readonly owner: UdpSocketOwner;
  private readonly settings: UdpSocketOptions;
  private readonly endpoint: UdpEndpoint;
  private readonly closedEvent: Deferred<void> = new Deferred();
  private readonly receivers: Fifo<Deferred<Datagram>> = new Fifo();
  private readonly queue: DatagramQueue<Datagram>;
  private pendingError: SystemError | undefined;
  private closeReason: unknown;

  /** Made by `Stack.udp`. */
  constructor(endpoint: UdpEndpoint, owner: UdpSocketOwner, settings: UdpSocketOptions) {
    this.endpoint = endpoint;
    this.owner = owner;
    this.settings = settings;
    this.closed = this.closedEvent.promise;
    this.queue = new DatagramQueue(settings.receiveBuffer ?? DEFAULT_RECEIVE_BUFFER, settings.overflow ?? "newest", () => {
      this.dropped += 1;
      owner.refused();
    });
    endpoint.user = {
      received: (_, payload, from, details) => this.received(payload, from, details),
      failed: (_, error, about) => this.failed(error, about),
    };
  }

  /** Where it receives. */
  get address(): NumericAddress {
    return toNumericAddress(this.endpoint.local);
  }

  /** The peer of a connected socket. */
  get remote(): NumericAddress | undefined {
    return this.endpoint.remote && toNumericAddress(this.endpoint.remote);
  }

  /** Sends one datagram; on a connected socket without an address. */
  send(bytes: Uint8Array | ArrayBuffer | ArrayBufferView, to?: AnySocketAddress, options?: UdpSendOptions): Promise<void> {
    const payload = toBytes(bytes);
    if (options !== undefined) requireRanges(options, "send");
    let remote: Endpoint | undefined;
    try {
      remote = to === undefined ? undefined : this.owner.resolve(to, "send");
    } catch (error) {
      return Promise.reject(error);
    }
    if (remote !== undefined && this.endpoint.remote !== undefined)
      return Promise.reject(new SystemError("EISCONN", "send", subjectOf(remote)));
    const error = this.endpoint.send(payload, remote, options);
    if (error === undefined) return DONE;
    const about = remote ?? this.endpoint.remote;
    return Promise.reject(new SystemError(error, "send", about && subjectOf(about)));
  }

  /** Fixes the peer: only its datagrams are received, and ICMP errors about it reject `receive`. Without an address it is given up. */
  connect(to?: AnySocketAddress): void {
    const remote = to === undefined ? undefined : this.owner.resolve(to, "connect");
    const error = this.endpoint.connect(remote);
    if (error !== undefined) throw new SystemError(error, "connect", remote && subjectOf(remote));
  }

  /** The next datagram. Rejects with an ICMP error on a connected socket, and with ECANCELED when the socket is closed. */
  receive(): Promise<Datagram> {
    const datagram = this.queue.shift();
    if (datagram !== undefined) return Promise.resolve(datagram);
    const error = this.pendingError ?? (this.endpoint.isClosed ? this.closeReason : undefined);
    this.pendingError = undefined;
    if (error !== undefined) return Promise.reject(error);
    const receiver = new Deferred<Datagram>();
    this.receivers.push(receiver);
    return receiver.promise;
  }

  /** Changes options of the endpoint. */
  set(options: UdpOptions): void {
    requireRanges(options, "set");
    this.endpoint.set(options);
  }

  /** What was received can still be had; everything that waits is rejected with `reason`, or else with ECANCELED. */
  close(reason?: unknown): Promise<void> {
    if (!this.endpoint.isClosed) {
      this.closeReason = reason ?? new SystemError("ECANCELED", "receive", this.address);
      this.endpoint.close();
      // Whoever closes the socket while nobody looks at what waits need not hear of it again.
      for (const receiver of this.receivers.takeAll()) receiver.markHandled().reject(this.closeReason);
      this.closedEvent.resolve();
      this.owner.ended();
    }
    return this.closed;
  }

  /** The datagrams as they come, until the socket is closed; an ICMP error on a connected socket ends it with that error. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Datagram> {
    for (;;) {
      const datagram = await this.receive().catch((error: unknown) => {
        if (error === this.closeReason) return undefined;
        throw error;
      });
      if (datagram === undefined) return;
      yield datagram;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private received(payload: Uint8Array, from: Endpoint, details: UdpDetails): void {
    const isWaitedFor = this.receivers.length > 0;
    if (!isWaitedFor && !this.queue.makeRoom(payload)) return;
    const datagram = new Datagram(copyOf(payload), from, details);
    if (isWaitedFor) this.receivers.shift()?.resolve(datagram);
    else this.queue.push(datagram);
  }

  private failed(code: ErrorCode, about: Endpoint): void {
    const error = new SystemError(code, "receive", subjectOf(about));
    if (this.endpoint.remote !== undefined) {
      if (this.receivers.length > 0) this.receivers.shift()?.reject(error);
      else this.pendingError ??= error;
    }
    // Last: it may throw.
    this.settings.onError?.(error);
  }
}
