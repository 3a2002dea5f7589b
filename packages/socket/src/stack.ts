// A whole stack: the layers put together, and the calls by which users open sockets on it.
import { type Host, IPV6_ANY } from "@netstrata/core";
import { DEFAULT_TIME_TO_LIVE, type FilterOptions, InternetLayer, type InternetOptions, type NatOptions } from "@netstrata/internet";
import type { NetworkInterface } from "@netstrata/link";
import {
  type Endpoint,
  type PersonalityName,
  Tcp,
  type TcpConnection,
  type TcpStackOptions,
  Udp,
  type UdpSettings,
} from "@netstrata/transport";
import { onAbort } from "./abort-signal.ts";
import { DONE } from "./deferred.ts";
import { OpenSockets } from "./open-sockets.ts";
import { requireRanges } from "./option-ranges.ts";
import { Posix } from "./posix/posix.ts";
import { Syscalls } from "./posix/syscalls.ts";
import { createRealTimeHost } from "./real-time-host.ts";
import { type ListenOptions, Server } from "./server.ts";
import { type ConnectOptions, Socket } from "./socket.ts";
import { type AnySocketAddress, Hosts, reachable, requirePort, subjectOf, toSocketAddress } from "./socket-address.ts";
import { addInterface, addLoopback, addRoute, type InterfaceOptions, type RouteOptions } from "./stack-interface.ts";
import { SystemError } from "./system-error.ts";
import { TcpChannel } from "./tcp-channel.ts";
import { UdpSocket, type UdpSocketOptions } from "./udp-socket.ts";

export interface StackOptions {
  /** For traces and messages. @default "host" */
  readonly name?: string;
  /** Clock, chance and observer. @default the real world's */
  readonly host?: Host;
  readonly interfaces?: readonly InterfaceOptions[];
  readonly routes?: readonly RouteOptions[];
  /** Be a router: pass on what is for others. @default false */
  readonly forwarding?: boolean;
  /** Names and their addresses, besides `localhost`; or a list that several stacks share. */
  readonly hosts?: Readonly<Record<string, string>> | Hosts;
  /** Whose choices TCP makes where the RFCs leave one: "rfc", "linux" or "freebsd". @default "rfc" */
  readonly personality?: PersonalityName;
  /** Defaults and limits of all connections; what is given here wins over the personality. */
  readonly tcp?: TcpStackOptions;
  readonly udp?: UdpSettings;
  /** Rules for what comes in, goes out and passes through; seen and changed in `layers.internet.gateway.filter`. @default everything is accepted */
  readonly filter?: FilterOptions;
  /** As a router, translate between inner addresses and the outside's; seen in `layers.internet.gateway.nat`. @default none */
  readonly nat?: NatOptions;
  readonly internet?: Omit<InternetOptions, "forwarding" | "filter" | "nat">;
  /** Descriptors of the POSIX-like calls. @default 65536 */
  readonly maxDescriptors?: number;
}

/** The layers themselves, for whoever wants to look inside or to speak with them directly. */
export interface Layers {
  readonly internet: InternetLayer;
  readonly tcp: Tcp;
  readonly udp: Udp;
}

export function createStack(options: StackOptions = {}): Stack {
  return new Stack(options);
}

export class Stack implements AsyncDisposable {
  readonly host: Host;
  readonly layers: Layers;
  /** Names this stack knows. */
  readonly hosts: Hosts;
  /** The POSIX-like calls, on descriptors of this stack. */
  readonly posix: Posix;
  /** The same calls without promises, for whoever drives a clock: what would block settles later. */
  readonly syscalls: Syscalls;
  private readonly sockets: OpenSockets;
  private closed = false;

  constructor(options: StackOptions = {}) {
    requireRanges(options.tcp ?? {}, "stack");
    this.host = options.host ?? createRealTimeHost({ name: options.name });
    this.sockets = new OpenSockets(this.name, this.host.clock);
    const { forwarding, filter, nat } = options;
    const internet = new InternetLayer(this.host, { ...options.internet, forwarding, filter, nat });
    const tcp = { personality: options.personality, ...options.tcp };
    this.layers = { internet, tcp: new Tcp(this.host, internet, tcp), udp: new Udp(this.host, internet, options.udp) };
    addLoopback(this.host, internet);
    this.hosts = options.hosts instanceof Hosts ? options.hosts : new Hosts(options.hosts);
    for (const each of options.interfaces ?? []) this.addInterface(each);
    for (const each of options.routes ?? []) this.addRoute(each);
    this.syscalls = new Syscalls(this.host, this.layers, this.sockets, {
      defaults: {
        tcp: this.layers.tcp.defaults,
        timeToLive: options.internet?.timeToLive ?? DEFAULT_TIME_TO_LIVE,
        personality: this.layers.tcp.personality,
      },
      maxDescriptors: options.maxDescriptors,
    });
    this.posix = new Posix(this.syscalls, this.sockets);
  }

