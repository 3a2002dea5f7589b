// The POSIX calls on descriptors as promises: a thin layer over `Syscalls`, awaited where the original blocks.
import { type Milliseconds, parseIp } from "@netstrata/core";
import type { Endpoint } from "@netstrata/transport";
import type { OpenSockets } from "../open-sockets.ts";
import { type NumericAddress, requirePort, toNumericAddress } from "../socket-address.ts";
import { type ErrorSubject, SystemError } from "../system-error.ts";
import type { Call, Outcome } from "./call.ts";
import type { OptionValue } from "./option-value.ts";
import type { PollFd } from "./poll.ts";
import type { Syscalls } from "./syscalls.ts";

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

/** Calls that do not block throw; calls that may block return promises, and reject. All errors are `SystemError`s. */
export class Posix {
  private readonly calls: Syscalls;
  private readonly sockets: OpenSockets;

  /** Made by `Stack`. */
  constructor(calls: Syscalls, sockets: OpenSockets) {
    this.calls = calls;
    this.sockets = sockets;
  }

  /** @param type SOCK_STREAM or SOCK_DGRAM, with SOCK_NONBLOCK or without. @returns a descriptor: the lowest that is free */
  socket(domain: number, type: number, protocol = 0): number {
    this.sockets.requireOpen("socket");
    return returned(this.calls.socket(domain, type, protocol), "socket");
  }

  bind(fd: number, address: SockAddr): void {
    returned(this.calls.bind(fd, toEndpoint(address, "bind")), "bind", address);
  }

  /** @param backlog connections that may wait to be accepted; at least one may */
  listen(fd: number, backlog = 128): void {
    const detail = `a backlog is an integer, not ${String(backlog)}`;
    if (!Number.isInteger(backlog)) throw new SystemError("EINVAL", "listen", { detail });
    returned(this.calls.listen(fd, backlog), "listen");
  }

  /** @param flags SOCK_NONBLOCK, which the new descriptor does not inherit */
  async accept(fd: number, flags = 0): Promise<AcceptResult> {
    const { fd: accepted, from } = await settled(this.calls.accept(fd, flags), "accept");
    return { fd: accepted, ...toNumericAddress(from) };
  }

  /** Without an address it dissolves the association of a datagram socket, and disconnects a stream socket. */
  async connect(fd: number, address?: SockAddr): Promise<void> {
    await settled(this.calls.connect(fd, address && toEndpoint(address, "connect")), "connect", address);
  }

  /** Fills `buffer` as far as there is data. @returns how many octets; 0 at the end of the stream */
  read(fd: number, buffer: Uint8Array): Promise<number> {
    return this.recv(fd, buffer, 0);
  }

  /** @returns how many octets were taken: on a blocking stream socket all of them */
  write(fd: number, bytes: Uint8Array): Promise<number> {
    return this.send(fd, bytes, 0);
  }

  send(fd: number, bytes: Uint8Array, flags = 0): Promise<number> {
    return settled(this.calls.send(fd, bytes, flags), "send");
  }

  recv(fd: number, buffer: Uint8Array, flags = 0): Promise<number> {
    return settled(this.calls.recv(fd, buffer, flags), "recv");
  }

  async sendto(fd: number, bytes: Uint8Array, flags: number, address?: SockAddr): Promise<number> {
    return await settled(this.calls.sendto(fd, bytes, flags, address && toEndpoint(address, "send")), "send", address);
  }

  async recvfrom(fd: number, buffer: Uint8Array, flags = 0): Promise<ReceiveResult> {
    const { length, flags: messageFlags, from } = await settled(this.calls.recvfrom(fd, buffer, flags), "recv");
    return { length, flags: messageFlags, from: from && toNumericAddress(from) };
  }

  /** @param how SHUT_RD, SHUT_WR or SHUT_RDWR */
  shutdown(fd: number, how: number): void {
    returned(this.calls.shutdown(fd, how), "shutdown");
  }

  /** The descriptor is free at once; the promise waits only where SO_LINGER says so. */
  async close(fd: number): Promise<void> {
    await settled(this.calls.close(fd), "close");
  }

  getsockname(fd: number): NumericAddress {
    return toNumericAddress(returned(this.calls.getsockname(fd), "getsockname"));
  }

  getpeername(fd: number): NumericAddress {
    return toNumericAddress(returned(this.calls.getpeername(fd), "getpeername"));
  }

  /** Flags are 0 or 1, times in the units of Linux, SO_LINGER `{ onoff, linger }`. */
  setsockopt(fd: number, level: number, name: number, value: OptionValue): void {
    returned(this.calls.setsockopt(fd, level, name, value), "setsockopt");
  }

  getsockopt(fd: number, level: number, name: number): OptionValue {
    return returned(this.calls.getsockopt(fd, level, name), "getsockopt").value;
  }

  /** F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD. */
  fcntl(fd: number, command: number, argument = 0): number {
    return returned(this.calls.fcntl(fd, command, argument), "fcntl");
  }

  /** @param timeout in ms; negative: for ever. @returns how many are ready; each `revents` says for what */
  poll(fds: readonly PollFd[], timeout: Milliseconds = -1): Promise<number> {
    return settled(this.calls.poll(fds, timeout), "poll");
  }
}

function returned<T>(outcome: Outcome<T>, syscall: string, subject?: ErrorSubject): T {
  if (typeof outcome === "string") throw failure(outcome as Outcome<never>, syscall, subject);
  return outcome;
}

function settled<T extends number | object>(call: Call<T>, syscall: string, subject?: ErrorSubject): Promise<T> {
  return new Promise((resolve, reject) => {
    call.onSettled((outcome) => {
      if (typeof outcome === "string") reject(failure(outcome as Outcome<never>, syscall, subject));
      else resolve(outcome);
    });
  });
}

function failure(code: Outcome<never>, syscall: string, subject?: ErrorSubject): SystemError {
  // Only what belongs to an address: callers may hand in objects that know more.
  return new SystemError(code, syscall, subject && { address: subject.address, port: subject.port });
}

function toEndpoint({ address, port }: SockAddr, syscall: string): Endpoint {
  requirePort(port, syscall, address);
  const parsed = parseIp(address);
  if (parsed === undefined) throw new SystemError("EINVAL", syscall, { address: String(address), detail: "not an IP address" });
  return { address: parsed, port };
}
