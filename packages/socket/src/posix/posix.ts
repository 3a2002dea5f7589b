// The POSIX-like calls on descriptors (POSIX.1-2017, System Interfaces), awaited where the original blocks.
import { type Host, ipVersion, isUnspecified, parseIp, type Timer } from "@netstrata/core";
import type { Endpoint, Tcp, TcpConnection, Udp } from "@netstrata/transport";
import type { Closable, OpenSockets } from "../open-sockets.ts";
import { type NumericAddress, reachable, requirePort, subjectOf, toNumericAddress } from "../socket-address.ts";
import { SystemError } from "../system-error.ts";
import { DatagramFile } from "./datagram-file.ts";
import { DescriptorTable } from "./descriptor-table.ts";
import * as constant from "./linux-numbers.ts";
import type { OpenFile } from "./open-file.ts";
import { type PollFd, poll } from "./poll.ts";
import { getOption, type OptionDefaults, type OptionValue, setOption } from "./socket-options.ts";
import { StreamFile } from "./stream-file.ts";

/** `struct sockaddr_in`: an address, never a name. */
export interface SockAddr {
  readonly address: string;
  readonly port: number;
}

export interface AcceptResult extends NumericAddress {
  /** The descriptor of the connection; the rest is the peer's address. */
  readonly fd: number;
}

export interface ReceiveResult {
  /** Octets in the buffer; 0 at the end of a stream. */
  readonly length: number;
  /** MSG_TRUNC when a datagram was longer than the buffer. */
  readonly flags: number;
  /** The sender of a datagram. */
  readonly from: NumericAddress | undefined;
}

export interface PosixSettings {
  readonly defaults: OptionDefaults;
  /** Descriptors at once; one more fails with EMFILE. @default 65536 */
  readonly maxDescriptors?: number;
}

/** Calls that do not block throw; calls that may block return promises, and reject. All errors are `SystemError`s. */
export class Posix {
  private readonly table: DescriptorTable;
  private readonly host: Host;
  private readonly tcp: Tcp;
  private readonly udp: Udp;
  private readonly sockets: OpenSockets;
  private readonly defaults: OptionDefaults;
  /** Stream sockets that are bound, by port: TCP itself knows of a port only when it listens or connects. */
  private readonly bound: Map<number, Set<StreamFile>> = new Map();

  /** Made by `Stack`. */
  constructor(host: Host, layers: { readonly tcp: Tcp; readonly udp: Udp }, sockets: OpenSockets, settings: PosixSettings) {
    this.host = host;
    this.tcp = layers.tcp;
    this.udp = layers.udp;
    this.sockets = sockets;
    this.defaults = settings.defaults;
    this.table = new DescriptorTable(settings.maxDescriptors);
  }

  /** @param type SOCK_STREAM or SOCK_DGRAM, with SOCK_NONBLOCK or without. @returns a descriptor: the lowest that is free */
  socket(domain: number, type: number, protocol = 0): number {
    this.sockets.requireOpen("socket");
    const kind = type & ~constant.SOCK_NONBLOCK;
    if (domain !== constant.AF_INET && domain !== constant.AF_INET6) throw new SystemError("EAFNOSUPPORT", "socket");
    const wanted = kind === constant.SOCK_STREAM ? constant.IPPROTO_TCP : constant.IPPROTO_UDP;
    if (kind !== constant.SOCK_STREAM && kind !== constant.SOCK_DGRAM) throw new SystemError("EPROTONOSUPPORT", "socket");
    if (protocol !== 0 && protocol !== wanted) throw new SystemError("EPROTONOSUPPORT", "socket");
    this.table.requireRoom("socket");
    const file: OpenFile = kind === constant.SOCK_STREAM ? this.createStream(domain) : this.createDatagram(domain);
    file.nonBlocking = (type & constant.SOCK_NONBLOCK) !== 0;
    return this.table.open(file, "socket");
  }

  bind(fd: number, address: SockAddr): void {
    const file = this.table.get(fd, "bind");
    file.bind(toEndpoint(address, "bind", file));
  }

