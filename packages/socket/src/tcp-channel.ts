// A TCP connection as promises: reads that wait for octets, writes that wait for room.
import type { ErrorCode } from "@netstrata/core";
import type { TcpConnection, TcpUser } from "@netstrata/transport";
import { copyOf } from "./byte-slab.ts";
import { closeBothWays } from "./close-both-ways.ts";
import { Deferred, DONE } from "./deferred.ts";
import { Fifo } from "./fifo.ts";
import { subjectOf } from "./socket-address.ts";
import { SystemError } from "./system-error.ts";

/** A read that waits. With a target it is filled and the answer is a count; without, the answer is a piece of the stream. */
interface PendingRead {
  readonly target: Uint8Array | undefined;
  readonly limit: number;
  resolve(value: Uint8Array | number | null): void;
  reject(reason: unknown): void;
}

interface PendingWrite {
  /** What TCP has not taken yet. */
  rest: Uint8Array;
  readonly isGiven: boolean;
  resolve(): void;
  reject(reason: unknown): void;
}

/**
 * Back-pressure is TCP's own: what nobody reads stays in its receive buffer and closes the window; what it has no room for
 * stays with the writer, whose promise waits.
 */
export class TcpChannel implements TcpUser {
  readonly openedEvent: Deferred<void> = new Deferred<void>().markHandled();
  readonly closedEvent: Deferred<void> = new Deferred<void>().markHandled();
  /** Why everything fails from now on. */
  failure: unknown;
  private connection: TcpConnection | undefined;
  private readonly allowHalfOpen: boolean;
  private readonly onEnd: () => void;
  private readonly reads: Fifo<PendingRead> = new Fifo();
  private readonly writes: Fifo<PendingWrite> = new Fifo();
  private isOpen = false;
  private isEnded = false;
  private stoppedReading = false;
  /** The user has nothing more to write; the FIN follows the last pending write. */
  private finishing: Deferred<void> | undefined;
  private isFinished = false;
  /** Our stream ended because the peer's did. */
  private followedEnd = false;

  /**
   * @param allowHalfOpen false: when a read was answered with the end of the peer's stream, ours ends as well
   * @param onEnd called once, when nothing more will happen
   */
  constructor(allowHalfOpen: boolean, onEnd: () => void) {
    this.allowHalfOpen = allowHalfOpen;
    this.onEnd = onEnd;
  }

  /** Takes a connection that is being opened. */
  attach(connection: TcpConnection): void {
    this.connection = connection;
  }

  /** Takes a connection that is complete; it may have ended meanwhile. */
  adopt(connection: TcpConnection): void {
    this.connection = connection;
    connection.user = this;
    this.opened();
    this.readable();
    if (connection.isClosed) this.closed(connection, connection.error);
  }

  /** There never was a connection, and there will be none. */
  fail(reason: unknown): void {
    this.failure ??= reason;
    this.end();
  }

  // From TCP

  opened(): void {
    this.isOpen = true;
    this.openedEvent.resolve();
    this.flush();
  }

  readable(): void {
    for (let read = this.reads.peek(); read !== undefined && this.serve(read); read = this.reads.peek()) this.reads.shift();
  }

  writable(): void {
    if (this.isOpen) this.flush();
  }

  closed(connection: TcpConnection, error: ErrorCode | undefined): void {
    if (error !== undefined) {
      this.failure ??= new SystemError(error, this.isOpen ? "read" : "connect", subjectOf(connection.remote));
    }
    this.end();
  }

  /**
   * TCP goes on trying for minutes (MUST-56). Whoever waits for a connection is better served by the news, as in all systems
   * (RFC 5461 §4.1).
   */
  softError(connection: TcpConnection, error: ErrorCode): void {
    if (!this.isOpen && error !== "ETIMEDOUT") this.abort(new SystemError(error, "connect", subjectOf(connection.remote)));
  }

  // From the user

  read(limit: number): Promise<Uint8Array | null> {
    return this.startRead(undefined, limit) as Promise<Uint8Array | null>;
  }

  /** Answers with the number of octets read; 0 at the end of the stream. */
  readInto(target: Uint8Array): Promise<number> {
    return this.startRead(target, target.length) as Promise<number>;
  }

