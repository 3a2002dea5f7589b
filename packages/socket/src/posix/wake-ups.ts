// Who waits is woken after the event, not within it: as in a kernel, TCP has sent its acknowledgment before the reader runs.
import type { Host, Timer } from "@netstrata/core";
import { Fifo } from "../fifo.ts";

export interface Wakeable {
  /** Kept by `WakeUps`: it is on the list already. */
  isDue: boolean;
  /** Something has changed: look again. */
  wake(): void;
}

export class WakeUps {
  private readonly due: Fifo<Wakeable> = new Fifo();
  private readonly timer: Timer;

  constructor(host: Host) {
    this.timer = host.clock.timer(() => this.run());
  }

  /** Wakes it at the same time of the clock, in an event of its own. */
  add(wakeable: Wakeable): void {
    if (wakeable.isDue) return;
    wakeable.isDue = true;
    this.due.push(wakeable);
    if (!this.timer.armed) this.timer.arm(0);
  }

  private run(): void {
    // Who is woken may wake others: they have their turn in the next event.
    const count = this.due.length;
    try {
      for (let left = count; left > 0; left -= 1) {
        const next = this.due.shift();
        if (next === undefined) return;
        next.isDue = false;
        next.wake();
      }
    } finally {
      // Also when a listener has thrown: the others are not to wait for ever.
      if (this.due.length > 0) this.timer.arm(0);
    }
  }
}
