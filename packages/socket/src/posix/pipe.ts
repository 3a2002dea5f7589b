// A pipe (POSIX.1-2017, pipe()): two ends with 64 KiB between them.
import { type Attempt, Call } from "./call.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "./linux-numbers.ts";
import type { FileOwner } from "./open-file.ts";
import { PlainFile } from "./plain-file.ts";

/** As in Linux: what a pipe holds, and what is written in one piece or not at all. In octets. */
export const PIPE_CAPACITY = 65536;
const ATOMIC_WRITE = 4096;

/** Octets on their way from one end to the other. */
class PipeBuffer {
  length = 0;
  /** Room that a `splice` under way will fill. */
  reserved = 0;
  private readonly octets = new Uint8Array(PIPE_CAPACITY);
  private head = 0;

  get room(): number {
    return PIPE_CAPACITY - this.length - this.reserved;
  }

  push(bytes: Uint8Array): void {
    const tail = (this.head + this.length) % PIPE_CAPACITY;
    const first = Math.min(bytes.length, PIPE_CAPACITY - tail);
    this.octets.set(bytes.subarray(0, first), tail);
    this.octets.set(bytes.subarray(first), 0);
    this.length += bytes.length;
  }

  /** A copy of the first octets, `most` at most. */
  peek(most: number): Uint8Array {
    const count = Math.min(most, this.length);
    const copy = new Uint8Array(count);
    const first = this.octets.subarray(this.head, Math.min(PIPE_CAPACITY, this.head + count));
    copy.set(first);
    copy.set(this.octets.subarray(0, count - first.length), first.length);
    return copy;
  }

  drop(count: number): void {
    this.head = (this.head + count) % PIPE_CAPACITY;
    this.length -= count;
  }
}

export class PipeEnd extends PlainFile {
  readonly isReader: boolean;
  readonly buffer: PipeBuffer;
  private other: PipeEnd | undefined;

  private constructor(owner: FileOwner, isReader: boolean, buffer: PipeBuffer) {
    super(owner);
    this.isReader = isReader;
    this.buffer = buffer;
  }

  static pair(owner: FileOwner): { readonly reader: PipeEnd; readonly writer: PipeEnd } {
    const buffer = new PipeBuffer();
    const reader = new PipeEnd(owner, true, buffer);
    const writer = new PipeEnd(owner, false, buffer);
    reader.other = writer;
    writer.other = reader;
    return { reader, writer };
  }

  /** Nobody can write any more, or read. */
  get isBroken(): boolean {
    return this.other?.isClosed !== false;
  }

  events(): number {
    const { buffer, isBroken } = this;
    if (this.isReader) return (buffer.length > 0 ? POLLIN | POLLRDNORM : 0) | (isBroken ? POLLHUP : 0);
    return (buffer.room >= ATOMIC_WRITE ? POLLOUT | POLLWRNORM : 0) | (isBroken ? POLLERR : 0);
  }

  read(target: Uint8Array): Call {
    if (!this.isReader) return new Call<number>("EBADF");
    if (target.length === 0) return new Call<number>(0);
    return this.whenFilled(false, () => {
      const taken = this.take(target.length);
      target.set(taken);
      return taken.length;
    });
  }

  write(bytes: Uint8Array): Call {
    if (this.isReader) return new Call<number>("EBADF");
    let written = 0;
    return this.startWriting<number>((mayWait) => {
      if (this.isBroken) return written > 0 ? written : "EPIPE";
      const { room } = this.buffer;
      const left = bytes.subarray(written);
      if (left.length > ATOMIC_WRITE ? room > 0 : room >= left.length) {
        this.put(left.subarray(0, room));
        written += Math.min(room, left.length);
      }
      if (written === bytes.length) return written;
      if (mayWait) return undefined;
      return written > 0 ? written : "EAGAIN";
    }, false);
  }

  /** Takes octets out, and wakes whoever waits for room. */
  take(most: number): Uint8Array {
    const taken = this.buffer.peek(most);
    this.drop(taken.length);
    return taken;
  }

  drop(count: number): void {
    this.buffer.drop(count);
    this.other?.changed(POLLOUT | POLLWRNORM);
  }

  put(bytes: Uint8Array): void {
    this.buffer.push(bytes);
    if (bytes.length > 0) this.other?.changed(POLLIN | POLLRDNORM);
  }

  /** Runs `then` when there is something to read; at the end of what was written it is 0. */
  whenFilled(dontWait: boolean, then: () => number): Call {
    const attempt: Attempt<number> = (mayWait) => {
      if (this.buffer.length > 0) return then();
      if (this.isBroken) return 0;
      return mayWait ? undefined : "EAGAIN";
    };
    return this.startReading(attempt, dontWait);
  }

  /** The same for room to write. */
  whenRoom(dontWait: boolean, then: () => number): Call {
    const attempt: Attempt<number> = (mayWait) => {
      if (this.isBroken) return "EPIPE";
      if (this.buffer.room > 0) return then();
      return mayWait ? undefined : "EAGAIN";
    };
    return this.startWriting(attempt, dontWait);
  }

  protected release(): Call {
    this.other?.changed();
    return new Call<number>(0);
  }
}