  /** @param backlog connections that may wait to be accepted; at least one may */
  listen(fd: number, backlog = 128): void {
    const file = this.table.get(fd, "listen");
    if (!Number.isInteger(backlog))
      throw new SystemError("EINVAL", "listen", { detail: `a backlog is an integer, not ${String(backlog)}` });
    file.listen(backlog);
  }

  /** @param flags SOCK_NONBLOCK, which the new descriptor does not inherit */
  async accept(fd: number, flags = 0): Promise<AcceptResult> {
    const listening = this.table.get(fd, "accept");
    this.table.requireRoom("accept");
    const { file, from } = await listening.accept();
    file.nonBlocking = (flags & constant.SOCK_NONBLOCK) !== 0;
    try {
      return { fd: this.table.open(file, "accept"), ...toNumericAddress(from) };
    } catch (error) {
      // Somebody took the last descriptor meanwhile.
      file.destroy();
      throw error;
    }
  }

  /** Without an address it dissolves the association of a datagram socket. */
  async connect(fd: number, address?: SockAddr): Promise<void> {
    const file = this.table.get(fd, "connect");
    await file.connect(address && toDestination(address, "connect", file));
  }

  /** Fills `buffer` as far as there is data. @returns how many octets; 0 at the end of the stream */
  read(fd: number, buffer: Uint8Array): Promise<number> {
    return this.recv(fd, buffer, 0);
  }

  /** @returns how many octets were taken: on a blocking stream socket all of them */
  write(fd: number, bytes: Uint8Array): Promise<number> {
    return this.send(fd, bytes, 0);
  }

  async send(fd: number, bytes: Uint8Array, flags = 0): Promise<number> {
    return await this.table.get(fd, "send").send(bytes, flags, undefined);
  }

  async recv(fd: number, buffer: Uint8Array, flags = 0): Promise<number> {
    return (await this.table.get(fd, "recv").receive(buffer, flags)).length;
  }

  async sendto(fd: number, bytes: Uint8Array, flags: number, address?: SockAddr): Promise<number> {
    const file = this.table.get(fd, "send");
    return await file.send(bytes, flags, address && toDestination(address, "send", file));
  }

  async recvfrom(fd: number, buffer: Uint8Array, flags = 0): Promise<ReceiveResult> {
    const { from, ...received } = await this.table.get(fd, "recv").receive(buffer, flags);
    return { ...received, from: from && toNumericAddress(from) };
  }

  /** @param how SHUT_RD, SHUT_WR or SHUT_RDWR */
  shutdown(fd: number, how: number): void {
    const file = this.table.get(fd, "shutdown");
    if (![constant.SHUT_RD, constant.SHUT_WR, constant.SHUT_RDWR].includes(how)) throw new SystemError("EINVAL", "shutdown");
    file.shutdown(how);
  }

  /** The descriptor is free at once; the promise waits only where SO_LINGER says so. */
  async close(fd: number): Promise<void> {
    await this.table.release(fd, "close").close();
  }

  getsockname(fd: number): NumericAddress {
    const file = this.table.get(fd, "getsockname");
    return toNumericAddress(file.local ?? anyEndpoint(file));
  }

  getpeername(fd: number): NumericAddress {
    const { remote } = this.table.get(fd, "getpeername");
    if (remote === undefined) throw new SystemError("ENOTCONN", "getpeername");
    return toNumericAddress(remote);
  }

  /** Flags are 0 or 1, times in the units of Linux, SO_LINGER `{ onoff, linger }`. */
  setsockopt(fd: number, level: number, name: number, value: OptionValue): void {
    setOption(this.table.get(fd, "setsockopt"), level, name, value);
  }

  getsockopt(fd: number, level: number, name: number): OptionValue {
    return getOption(this.table.get(fd, "getsockopt"), level, name, this.defaults);
  }

