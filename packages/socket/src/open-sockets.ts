// What a stack's users have open: it ends when the stack is closed, and keeps the process alive until then.
import type { Clock } from "@netstrata/core";
import { RealTimeClock } from "./real-time-clock.ts";
import { SystemError } from "./system-error.ts";

export interface Closable {
  /** Ends it at once; what waits on it is told so. */
  destroy(): void;
  /** Its index among what is open; kept by `OpenSockets`. */
  place?: number;
}

export class OpenSockets {
  /**
   * An array, in which the last one takes the place of one that goes. With a `Set` each connection would live until the next
   * full garbage collection (`ConnectionTable` says why): connections come and go twice as fast without it.
   */
  private readonly open: Closable[] = [];
  private readonly clock: RealTimeClock | undefined;
  private isReferenced = true;
  private isHolding = false;
  private isClosed = false;
  private readonly stack: string;

  /** @param stack its name, for messages */
  constructor(stack: string, clock: Clock) {
    this.stack = stack;
    this.clock = clock instanceof RealTimeClock ? clock : undefined;
  }

  get size(): number {
    return this.open.length;
  }

  /** Misuse throws: a stack that was closed opens nothing. */
  requireOpen(syscall: string): void {
    if (this.isClosed) throw new SystemError("EINVAL", syscall, { detail: `the stack ${this.stack} is closed` });
  }

  /** What comes after the end is ended at once. */
  add(socket: Closable): void {
    if (this.isClosed) {
      socket.destroy();
      return;
    }
    socket.place = this.open.length;
    this.open.push(socket);
    this.update();
  }

  delete(socket: Closable): void {
    if (socket.place === undefined) return;
    const last = this.open.pop() as Closable;
    if (last !== socket) {
      last.place = socket.place;
      this.open[socket.place] = last;
    }
    socket.place = undefined;
    this.update();
  }

  /** Whether what is open keeps the process alive. */
  setReferenced(isReferenced: boolean): void {
    this.isReferenced = isReferenced;
    this.update();
  }

  /** Ends everything that is open. */
  close(): void {
    this.isClosed = true;
    for (const socket of [...this.open]) socket.destroy();
  }

  private update(): void {
    const hold = this.isReferenced && this.open.length > 0;
    if (hold === this.isHolding) return;
    this.isHolding = hold;
    if (hold) this.clock?.hold();
    else this.clock?.release();
  }
}
