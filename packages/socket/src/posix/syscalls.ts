// The POSIX calls on descriptors, without waiting: what would block is a `Call` that settles later (POSIX.1-2017; errors as Linux).
import { type Host, type IpAddress, isMappedIpv4, type Milliseconds, type Timer } from "@netstrata/core";
import type { Endpoint, Tcp, TcpConnection, Udp } from "@netstrata/transport";
import type { Closable, OpenSockets } from "../open-sockets.ts";
import { reachable } from "../socket-address.ts";
import { BoundPorts } from "./bound-ports.ts";
import { Call, type Result } from "./call.ts";
import { type ControlMessage, NO_CONTROL } from "./control-message.ts";
import { DatagramFile, type DatagramFileOwner } from "./datagram-file.ts";
import { DescriptorTable } from "./descriptor-table.ts";
import { type EpollEvent, EpollFile } from "./epoll.ts";
import type { Errno } from "./errno.ts";
import * as constant from "./linux-numbers.ts";
import { MemoryFile } from "./memory-file.ts";
import { type OpenFile, type OptionDefaults, type Outgoing, type Received, SocketFile } from "./open-file.ts";
import type { OptionValue } from "./option-value.ts";
import type { GotOption } from "./options/option.ts";
import { getOption, setOption } from "./options/socket-options.ts";
import { PipeEnd } from "./pipe.ts";
import { PlainFile } from "./plain-file.ts";
import { look, type PollFd, PollWait } from "./poll.ts";
import { type SelectSets, select } from "./select.ts";
import { addressAbove, addressBelow } from "./socket-family.ts";
import { sendfile, splice } from "./splice.ts";
import { StreamFile, type StreamFileOwner } from "./stream-file.ts";
import { WakeUps } from "./wake-ups.ts";

export interface SyscallSettings {
  readonly defaults: OptionDefaults;
  /** Descriptors at once; one more fails with EMFILE. @default 65536 */
  readonly maxDescriptors?: number;
}

/** `struct msghdr` of sendmsg. */
export interface SendMessage {
  readonly name?: Endpoint;
  readonly pieces: readonly Uint8Array[];
  readonly control?: readonly ControlMessage[];
}

/** What `pipe` gives: read from the one, write to the other. */
export interface PipeDescriptors {
  readonly from: number;
  readonly to: number;
}

export interface AcceptedDescriptor {
  readonly fd: number;
  readonly from: Endpoint;
}

const SOCKET_FLAGS: number = constant.SOCK_NONBLOCK | constant.SOCK_CLOEXEC;
const SOCKET_TYPE_MASK = 0xf;
/** Linux's limits of what is a number of a family, type or protocol at all. */
const MAX_FAMILY = 46;
const MAX_TYPE = 11;
const MAX_PROTOCOL = 263;
const NO_BYTES = new Uint8Array(0);

/** No call throws for what the system says: errors are names, as `"EAGAIN"`. */
export class Syscalls {
  private readonly table: DescriptorTable;
  private readonly host: Host;
  private readonly sockets: OpenSockets;
  private readonly wakeUps: WakeUps;
  private readonly streams: StreamFileOwner;
  private readonly datagrams: DatagramFileOwner;
  private readonly find = (descriptor: number): OpenFile | undefined => this.table.find(descriptor);

  /** Made by `Stack`. */
  constructor(host: Host, layers: { readonly tcp: Tcp; readonly udp: Udp }, sockets: OpenSockets, settings: SyscallSettings) {
    this.host = host;
    this.sockets = sockets;
    this.table = new DescriptorTable(settings.maxDescriptors);
    this.wakeUps = new WakeUps(host);
    const { wakeUps } = this;
    const timer = (onExpiry: () => void): Timer => host.clock.timer(onExpiry);
    const ended = (file: Closable): void => sockets.delete(file);
    const adopt = (connection: TcpConnection, listener: StreamFile): StreamFile => this.adopt(connection, listener);
    const now = (): Milliseconds => host.clock.now();
    const maxSendSize = (destination: IpAddress): number => layers.tcp.ip.maxSendSize(destination);
    const common = { wakeUps, timer, now, maxSendSize, defaults: settings.defaults };
    this.streams = { ...common, tcp: layers.tcp, ports: new BoundPorts(layers.tcp), adopt, ended };
    this.datagrams = { ...common, udp: layers.udp, ended };
  }

