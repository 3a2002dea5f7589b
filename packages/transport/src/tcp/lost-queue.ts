// Segments that must be sent again, the lowest number first (RFC 6675 §4, NextSeg rule 1): a binary heap.
import { isBefore } from "@netstrata/core";
import type { SentSegment } from "./sent-segment.ts";

/** Whoever is no longer lost stays in the heap until it comes to the top: taking one out of the middle is never needed. */
export class LostQueue {
  private readonly heap: SentSegment[] = [];

  push(segment: SentSegment): void {
    if (segment.queued) return;
    segment.queued = true;
    const { heap } = this;
    let index = heap.length;
    heap.push(segment);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(segment.start, heap[parent].start)) break;
      heap[index] = heap[parent];
      index = parent;
    }
    heap[index] = segment;
  }

  /** The lowest that is lost and not on its way again. */
  first(): SentSegment | undefined {
    const { heap } = this;
    while (heap.length > 0) {
      const segment = heap[0];
      if (segment.lost && !segment.resent) return segment;
      this.removeFirst();
    }
    return undefined;
  }

  clear(): void {
    for (const segment of this.heap) segment.queued = false;
    this.heap.length = 0;
  }

  private removeFirst(): void {
    const { heap } = this;
    heap[0].queued = false;
    const last = heap.pop() as SentSegment;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1].start, heap[child].start)) child += 1;
      if (!isBefore(heap[child].start, last.start)) break;
      heap[index] = heap[child];
      index = child;
    }
    heap[index] = last;
  }
}
