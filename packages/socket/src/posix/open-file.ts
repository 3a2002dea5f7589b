// What a descriptor stands for: POSIX's open file description, and what is common to all files.
import type { IpAddress, Milliseconds, Timer } from "@netstrata/core";
import type { Endpoint, PersonalityName, ResolvedTcpOptions } from "@netstrata/transport";
import { type Attempt, Call, CallQueue, type Result } from "./call.ts";
import type { ControlMessage } from "./control-message.ts";
import type { Errno } from "./errno.ts";
import { ErrorQueue } from "./error-queue.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDHUP, POLLRDNORM, POLLWRNORM } from "./linux-numbers.ts";
import type { Linger } from "./option-value.ts";
import { settingKey } from "./options/option.ts";
import type { Wakeable, WakeUps } from "./wake-ups.ts";

/** `recvmsg`'s answer. */
export interface Received {
  /** Octets in the buffer, or with MSG_TRUNC the datagram's real length; 0 at the end of a stream. */
  readonly length: number;
  /** `msg_flags`: MSG_TRUNC, MSG_CTRUNC, MSG_OOB, MSG_ERRQUEUE. */
  readonly flags: number;
  /** The sender of a datagram. */
  readonly from: Endpoint | undefined;
  readonly control: readonly ControlMessage[];
}

export interface Accepted {
  readonly file: OpenFile;
  readonly from: Endpoint;
}

/** What is to be sent. */
export interface Outgoing {
  readonly bytes: Uint8Array;
  /** Of how many octets each of the buffers was that a program gave; absent: it was one. */
  readonly pieces?: readonly number[];
  readonly flags: number;
  readonly to: Endpoint | undefined;
  readonly control: readonly ControlMessage[];
}

/** What is chosen for each packet. */
export interface IpOptions {
  readonly timeToLive?: number;
  readonly trafficClass?: number;
}

/** Somebody who wants to hear of every change: `poll`, `epoll`. */
export interface Watcher {
  /** @param events what has probably changed, as POLL bits; 0 for anything */
  changed(events: number): void;
}

/** What TCP and the network layer do when nothing was chosen. */
export interface OptionDefaults {
  readonly tcp: ResolvedTcpOptions;
  readonly timeToLive: number;
  /** Whose numbers options have where systems differ. */
  readonly personality: PersonalityName;
}

/** What a file needs of the calls' owner. */
export interface FileOwner {
  readonly wakeUps: WakeUps;
  readonly defaults: OptionDefaults;
  timer(onExpiry: () => void): Timer;
  now(): Milliseconds;
  /** The largest transport message that goes to `destination` unfragmented, in octets. */
  maxSendSize(destination: IpAddress): number;
}

const FOR_READERS: number = POLLIN | POLLRDNORM | POLLPRI | POLLRDHUP | POLLHUP | POLLERR;
const FOR_WRITERS: number = POLLOUT | POLLWRNORM | POLLHUP | POLLERR;

export abstract class OpenFile implements Wakeable {
  /** SOCK_STREAM, SOCK_DGRAM …; 0 for what is no socket. */
  abstract readonly type: number;
  nonBlocking = false;
  /** Descriptors that stand for this file (dup). */
  references = 0;
  isClosed = false;
  isDue = false;
  /** SO_RCVTIMEO and SO_SNDTIMEO in ms; 0 waits for ever. */
  receiveTimeout: Milliseconds = 0;
  sendTimeout: Milliseconds = 0;
  readonly owner: FileOwner;
  private watchers: Set<Watcher> | undefined;
  private readers: CallQueue | undefined;
  private writers: CallQueue | undefined;
  private readersAreDue = false;
  private writersAreDue = false;

  constructor(owner: FileOwner) {
    this.owner = owner;
  }

  /** What `poll` sees now: POLLIN, POLLOUT, POLLERR, POLLHUP … */
  abstract events(): number;
  /** Undefined: the request is for another kind of file. */
  abstract ioctl(request: number): Result | undefined;
  /** The last descriptor is gone. Waits only where SO_LINGER asks for it. */
  protected abstract release(): Call;
  /** The stack is gone. */
  abstract destroy(): void;

  /** Calls that wait on it fail with EBADF at once. */
  close(): Call {
    if (this.isClosed) return new Call<number>(0);
    this.isClosed = true;
    const released = this.release();
    this.readers?.settle("EBADF");
    this.writers?.settle("EBADF");
    for (const watcher of this.watchers ?? []) watcher.changed(0);
    return released;
  }

