// What a queue does with a packet that joins it: the one interface of tail drop, threshold marking and CoDel (RFC 7567 §4).
import type { Milliseconds } from "@netstrata/core";

/** "mark" is for packets whose sender understands marks; of another one the same verdict makes a loss (RFC 3168 §5). */
export type QueueVerdict = "pass" | "mark" | "drop";

/** The queue as a packet finds it. Lent for the call. */
export interface QueueView {
  readonly now: Milliseconds;
  /** How long the packet will wait before its own transmission begins: first in, first out, so that is known when it joins. */
  readonly sojourn: Milliseconds;
  /** Packets that wait or are in transmission before it. */
  readonly packets: number;
  /** How long its own transmission takes. */
  readonly transmission: Milliseconds;
}

/** Keeps what it must remember of one queue. */
export interface QueueDiscipline {
  judge(queue: QueueView): QueueVerdict;
}

/** Makes the discipline of one queue: each direction of a wire has its own. */
export type QueueDisciplineFactory = () => QueueDiscipline;

/** What a queue has done beside passing on. A full queue drops whatever its discipline says; that is not counted here. */
export interface QueueCounters {
  marked: number;
  /** On the discipline's word, packets that could not be marked included. */
  dropped: number;
}