  /** F_GETFL, and F_SETFL with O_NONBLOCK or without. */
  fcntl(fd: number, command: number, flags = 0): number {
    const file = this.table.get(fd, "fcntl");
    if (command === constant.F_SETFL) file.nonBlocking = (flags & constant.O_NONBLOCK) !== 0;
    else if (command !== constant.F_GETFL) throw new SystemError("EINVAL", "fcntl");
    return command === constant.F_GETFL && file.nonBlocking ? constant.O_NONBLOCK : 0;
  }

  /** @param timeout in ms; negative: for ever. @returns how many are ready; each `revents` says for what */
  poll(fds: readonly PollFd[], timeout = -1): Promise<number> {
    return poll(fds, timeout, {
      find: (descriptor) => this.table.find(descriptor),
      timer: (onExpiry) => this.timer(onExpiry),
      waiting: (entry) => this.sockets.add(entry),
      finished: (entry) => this.sockets.delete(entry),
    });
  }

  private timer(onExpiry: () => void): Timer {
    return this.host.clock.timer(onExpiry);
  }

  private createDatagram(domain: number): DatagramFile {
    const file: DatagramFile = new DatagramFile(domain, this.udp, () => this.sockets.delete(file));
    this.sockets.add(file);
    return file;
  }

  private createStream(domain: number): StreamFile {
    const file: StreamFile = new StreamFile(domain, {
      tcp: this.tcp,
      bind: (local) => this.reserve(file, local),
      adopt: (connection) => this.adopt(connection, file),
      ended: () => this.forget(file),
      timer: (onExpiry) => this.timer(onExpiry),
    });
    this.sockets.add(file);
    return file;
  }

  private adopt(connection: TcpConnection, listener: StreamFile): StreamFile {
    const file = this.createStream(listener.domain);
    file.adopt(connection);
    file.configure(listener.options);
    return file;
  }

  private forget(file: StreamFile): void {
    this.sockets.delete(file as Closable);
    const port = file.reserved?.port;
    const files = port === undefined ? undefined : this.bound.get(port);
    files?.delete(file);
    if (port !== undefined && files?.size === 0) this.bound.delete(port);
  }

  /** A listener that is closed at once asks TCP whether the address is ours and the port free, and chooses one for port 0. */
  private reserve(file: StreamFile, wanted: Endpoint): Endpoint {
    const probe = this.tcp.listen(wanted, { acceptable: () => {} });
    if (typeof probe === "string") throw new SystemError(probe, "bind", subjectOf(wanted));
    const { local } = probe;
    probe.close();
    const files = this.bound.get(local.port) ?? new Set();
    for (const other of files) {
      if (!overlaps(other.reserved as Endpoint, local) || (other.reuseAddress && file.reuseAddress && !other.isListening)) continue;
      throw new SystemError("EADDRINUSE", "bind", subjectOf(local));
    }
    this.bound.set(local.port, files.add(file));
    return local;
  }
}

function overlaps(a: Endpoint, b: Endpoint): boolean {
  return a.address === b.address || isUnspecified(a.address) || isUnspecified(b.address);
}

function toEndpoint(address: SockAddr, syscall: string, file: OpenFile): Endpoint {
  requirePort(address.port, syscall, address.address);
  const parsed = parseIp(address.address);
  if (parsed === undefined) throw new SystemError("EINVAL", syscall, { address: String(address.address), detail: "not an IP address" });
  const isOfDomain = (ipVersion(parsed) === 4) === (file.domain === constant.AF_INET);
  if (!isOfDomain) throw new SystemError("EAFNOSUPPORT", syscall, address);
  return { address: parsed, port: address.port };
}

function toDestination(address: SockAddr, syscall: string, file: OpenFile): Endpoint {
  const endpoint = toEndpoint(address, syscall, file);
  return { address: reachable(endpoint.address), port: endpoint.port };
}

function anyEndpoint(file: OpenFile): Endpoint {
  const address = parseIp(file.domain === constant.AF_INET ? "0.0.0.0" : "::") as Endpoint["address"];
  return { address, port: 0 };
}
