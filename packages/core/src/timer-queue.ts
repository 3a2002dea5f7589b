// The queue of armed timers behind every clock: a binary heap ordered by deadline, then by the order of arming.
import type { Milliseconds, Timer } from "./clock.ts";

const NOT_QUEUED = -1;

class QueuedTimer implements Timer {
  deadline: Milliseconds = 0;
  /** Counts the armings: of two timers with the same deadline the one armed first comes first. */
  order = 0;
  /** The deadline and the order by which the heap sorts it: while it is armed they never lie behind the true ones. */
  heapDeadline: Milliseconds = 0;
  heapOrder = 0;
  position: number = NOT_QUEUED;
  readonly onExpiry: () => void;
  private readonly queue: TimerQueue;

  constructor(queue: TimerQueue, onExpiry: () => void) {
    this.queue = queue;
    this.onExpiry = onExpiry;
  }

  get armed(): boolean {
    return this.position !== NOT_QUEUED;
  }

  arm(delay: Milliseconds): void {
    this.queue.arm(this, delay);
  }

  disarm(): void {
    this.queue.disarm(this);
  }
}

/**
 * Timers that expire at the same millisecond run in the order in which they were armed, so a run is repeatable.
 * Postponing a timer, what TCP does on each acknowledgment, costs nothing: the heap learns of it when the old deadline comes.
 */
export class TimerQueue {
  private readonly heap: QueuedTimer[] = [];
  private readonly now: () => Milliseconds;
  private readonly onEarlier: (() => void) | undefined;
  private orders = 0;

  /**
   * @param now the clock's time
   * @param onEarlier called when a timer is armed that expires before all others (a real clock then sets its alarm anew)
   */
  constructor(now: () => Milliseconds, onEarlier?: () => void) {
    this.now = now;
    this.onEarlier = onEarlier;
  }

  timer(onExpiry: () => void): Timer {
    return new QueuedTimer(this, onExpiry);
  }

  /** How many timers are armed. */
  get size(): number {
    return this.heap.length;
  }

  /** When the next timer expires, or undefined when none ever will: none is armed, or all of them for ever. */
  next(): Milliseconds | undefined {
    this.settleRoot();
    if (this.heap.length === 0 || this.heap[0].deadline === Number.POSITIVE_INFINITY) return undefined;
    return this.heap[0].deadline;
  }

  /** Runs the first timer that is due at `now`; false when none is. */
  expireOne(now: Milliseconds): boolean {
    this.settleRoot();
    const timer = this.heap[0];
    if (timer === undefined || timer.deadline > now) return false;
    this.disarm(timer);
    timer.onExpiry();
    return true;
  }

  arm(timer: QueuedTimer, delay: Milliseconds): void {
    // A delay that is not a number would poison the order of the heap for everybody.
    timer.deadline = this.now() + (delay > 0 ? delay : 0);
    timer.order = this.orders++;
    if (timer.position !== NOT_QUEUED && timer.heapDeadline <= timer.deadline) return;
    timer.heapDeadline = timer.deadline;
    timer.heapOrder = timer.order;
    if (timer.position === NOT_QUEUED) {
      timer.position = this.heap.length;
      this.heap.push(timer);
    }
    this.siftUp(timer);
    if (timer.position === 0) this.onEarlier?.();
  }

  disarm(timer: QueuedTimer): void {
    const position = timer.position;
    if (position === NOT_QUEUED) return;
    timer.position = NOT_QUEUED;
    const last = this.heap.pop() as QueuedTimer;
    if (last === timer) return;
    last.position = position;
    this.heap[position] = last;
    this.siftUp(last);
    this.siftDown(last);
  }

  /** Moves postponed timers away from the root until the root is one that stands where it belongs. */
  private settleRoot(): void {
    for (let root = this.heap[0]; root !== undefined && root.heapOrder !== root.order; root = this.heap[0]) {
      root.heapDeadline = root.deadline;
      root.heapOrder = root.order;
      this.siftDown(root);
    }
  }

  private siftUp(timer: QueuedTimer): void {
    const heap = this.heap;
    let position = timer.position;
    while (position > 0) {
      const parent = heap[(position - 1) >> 1];
      if (!isBefore(timer, parent)) break;
      heap[position] = parent;
      parent.position = position;
      position = (position - 1) >> 1;
    }
    heap[position] = timer;
    timer.position = position;
  }

  private siftDown(timer: QueuedTimer): void {
    const heap = this.heap;
    let position = timer.position;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child += 1;
      if (!isBefore(heap[child], timer)) break;
      heap[position] = heap[child];
      heap[position].position = position;
      position = child;
    }
    heap[position] = timer;
    timer.position = position;
  }
}

function isBefore(a: QueuedTimer, b: QueuedTimer): boolean {
  return a.heapDeadline < b.heapDeadline || (a.heapDeadline === b.heapDeadline && a.heapOrder < b.heapOrder);
}
