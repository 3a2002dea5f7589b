// What a stack's users have open: it ends when the stack is closed, and keeps the process alive until then.
import type { Clock } from "@netstrata/core";
import { RealTimeClock } from "./real-time-clock.ts";

export interface Closable {
  /** Ends it at once; what waits on it is told so. */
  destroy(): void;
}

export class OpenSockets {
  private readonly open: Set<Closable> = new Set();
  private readonly clock: RealTimeClock | undefined;
  private isReferenced = true;
  private isHolding = false;

  constructor(clock: Clock) {
    this.clock = clock instanceof RealTimeClock ? clock : undefined;
  }

  get size(): number {
    return this.open.size;
  }

  add(socket: Closable): void {
    this.open.add(socket);
    this.update();
  }

  delete(socket: Closable): void {
    this.open.delete(socket);
    this.update();
  }

  /** Whether what is open keeps the process alive. */
  setReferenced(isReferenced: boolean): void {
    this.isReferenced = isReferenced;
    this.update();
  }

  destroyAll(): void {
    for (const socket of [...this.open]) socket.destroy();
  }

  private update(): void {
    const hold = this.isReferenced && this.open.size > 0;
    if (hold === this.isHolding) return;
    this.isHolding = hold;
    if (hold) this.clock?.hold();
    else this.clock?.release();
  }
}
