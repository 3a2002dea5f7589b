// Whether the process stays alive for something: exactly while it is active and referenced, as with libuv's handles.
import { RealTimeClock, type Stack } from "@netstrata/socket";

/** On a virtual clock nothing is held: a simulated world runs until it is told to stop. */
export class EventLoopHold {
  private readonly clock: RealTimeClock | undefined;
  private isReferenced = true;
  private isActive = false;
  private isHolding = false;

  constructor(stack: Stack) {
    this.clock = stack.host.clock instanceof RealTimeClock ? stack.host.clock : undefined;
  }

  get referenced(): boolean {
    return this.isReferenced;
  }

  ref(): void {
    this.isReferenced = true;
    this.update();
  }

  unref(): void {
    this.isReferenced = false;
    this.update();
  }

  setActive(isActive: boolean): void {
    this.isActive = isActive;
    this.update();
  }

  private update(): void {
    const hold = this.isActive && this.isReferenced;
    if (hold === this.isHolding) return;
    this.isHolding = hold;
    if (hold) this.clock?.hold();
    else this.clock?.release();
  }
}