  /** @param type SOCK_STREAM or SOCK_DGRAM, with SOCK_NONBLOCK and SOCK_CLOEXEC or without. @returns the lowest descriptor that is free */
  socket(domain: number, type: number, protocol = 0): Result {
    const kind = type & SOCKET_TYPE_MASK;
    if ((type & ~SOCKET_TYPE_MASK & ~SOCKET_FLAGS) !== 0) return "EINVAL";
    if (domain < 0 || domain >= MAX_FAMILY) return "EAFNOSUPPORT";
    if (kind >= MAX_TYPE) return "EINVAL";
    if (domain !== constant.AF_INET && domain !== constant.AF_INET6) return "EAFNOSUPPORT";
    if (protocol < 0 || protocol >= MAX_PROTOCOL) return "EINVAL";
    if (kind === constant.SOCK_RAW) return "EPROTONOSUPPORT";
    if (kind !== constant.SOCK_STREAM && kind !== constant.SOCK_DGRAM) return "ESOCKTNOSUPPORT";
    const wanted = kind === constant.SOCK_STREAM ? constant.IPPROTO_TCP : constant.IPPROTO_UDP;
    if (protocol !== 0 && protocol !== wanted) return "EPROTONOSUPPORT";
    if (!this.table.hasRoom) return "EMFILE";
    const file = kind === constant.SOCK_STREAM ? this.createStream(domain) : this.createDatagram(domain);
    file.nonBlocking = (type & constant.SOCK_NONBLOCK) !== 0;
    return this.table.open(file, (type & constant.SOCK_CLOEXEC) !== 0);
  }

  bind(fd: number, name: Endpoint): Result {
    return this.withSocket(fd, (file) => {
      const below = addressBelow(file, name);
      return below === undefined ? refusalOf(name, file, "EINVAL") : file.bind(below);
    });
  }

  /** @param backlog connections that may wait to be accepted; a negative one means as many as may */
  listen(fd: number, backlog: number): Result {
    return this.withSocket(fd, (file) => file.listen(backlog));
  }

  /** accept4. @param flags SOCK_NONBLOCK and SOCK_CLOEXEC, which the new descriptor does not inherit */
  accept(fd: number, flags = 0): Call<AcceptedDescriptor> {
    const listening = this.socketOf(fd);
    if (typeof listening === "string") return new Call<AcceptedDescriptor>(listening);
    if ((flags & ~SOCKET_FLAGS) !== 0) return new Call<AcceptedDescriptor>("EINVAL");
    if (!this.table.hasRoom) return new Call<AcceptedDescriptor>("EMFILE");
    const accepting = listening.accept();
    const accepted = new Call<AcceptedDescriptor>(undefined, undefined, () => accepting.interrupt());
    accepting.onSettled((outcome) => {
      if (typeof outcome === "string") {
        accepted.settle(outcome);
        return;
      }
      const { file, from } = outcome;
      file.nonBlocking = (flags & constant.SOCK_NONBLOCK) !== 0;
      const descriptor = this.table.open(file, (flags & constant.SOCK_CLOEXEC) !== 0);
      // Somebody took the last descriptor meanwhile.
      if (typeof descriptor === "string") file.destroy();
      accepted.settle(typeof descriptor === "string" ? descriptor : { fd: descriptor, from: addressAbove(listening, from) });
    });
    return accepted;
  }

  /** @param name undefined (AF_UNSPEC) dissolves the association, and disconnects a stream socket */
  connect(fd: number, name: Endpoint | undefined): Call {
    return this.calling(fd, (file) => {
      if (name === undefined) return file.connect(undefined);
      const below = addressBelow(file, name);
      if (below === undefined) return new Call<number>(refusalOf(name, file, "ENETUNREACH"));
      return file.connect({ address: reachable(below.address), port: below.port });
    });
  }

  /** @param target undefined is a pointer to nowhere: EFAULT */
  read(fd: number, target: Uint8Array | undefined): Call {
    const file = this.table.find(fd);
    if (file instanceof PlainFile) return target === undefined ? new Call<number>("EFAULT") : file.read(target);
    return this.recv(fd, target, 0);
  }