  watch(watcher: Watcher): void {
    this.watchers ??= new Set();
    this.watchers.add(watcher);
  }

  unwatch(watcher: Watcher): void {
    this.watchers?.delete(watcher);
  }

  wake(): void {
    const { readersAreDue, writersAreDue } = this;
    this.readersAreDue = false;
    this.writersAreDue = false;
    if (writersAreDue) this.writers?.retry();
    if (readersAreDue) this.readers?.retry();
  }

  /** @param events what has changed, as POLL bits; 0 for anything */
  protected changed(events = 0): void {
    if (this.watchers !== undefined) for (const watcher of this.watchers) watcher.changed(events);
    if ((this.readers?.length ?? 0) > 0 && (events === 0 || (events & FOR_READERS) !== 0)) this.readersAreDue = true;
    if ((this.writers?.length ?? 0) > 0 && (events === 0 || (events & FOR_WRITERS) !== 0)) this.writersAreDue = true;
    if (this.readersAreDue || this.writersAreDue) this.owner.wakeUps.add(this);
  }

  /** A call that waits for something to read, or to accept. */
  protected startReading<T extends number | object>(attempt: Attempt<T>, dontWait: boolean): Call<T> {
    this.readers ??= new CallQueue();
    return this.readers.start(attempt, !dontWait && !this.nonBlocking, this.receiveTimeout, this.owner.timer);
  }

  /** A call that waits for room to write, or for a connection. */
  protected startWriting<T extends number | object>(attempt: Attempt<T>, dontWait: boolean): Call<T> {
    this.writers ??= new CallQueue();
    return this.writers.start(attempt, !dontWait && !this.nonBlocking, this.sendTimeout, this.owner.timer);
  }
}

/** A file with an address: what the calls on sockets need. */
export abstract class SocketFile extends OpenFile {
  /** AF_INET or AF_INET6. */
  readonly domain: number;
  /** IPPROTO_TCP, IPPROTO_UDP. */
  abstract readonly protocol: number;
  reuseAddress = false;
  reusePort = false;
  /** IPV6_V6ONLY */
  onlyIpv6 = false;
  linger: Linger = { onoff: 0, linger: 0 };
  /** SO_RCVLOWAT */
  receiveLowWater = 1;
  /** Options that are numbers and were set, by `settingKey`. */
  settings: Map<number, number> | undefined;
  readonly errors: ErrorQueue = new ErrorQueue();
  /** What SO_ERROR tells: something that happened while no call was there to be told. */
  protected pendingError: Errno | undefined;

  constructor(domain: number, owner: FileOwner) {
    super(owner);
    this.domain = domain;
  }

  abstract get local(): Endpoint | undefined;
  abstract get remote(): Endpoint | undefined;
  abstract bind(local: Endpoint): Result;
  abstract listen(backlog: number): Result;
  /** Undefined dissolves the association. */
  abstract connect(remote: Endpoint | undefined): Call;
  abstract accept(): Call<Accepted>;
  abstract send(message: Outgoing): Call;
  abstract receive(target: readonly Uint8Array[], flags: number): Call<Received>;
  abstract shutdown(how: number): Result;
  abstract configureIp(options: IpOptions): void;

  /** The value of an option that was set; undefined when it was not. */
  setting(level: number, name: number): number | undefined {
    return this.settings?.get(settingKey(level, name));
  }

  keepSetting(level: number, name: number, value: number): void {
    this.keep(settingKey(level, name), value);
  }

  keep(key: number, value: number): void {
    this.settings ??= new Map();
    this.settings.set(key, value);
  }

  setReceiveLowWater(octets: number): void {
    this.receiveLowWater = octets;
    this.changed(POLLIN | POLLRDNORM);
  }

  /** An accepted socket is born with its listener's options. */
  inherit(listener: SocketFile): void {
    this.reuseAddress = listener.reuseAddress;
    this.reusePort = listener.reusePort;
    this.onlyIpv6 = listener.onlyIpv6;
    this.linger = listener.linger;
    this.receiveLowWater = listener.receiveLowWater;
    this.receiveTimeout = listener.receiveTimeout;
    this.sendTimeout = listener.sendTimeout;
    this.settings = listener.settings && new Map(listener.settings);
  }

  /** SO_ERROR: the pending error, which is forgotten thereby. */
  takeError(): Errno | undefined {
    const error = this.pendingError;
    this.pendingError = undefined;
    return error;
  }
}