  /** @param isGiven the octets are TCP's from now on; otherwise they are copied */
  write(bytes: Uint8Array, isGiven: boolean): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.finishing !== undefined || this.isEnded) return Promise.reject(this.brokenPipe());
    let rest = bytes;
    if (this.isOpen && this.writes.length === 0) {
      const left = this.offer(bytes, isGiven);
      if (left === undefined) return DONE;
      rest = left;
    }
    return new Promise((resolve, reject) => {
      this.writes.push({ rest, isGiven, resolve, reject });
    });
  }

  /** Ends our stream behind what is being written. Resolves when TCP has it all. */
  closeWrite(): Promise<void> {
    if (this.finishing === undefined) {
      this.finishing = new Deferred<void>().markHandled();
      if (this.failure !== undefined) this.finishing.reject(this.failure);
      else this.finishIfWritten();
    }
    return this.finishing.promise;
  }

  /** Nobody will read any more: reads that wait see the end of the stream, or `reason`. What still arrives is thrown away. */
  closeRead(reason?: unknown): void {
    this.stopReading(reason);
    this.connection?.closeRead();
  }

  /** Both: what is being written still goes out, then the connection is TCP's to end. */
  close(reason?: unknown): void {
    if (reason !== undefined && !this.isOpen) this.openedEvent.reject(reason);
    this.stopReading(reason);
    if (reason !== undefined) for (const write of this.writes.takeAll()) write.reject(reason);
    void this.closeWrite();
    if (this.isFinished) this.connection?.closeRead();
  }

  abort(reason?: unknown): void {
    if (this.isEnded) return;
    this.failure ??= reason ?? new SystemError("ECONNABORTED", "abort");
    // Tells us through `closed`, unless TCP knows nothing of this connection.
    this.connection?.abort();
    this.end();
  }

  // Reading

  private startRead(target: Uint8Array | undefined, limit: number): Promise<Uint8Array | number | null> {
    return new Promise((resolve, reject) => {
      const read: PendingRead = { target, limit, resolve, reject };
      if (this.reads.length > 0 || !this.serve(read)) this.reads.push(read);
    });
  }

  /** False when the read has to wait. */
  private serve(read: PendingRead): boolean {
    const { connection } = this;
    if (this.stoppedReading) {
      read.resolve(read.target === undefined ? null : 0);
    } else if (connection !== undefined && connection.readableLength > 0) {
      read.resolve(read.target === undefined ? (connection.receive(read.limit) as Uint8Array) : connection.receiveInto(read.target));
    } else if (this.failure !== undefined) {
      read.reject(this.failure);
    } else if (this.isEnded || connection?.endOfStream === true) {
      read.resolve(read.target === undefined ? null : 0);
      // Not before: whoever was handed the last octets may still be about to answer them.
      if (!this.allowHalfOpen && this.finishing === undefined) {
        this.followedEnd = true;
        void this.closeWrite();
      }
    } else {
      return false;
    }
    return true;
  }

  private stopReading(reason: unknown): void {
    this.stoppedReading = true;
    for (const read of this.reads.takeAll()) {
      if (reason === undefined) read.resolve(read.target === undefined ? null : 0);
      else read.reject(reason);
    }
  }

  // Writing

  private flush(): void {
    for (let write = this.writes.peek(); write !== undefined; write = this.writes.peek()) {
      const left = this.offer(write.rest, write.isGiven);
      if (left !== undefined) {
        write.rest = left;
        return;
      }
      this.writes.shift();
      write.resolve();
    }
    this.finishIfWritten();
  }

  private brokenPipe(): SystemError {
    const detail = this.followedEnd ? "our stream ended with the peer's; `allowHalfOpen: true` keeps it open" : undefined;
    return new SystemError("EPIPE", "write", { detail });
  }

  /** Gives TCP what it has room for; returns what is left, or undefined when nothing is. */
  private offer(bytes: Uint8Array, isGiven: boolean): Uint8Array | undefined {
    const connection = this.connection as TcpConnection;
    let rest = bytes;
    if (!isGiven) {
      const room = Math.min(rest.length, connection.writableLength);
      if (room > 0) {
        // A user who fills the same array again must not change what was written: only what is taken is copied.
        const taken = connection.send(copyOf(rest.subarray(0, room)));
        // An error is told through `closed` as well, and is the same for all writes.
        if (typeof taken === "string") return rest;
        rest = rest.subarray(taken);
      }
      if (rest.length === 0) return undefined;
    }
    // Taking less than it is given obliges TCP to tell when there is room again.
    const taken = connection.send(rest);
    if (typeof taken === "string") return rest;
    return taken === rest.length ? undefined : rest.subarray(taken);
  }

  private finishIfWritten(): void {
    if (this.finishing === undefined || this.isFinished || this.writes.length > 0) return;
    // A connection that nobody will read from is not worth waiting for.
    if (!this.isOpen && !this.isEnded && !this.stoppedReading) return;
    this.isFinished = true;
    if (this.stoppedReading && this.connection !== undefined) closeBothWays(this.connection);
    else this.connection?.close();
    this.finishing.resolve();
  }

  // The end

  private end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    const { failure } = this;
    if (!this.isOpen) this.openedEvent.reject(failure ?? new SystemError("ECONNABORTED", "connect"));
    for (const read of this.reads.takeAll()) this.serve(read);
    for (const write of this.writes.takeAll()) write.reject(failure ?? new SystemError("EPIPE", "write"));
    if (failure === undefined) this.finishing?.resolve();
    else this.finishing?.reject(failure);
    if (failure === undefined) this.closedEvent.resolve();
    else this.closedEvent.reject(failure);
    this.onEnd();
  }
}