  readv(fd: number, targets: readonly Uint8Array[]): Call {
    return lengthOf(this.recvmsg(fd, targets, 0));
  }

  recv(fd: number, target: Uint8Array | undefined, flags = 0): Call {
    return lengthOf(this.recvmsg(fd, target === undefined ? undefined : [target], flags));
  }

  recvfrom(fd: number, target: Uint8Array, flags = 0): Call<Received> {
    return this.recvmsg(fd, [target], flags);
  }

  /** @param targets undefined is a pointer to nowhere: EFAULT */
  recvmsg(fd: number, targets: readonly Uint8Array[] | undefined, flags = 0): Call<Received> {
    return this.calling(fd, (file) => (targets === undefined ? new Call<Received>("EFAULT") : file.receive(targets, flags)));
  }

  /** @param bytes undefined is a pointer to nowhere: EFAULT */
  write(fd: number, bytes: Uint8Array | undefined): Call {
    const file = this.table.find(fd);
    if (file instanceof PlainFile) return bytes === undefined ? new Call<number>("EFAULT") : file.write(bytes);
    return this.send(fd, bytes, 0);
  }

  writev(fd: number, pieces: readonly Uint8Array[]): Call {
    return this.sendmsg(fd, { pieces });
  }

  send(fd: number, bytes: Uint8Array | undefined, flags = 0): Call {
    return this.sendto(fd, bytes, flags);
  }

  /** @param bytes undefined is a pointer to nowhere: EFAULT */
  sendto(fd: number, bytes: Uint8Array | undefined, flags: number, to?: Endpoint): Call {
    if (bytes === undefined) return this.calling(fd, () => new Call<number>("EFAULT"));
    return this.transmit(fd, { bytes, flags, to, control: NO_CONTROL });
  }

  sendmsg(fd: number, { name, pieces, control = NO_CONTROL }: SendMessage, flags = 0): Call {
    return this.transmit(fd, { bytes: joined(pieces), pieces: pieces.map(({ length }) => length), flags, to: name, control });
  }

  /** @param how SHUT_RD, SHUT_WR or SHUT_RDWR */
  shutdown(fd: number, how: number): Result {
    return this.withSocket(fd, (file) => (how === 0 || how === 1 || how === 2 ? file.shutdown(how) : "EINVAL"));
  }

  /** The descriptor is free at once; the call waits only where SO_LINGER says so. */
  close(fd: number): Call {
    const file = this.table.release(fd);
    if (file === undefined) return new Call<number>("EBADF");
    return file.references === 0 ? file.close() : new Call<number>(0);
  }

  /** @param flags O_NONBLOCK and O_CLOEXEC, for both ends */
  pipe2(flags = 0): PipeDescriptors | Errno {
    if ((flags & ~(constant.O_NONBLOCK | constant.O_CLOEXEC)) !== 0) return "EINVAL";
    const { reader, writer } = PipeEnd.pair(this.streams);
    const isClosedOnExec = (flags & constant.O_CLOEXEC) !== 0;
    const from = this.table.open(reader, isClosedOnExec);
    if (typeof from === "string") return from;
    const to = this.table.open(writer, isClosedOnExec);
    if (typeof to === "string") {
      this.close(from);
      return to;
    }
    for (const end of [reader, writer]) end.nonBlocking = (flags & constant.O_NONBLOCK) !== 0;
    return { from, to };
  }

  /** A file in memory. @param octets what is in it at first; not copied */
  memfd_create(octets: Uint8Array = NO_BYTES): Result {
    return this.table.open(new MemoryFile(this.streams, octets), false);
  }

  /** @param flags SPLICE_F_NONBLOCK, SPLICE_F_MORE */
  splice(from: number, to: number, length: number, flags = 0): Call {
    const [source, target] = [this.table.find(from), this.table.find(to)];
    return source === undefined || target === undefined ? new Call<number>("EBADF") : splice(source, target, length, flags);
  }

  /** @param offset where to begin; undefined: where the file's last reader has stopped */
  sendfile(to: number, from: number, offset: number | undefined, count: number): Call {
    const [target, source] = [this.table.find(to), this.table.find(from)];
    return source === undefined || target === undefined ? new Call<number>("EBADF") : sendfile(target, source, offset, count);
  }

