// Packets that a fault injector holds back: until a moment, or until others have overtaken them.
import type { Clock, Milliseconds, PacketBuffer, Timer } from "@netstrata/core";

interface HeldPacket {
  readonly packet: PacketBuffer;
  readonly dueAt: Milliseconds;
  /** How many more packets may overtake it; Infinity when only the time counts. */
  overtakers: number;
}

export class HeldPackets {
  private readonly clock: Clock;
  private readonly release: (packet: PacketBuffer) => void;
  private limit: number;
  private readonly timer: Timer;
  /** By the time they are due; of the same time the one held first. */
  private held: HeldPacket[] = [];
  /** How many of them wait for overtakers. */
  private reordered = 0;

  constructor(clock: Clock, limit: number, release: (packet: PacketBuffer) => void) {
    this.clock = clock;
    this.limit = limit;
    this.release = release;
    this.timer = clock.timer(() => this.expire());
  }

  get length(): number {
    return this.held.length;
  }

  /** Holds a packet that is ours to keep; false when there is no room. */
  hold(packet: PacketBuffer, time: Milliseconds, overtakers: number = Number.POSITIVE_INFINITY): boolean {
    if (this.held.length >= this.limit) return false;
    const dueAt = this.clock.now() + time;
    let place = this.held.length;
    while (place > 0 && this.held[place - 1].dueAt > dueAt) place -= 1;
    this.held.splice(place, 0, { packet, dueAt, overtakers });
    if (overtakers < Number.POSITIVE_INFINITY) this.reordered += 1;
    if (place === 0) this.timer.arm(time);
    return true;
  }

  /** A packet of the same direction went by. */
  overtake(): void {
    if (this.reordered === 0) return;
    for (const entry of this.held) entry.overtakers -= 1;
    this.releaseAll(this.held.filter((entry) => entry.overtakers <= 0));
  }

  /** Forgets every packet, and holds no other. */
  close(): void {
    this.held = [];
    this.reordered = 0;
    this.limit = 0;
    this.timer.disarm();
  }

  private expire(): void {
    const now = this.clock.now();
    this.releaseAll(this.held.filter((entry) => entry.dueAt <= now));
  }

  private releaseAll(released: readonly HeldPacket[]): void {
    for (const entry of released) {
      this.held.splice(this.held.indexOf(entry), 1);
      if (entry.overtakers < Number.POSITIVE_INFINITY) this.reordered -= 1;
    }
    if (this.held.length === 0) this.timer.disarm();
    else this.timer.arm(this.held[0].dueAt - this.clock.now());
    for (const entry of released) this.release(entry.packet);
  }
}
