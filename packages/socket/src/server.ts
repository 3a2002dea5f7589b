// A listening TCP socket as promises: an async iterable of the connections that come in.
import type { TcpListener } from "@netstrata/transport";
import { Deferred } from "./deferred.ts";
import { Fifo } from "./fifo.ts";
import type { Socket, SocketOptions } from "./socket.ts";
import { type NumericAddress, toNumericAddress } from "./socket-address.ts";
import { SystemError } from "./system-error.ts";

export interface ListenOptions extends Omit<SocketOptions, "signal"> {
  /** 0 or absent: a random free one. */
  readonly port?: number;
  /** An address or a name of this host. @default "::", which is all addresses of both families */
  readonly hostname?: string;
  /**
   * Take connections to any address that come by here, also to those that are not this host's, and without a port to any port:
   * for gateways and emulators. `socket.local` says where a connection wanted to go. Every other listener goes before; a `hostname`
   * may not be given (EADDRNOTAVAIL). @default false
   */
  readonly transparent?: boolean;
  /** "::" is IPv6 only, and leaves the port's IPv4 to others (RFC 3493 §5.3). @default false */
  readonly ipv6Only?: boolean;
  /** Connections that may wait to be accepted. @default 128 */
  readonly backlog?: number;
  /** Closes the server, with the signal's reason. Connections that were accepted are not affected. */
  readonly signal?: AbortSignal;
}

/** Connections wait in TCP's backlog until they are accepted: who accepts slowly gets no more than fit there. */
export class Server implements AsyncIterable<Socket>, AsyncDisposable {
  /** Where it listens. */
  readonly address: NumericAddress;
  /** Resolves when it has been closed. */
  readonly closed: Promise<void>;
  private readonly listener: TcpListener;
  private readonly wrap: (listener: TcpListener) => Socket | undefined;
  private readonly onEnd: () => void;
  private readonly closedEvent: Deferred<void> = new Deferred();
  private readonly pending: Fifo<Deferred<Socket>> = new Fifo();
  private isClosed = false;
  private closeReason: unknown;

  /** Made by `Stack.listen`. @param wrap makes a socket of the connection that has waited longest, if one waits */
  constructor(listener: TcpListener, wrap: (listener: TcpListener) => Socket | undefined, onEnd: () => void) {
    this.listener = listener;
    this.address = toNumericAddress(listener.local);
    this.closed = this.closedEvent.promise;
    this.wrap = wrap;
    this.onEnd = onEnd;
    listener.user = { acceptable: () => this.serve() };
  }

  /** The next connection. It may have ended already, which its own promises tell. Rejects when the server is closed: see `close`. */
  accept(): Promise<Socket> {
    const pending = new Deferred<Socket>();
    if (this.isClosed) {
      pending.reject(this.closeReason);
    } else {
      this.pending.push(pending);
      this.serve();
    }
    return pending.promise;
  }

  /** Stops listening; what waits to be accepted is reset, and whoever waits is rejected with `reason`, or else with ECANCELED. */
  close(reason?: unknown): Promise<void> {
    if (!this.isClosed) {
      this.isClosed = true;
      this.closeReason = reason ?? new SystemError("ECANCELED", "accept", this.address);
      this.listener.close();
      // Whoever closes the server while nobody looks at what waits need not hear of it again.
      for (const pending of this.pending.takeAll()) pending.markHandled().reject(this.closeReason);
      this.closedEvent.resolve();
      this.onEnd();
    }
    return this.closed;
  }

  /** The connections as they come, until the server is closed. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Socket> {
    while (!this.isClosed) {
      const socket = await this.accept().catch((error: unknown) => {
        if (this.isClosed) return undefined;
        throw error;
      });
      if (socket === undefined) return;
      yield socket;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private serve(): void {
    while (this.pending.length > 0) {
      const socket = this.wrap(this.listener);
      if (socket === undefined) return;
      this.pending.shift()?.resolve(socket);
    }
  }
}