  dup(fd: number): Result {
    const file = this.table.find(fd);
    return file === undefined ? "EBADF" : this.table.open(file, false);
  }

  dup2(fd: number, to: number): Result {
    if (fd === to) return this.table.find(fd) === undefined ? "EBADF" : fd;
    return this.dup3(fd, to, 0);
  }

  /** @param flags O_CLOEXEC */
  dup3(fd: number, to: number, flags: number): Result {
    if ((flags & ~constant.O_CLOEXEC) !== 0 || fd === to) return "EINVAL";
    const file = this.table.find(fd);
    if (file === undefined) return "EBADF";
    if (this.table.find(to) !== undefined) this.close(to);
    return this.table.openAt(to, file, flags !== 0);
  }

  getsockname(fd: number): Endpoint | Errno {
    const file = this.socketOf(fd);
    return typeof file === "string" ? file : addressAbove(file, file.local ?? this.streams.ports.any(file.domain));
  }

  getpeername(fd: number): Endpoint | Errno {
    const file = this.socketOf(fd);
    if (typeof file === "string") return file;
    return file.remote === undefined ? "ENOTCONN" : addressAbove(file, file.remote);
  }

  /** @param length of C's form of the value in octets, when a program says something else than is right */
  setsockopt(fd: number, level: number, name: number, value: OptionValue, length?: number): Result {
    return this.withSocket(fd, (file) => setOption(file, level, name, value, length));
  }

  /** @param length octets that the program has room for */
  getsockopt(fd: number, level: number, name: number, length?: number): GotOption | Errno {
    const file = this.socketOf(fd);
    return typeof file === "string" ? file : getOption(file, level, name, length);
  }

  /** The questions (SIOCINQ, SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK) return their answer. @param argument for FIONBIO: 0 or not */
  ioctl(fd: number, request: number, argument = 0): Result {
    const file = this.table.find(fd);
    if (file === undefined) return "EBADF";
    if (request === constant.FIONBIO) {
      file.nonBlocking = argument !== 0;
      return 0;
    }
    return file.ioctl(request) ?? "ENOTTY";
  }

  fcntl(fd: number, command: number, argument = 0): Result {
    const file = this.table.find(fd);
    if (file === undefined) return "EBADF";
    switch (command) {
      case constant.F_GETFL:
        return constant.O_RDWR | (file.nonBlocking ? constant.O_NONBLOCK : 0);
      case constant.F_SETFL:
        file.nonBlocking = (argument & constant.O_NONBLOCK) !== 0;
        return 0;
      case constant.F_GETFD:
        return this.table.isCloseOnExec(fd) ? constant.FD_CLOEXEC : 0;
      case constant.F_SETFD:
        this.table.setCloseOnExec(fd, (argument & constant.FD_CLOEXEC) !== 0);
        return 0;
      case constant.F_DUPFD:
      case constant.F_DUPFD_CLOEXEC:
        return this.table.openFrom(argument, file, command === constant.F_DUPFD_CLOEXEC);
      default:
        return "EINVAL";
    }
  }

  /** @param timeout in ms; negative: for ever. @returns how many are ready; each `revents` says for what */
  poll(fds: readonly PollFd[], timeout: Milliseconds): Call {
    const ready = look(fds, this.find);
    if (ready > 0 || timeout === 0) return new Call<number>(ready);
    const { call } = new PollWait(fds, this.find, this.wakeUps);
    this.waitIn(call, timeout);
    return call;
  }

  /** @param timeout in ms; negative: for ever */
  select(sets: SelectSets, timeout: Milliseconds): Call {
    return select(sets, (fds) => this.poll(fds, timeout));
  }

  /** @param size of no meaning, but more than 0 */
  epoll_create(size: number): Result {
    return size > 0 ? this.epoll_create1(0) : "EINVAL";
  }

  /** @param flags EPOLL_CLOEXEC */
  epoll_create1(flags: number): Result {
    if ((flags & ~constant.EPOLL_CLOEXEC) !== 0) return "EINVAL";
    if (!this.table.hasRoom) return "EMFILE";
    const file = new EpollFile(this.streams, (each) => this.sockets.delete(each));
    this.sockets.add(file);
    return this.table.open(file, flags !== 0);
  }

