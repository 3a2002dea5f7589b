// CoDel (RFC 8289): a queue may be long for a moment, but not for an interval; then it marks, ever more often until it is short.
import type { Milliseconds } from "@netstrata/core";
import type { QueueDiscipline, QueueDisciplineFactory, QueueVerdict, QueueView } from "./queue-discipline.ts";

export interface CodelOptions {
  /** TARGET: so long may a packet wait for good (§4.3). @default 5 ms */
  readonly target?: Milliseconds;
  /** INTERVAL: so long it may wait longer; about the longest round trip (§4.2). @default 100 ms */
  readonly interval?: Milliseconds;
}

const DEFAULT_TARGET: Milliseconds = 5;
const DEFAULT_INTERVAL: Milliseconds = 100;
/** §5.6: a queue that was controlled so many intervals ago goes on where it left off. */
const MEMORY_INTERVALS = 16;

export function codel(options: CodelOptions = {}): QueueDisciplineFactory {
  const { target = DEFAULT_TARGET, interval = DEFAULT_INTERVAL } = options;
  if (!(target > 0 && interval > target)) throw new RangeError(`CoDel with target ${target} and interval ${interval}`);
  return () => new Codel(target, interval);
}

/**
 * The RFC judges a packet when it leaves. As the order is that of arrival, when it leaves is known when it joins, and so is the
 * verdict: a packet that is dropped takes no time, so the one behind it leaves at the same moment, as in the RFC's loop.
 */
class Codel implements QueueDiscipline {
  private readonly target: Milliseconds;
  private readonly interval: Milliseconds;
  /** When the waiting time will have been above the target for an interval; undefined: it is not above. */
  private firstAboveTime: Milliseconds | undefined;
  private dropping = false;
  private dropNext: Milliseconds = 0;
  private count = 0;
  private lastCount = 0;

  constructor(target: Milliseconds, interval: Milliseconds) {
    this.target = target;
    this.interval = interval;
  }

  judge(queue: QueueView): QueueVerdict {
    const leaves = queue.now + queue.sojourn;
    if (!this.mayDrop(queue, leaves)) {
      this.dropping = false;
      return "pass";
    }
    if (!this.dropping) return this.startDropping(leaves);
    if (leaves < this.dropNext) return "pass";
    this.count += 1;
    this.dropNext = this.controlLaw(this.dropNext);
    return "mark";
  }

  /** §5.5, dodequeue: above the target for a whole interval. A link too slow for the target is allowed one packet (§4.4). */
  private mayDrop({ sojourn, transmission }: QueueView, leaves: Milliseconds): boolean {
    if (sojourn < this.target || sojourn <= transmission) {
      this.firstAboveTime = undefined;
      return false;
    }
    if (this.firstAboveTime === undefined) {
      this.firstAboveTime = leaves + this.interval;
      return false;
    }
    return leaves >= this.firstAboveTime;
  }

  /** §5.6: if the last time was not long ago, the rate that was right then is a better start than one. */
  private startDropping(leaves: Milliseconds): QueueVerdict {
    this.dropping = true;
    const delta = this.count - this.lastCount;
    this.count = delta > 1 && leaves - this.dropNext < MEMORY_INTERVALS * this.interval ? delta : 1;
    this.dropNext = this.controlLaw(leaves);
    this.lastCount = this.count;
    return "mark";
  }

  /** §4.1: the n-th follows after interval / sqrt(n). */
  private controlLaw(time: Milliseconds): Milliseconds {
    return time + this.interval / Math.sqrt(this.count);
  }
}
