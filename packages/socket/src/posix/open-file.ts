// What a descriptor stands for: POSIX's open file description, and what is common to all sockets behind one.
import type { ErrorCode } from "@netstrata/core";
import type { Endpoint } from "@netstrata/transport";
import { subjectOf } from "../socket-address.ts";
import { SystemError } from "../system-error.ts";

/** `recv`'s answer, for both kinds of sockets. */
export interface Received {
  /** Octets in the buffer, or with MSG_TRUNC the datagram's real length. */
  readonly length: number;
  /** MSG_TRUNC when the datagram was longer than the buffer. */
  readonly flags: number;
  readonly from: Endpoint | undefined;
}

export interface Accepted {
  readonly file: OpenFile;
  readonly from: Endpoint;
}

export abstract class OpenFile {
  /** SOCK_STREAM or SOCK_DGRAM. */
  abstract readonly type: number;
  /** AF_INET or AF_INET6. */
  readonly domain: number;
  nonBlocking = false;
  reuseAddress = false;
  isClosed = false;
  /** What SO_ERROR tells: something that happened while no call was there to be told. */
  protected pendingError: ErrorCode | undefined;
  private waiters: (() => void)[] = [];

  constructor(domain: number) {
    this.domain = domain;
  }

  /** What `poll` sees now: POLLIN, POLLOUT, POLLERR, POLLHUP … */
  abstract events(): number;
  abstract get local(): Endpoint | undefined;
  abstract get remote(): Endpoint | undefined;
  abstract bind(local: Endpoint): void;
  abstract listen(backlog: number): void;
  /** Undefined dissolves the association of a datagram socket. */
  abstract connect(remote: Endpoint | undefined): Promise<void>;
  abstract accept(): Promise<Accepted>;
  abstract send(bytes: Uint8Array, flags: number, to: Endpoint | undefined): Promise<number>;
  abstract receive(target: Uint8Array, flags: number): Promise<Received>;
  abstract shutdown(how: number): void;
  /** The descriptor is gone. Waits only where SO_LINGER asks for it. */
  protected abstract release(): Promise<void>;
  /** The stack is gone. */
  abstract destroy(): void;

  /** @returns when it is closed; calls that wait on it fail with EBADF at once */
  close(): Promise<void> {
    this.isClosed = true;
    const released = this.release();
    this.changed();
    return released;
  }

  /** SO_ERROR: the pending error, which is forgotten thereby. */
  takeError(): ErrorCode | undefined {
    const error = this.pendingError;
    this.pendingError = undefined;
    return error;
  }

  /** Resolves when something has changed: a call that waits tries again, and `poll` looks again. */
  change(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  /** Calls `wake` once when something changes; returns a function that takes it back. */
  onChange(wake: () => void): () => void {
    this.waiters.push(wake);
    return () => {
      this.waiters = this.waiters.filter((waiter) => waiter !== wake);
    };
  }

  protected changed(): void {
    const waiters = this.waiters;
    if (waiters.length === 0) return;
    this.waiters = [];
    for (const wake of waiters) wake();
  }

  /** Tries until `attempt` has an answer; where it has none, waits or fails with EAGAIN. */
  protected async perform<T>(syscall: string, dontWait: boolean, attempt: () => T | undefined): Promise<T> {
    for (;;) {
      if (this.isClosed) throw new SystemError("EBADF", syscall);
      const answer = attempt();
      if (answer !== undefined) return answer;
      if (dontWait || this.nonBlocking) throw new SystemError("EAGAIN", syscall);
      await this.change();
    }
  }

  protected throwPendingError(syscall: string, about?: Endpoint): void {
    const error = this.takeError();
    if (error !== undefined) throw new SystemError(error, syscall, about && subjectOf(about));
  }
}