  /** @param operation EPOLL_CTL_ADD, EPOLL_CTL_MOD or EPOLL_CTL_DEL */
  epoll_ctl(epfd: number, operation: number, fd: number, event?: EpollEvent): Result {
    const epoll = this.table.find(epfd);
    const file = this.table.find(fd);
    if (epoll === undefined || file === undefined) return "EBADF";
    if (!(epoll instanceof EpollFile) || epoll === file) return "EINVAL";
    return epoll.control(operation, fd, file, event);
  }

  /** @param timeout in ms; negative: for ever. @returns the first `maxevents` that are ready; none when the time is over */
  epoll_wait(epfd: number, maxevents: number, timeout: Milliseconds): Call<EpollEvent[]> {
    const epoll = this.table.find(epfd);
    if (epoll === undefined) return new Call<EpollEvent[]>("EBADF");
    if (maxevents <= 0) return new Call<EpollEvent[]>("EINVAL");
    if (!(epoll instanceof EpollFile)) return new Call<EpollEvent[]>("EINVAL");
    return epoll.wait(maxevents, timeout);
  }

  /** While such a call waits it keeps the process alive, and the stack can end it. */
  private waitIn(call: Call, timeout: Milliseconds): void {
    const entry: Closable = { destroy: () => call.expire() };
    call.onSettled(() => this.sockets.delete(entry));
    if (timeout > 0) {
      call.timer = this.host.clock.timer(() => call.expire());
      call.timer.arm(timeout);
    }
    this.sockets.add(entry);
  }

  private transmit(fd: number, message: Outgoing): Call {
    const { to } = message;
    return this.calling(fd, (file) => {
      if (to === undefined) return file.send(message);
      const below = addressBelow(file, to);
      if (below === undefined) return new Call<number>(refusalOf(to, file, "ENETUNREACH"));
      return file.send({ ...message, to: { address: reachable(below.address), port: below.port } });
    });
  }

  private createStream(domain: number): StreamFile {
    const file = new StreamFile(domain, this.streams);
    this.sockets.add(file);
    return file;
  }

  private createDatagram(domain: number): DatagramFile {
    const file = new DatagramFile(domain, this.datagrams);
    this.sockets.add(file);
    return file;
  }

  private adopt(connection: TcpConnection, listener: StreamFile): StreamFile {
    const file = this.createStream(listener.domain);
    file.inherit(listener);
    file.urgentInline = listener.urgentInline;
    file.adopt(connection);
    file.configure(listener.options);
    return file;
  }

  private socketOf(fd: number): SocketFile | Errno {
    const file = this.table.find(fd);
    if (file === undefined) return "EBADF";
    return file instanceof SocketFile ? file : "ENOTSOCK";
  }

  private withSocket(fd: number, run: (file: SocketFile) => Result): Result {
    const file = this.socketOf(fd);
    return typeof file === "string" ? file : run(file);
  }

  private calling<T extends number | object>(fd: number, run: (file: SocketFile) => Call<T>): Call<T> {
    const file = this.socketOf(fd);
    return typeof file === "string" ? new Call<T>(file) : run(file);
  }
}

/** @param mapped for an IPv4 address, mapped, on a socket that is for IPv6 only */
function refusalOf({ address }: Endpoint, file: SocketFile, mapped: Errno): Errno {
  if (file.domain === constant.AF_INET) return "EAFNOSUPPORT";
  // A `sockaddr_in` is shorter than what an IPv6 socket takes.
  return isMappedIpv4(address) ? mapped : "EINVAL";
}

/** The same call for a caller who wants nothing but the number of octets. */
function lengthOf(receiving: Call<Received>): Call {
  const { outcome } = receiving;
  if (outcome !== undefined) return new Call<number>(typeof outcome === "string" ? outcome : outcome.length);
  const call = new Call<number>(undefined, undefined, () => receiving.interrupt());
  receiving.onSettled((received) => call.settle(typeof received === "string" ? received : received.length));
  return call;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length <= 1) return pieces[0] ?? NO_BYTES;
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
