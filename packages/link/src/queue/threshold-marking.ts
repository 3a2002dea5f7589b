// Marks every packet that finds more than so many before it: the switch of data centers (RFC 8257 §3.1).
import type { QueueDiscipline, QueueDisciplineFactory, QueueVerdict, QueueView } from "./queue-discipline.ts";

/** @param packets K: from so many waiting packets on the next one is marked, or dropped if it cannot be */
export function thresholdMarking(packets: number): QueueDisciplineFactory {
  if (!(packets >= 0)) throw new RangeError(`threshold ${packets}: not a number of packets`);
  return () => new ThresholdMarking(packets);
}

class ThresholdMarking implements QueueDiscipline {
  private readonly threshold: number;

  constructor(threshold: number) {
    this.threshold = threshold;
  }

  judge({ packets }: QueueView): QueueVerdict {
    return packets >= this.threshold ? "mark" : "pass";
  }
}