  get name(): string {
    return this.host.name;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** Sockets, servers and descriptors that are open. */
  get openSockets(): number {
    return this.sockets.size;
  }

  addInterface(options: InterfaceOptions): NetworkInterface {
    return addInterface(this.host, this.layers.internet, options);
  }

  addRoute(options: RouteOptions): void {
    addRoute(this.layers.internet, options, this.hosts);
  }

  /**
   * Opens a TCP connection. Misuse throws; what the network says comes through the socket's promises, which always settle:
   * `opened` rejects when the connection is refused, unreachable, timed out or aborted.
   */
  connect(address: AnySocketAddress, options: ConnectOptions = {}): Socket {
    this.sockets.requireOpen("connect");
    const { allowHalfOpen = false, signal, secureTransport = "off", localAddress, localPort, ...rest } = options;
    if (secureTransport !== "off") throw new SystemError("EPROTONOSUPPORT", "connect", { detail: "this layer speaks no TLS" });
    requireRanges(rest, "connect");
    const target = toSocketAddress(address, "connect");
    const local = { address: localAddress === undefined ? undefined : this.hosts.resolve(localAddress), port: localPort };
    if (localPort !== undefined) requirePort(localPort, "connect", localAddress);
    const channel = this.createChannel(allowHalfOpen, signal);
    const open = (): TcpConnection | undefined => {
      // Aborted before it began.
      if (channel.failure !== undefined) return undefined;
      const remote = { address: reachable(this.hosts.resolve(target.hostname)), port: target.port };
      const connection = this.layers.tcp.open(remote, channel, { ...rest, local });
      if (typeof connection === "string") throw new SystemError(connection, "connect", subjectOf(remote));
      channel.attach(connection);
      return connection;
    };
    try {
      return new Socket(channel, open());
    } catch (error) {
      channel.fail(error);
      return new Socket(channel, undefined);
    }
  }

  /** Listens for TCP connections. Throws EADDRINUSE, EADDRNOTAVAIL. */
  listen(options: ListenOptions = {}): Server {
    this.sockets.requireOpen("listen");
    options.signal?.throwIfAborted();
    const { port = 0, hostname, allowHalfOpen = false, signal, ...rest } = options;
    requireRanges(rest, "listen");
    const local = this.localEndpoint(hostname, port, "listen");
    const listener = this.layers.tcp.listen(local, { acceptable: () => {} }, rest);
    if (typeof listener === "string") throw new SystemError(listener, "listen", subjectOf(local));
    const wrap = (): Socket | undefined => {
      const connection = listener.accept();
      if (connection === undefined) return undefined;
      const channel = this.createChannel(allowHalfOpen, undefined);
      channel.adopt(connection);
      return new Socket(channel, connection);
    };
    const entry = { destroy: (): void => void server.close() };
    const server = new Server(listener, wrap, () => {
      stopListening();
      this.sockets.delete(entry);
    });
    this.sockets.add(entry);
    const stopListening = onAbort(signal, (reason) => void server.close(reason));
    return server;
  }

  /** Opens a UDP socket. Throws EADDRINUSE, EADDRNOTAVAIL. */
  udp(options: UdpSocketOptions = {}): UdpSocket {
    this.sockets.requireOpen("bind");
    options.signal?.throwIfAborted();
    const { port = 0, hostname, signal, receiveBuffer: _, overflow: __, onError: ___, ...rest } = options;
    requireRanges(options, "bind");
    const local = this.localEndpoint(hostname, port, "bind");
    const endpoint = this.layers.udp.bind(local, { received: () => {} }, rest);
    if (typeof endpoint === "string") throw new SystemError(endpoint, "bind", subjectOf(local));
    const entry = { destroy: (): void => void socket.close() };
    const socket = new UdpSocket(
      endpoint,
      {
        resolve: (address, syscall) => this.resolve(address, syscall),
        refused: () => this.layers.udp.refused(),
        ended: () => {
          stopListening();
          this.sockets.delete(entry);
        },
      },
      options,
    );
    this.sockets.add(entry);
    const stopListening = onAbort(signal, (reason) => void socket.close(reason));
    return socket;
  }

  /** Lets open sockets keep the process alive, which is the default. */
  ref(): void {
    this.sockets.setReferenced(true);
  }

  /** Lets the process end in spite of open sockets. */
  unref(): void {
    this.sockets.setReferenced(false);
  }

  /**
   * Ends everything at once: connections are reset, every promise that waits is settled, interfaces and their devices are closed.
   * No timer is left. For an orderly end close the sockets first.
   */
  close(): Promise<void> {
    if (this.closed) return DONE;
    this.closed = true;
    const { internet, tcp, udp } = this.layers;
    this.sockets.close();
    tcp.close();
    for (const endpoint of [...udp.endpoints]) endpoint.close();
    const interfaces = internet.interfaces;
    internet.close();
    for (const networkInterface of interfaces) networkInterface.close();
    return DONE;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private createChannel(allowHalfOpen: boolean, signal: AbortSignal | undefined): TcpChannel {
    const channel = new TcpChannel(allowHalfOpen, () => {
      stopListening?.();
      this.sockets.delete(entry);
    });
    const entry = {
      destroy: (): void => channel.abort(new SystemError("ECONNABORTED", "close", { detail: "the stack was closed" })),
    };
    this.sockets.add(entry);
    let stopListening: (() => void) | undefined;
    stopListening = onAbort(signal, (reason) => channel.abort(reason));
    return channel;
  }

  private resolve(address: AnySocketAddress, syscall: string): Endpoint {
    const { hostname, port } = toSocketAddress(address, syscall);
    return { address: reachable(this.hosts.resolve(hostname)), port };
  }

  private localEndpoint(hostname: string | undefined, port: number, syscall: string): Endpoint {
    requirePort(port, syscall, hostname);
    return { address: hostname === undefined ? IPV6_ANY : this.hosts.resolve(hostname), port };
  }
}
