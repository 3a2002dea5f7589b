// The error queue of a socket (MSG_ERRQUEUE): ICMP errors in full, timestamps of what has left, and buffers that are free again.
import { Fifo } from "../fifo.ts";
import type { ControlMessage } from "./control-message.ts";
import { AF_INET, IP_RECVERR, IPV6_RECVERR, MSG_ERRQUEUE, MSG_TRUNC, SOL_IP, SOL_IPV6 } from "./linux-numbers.ts";
import type { Received } from "./open-file.ts";
import type { ExtendedError } from "./option-value.ts";

/** Entries that wait at most; what comes then is dropped and counted, as Linux does by memory. */
export const LONGEST_ERROR_QUEUE = 1024;

export interface QueuedError {
  error: ExtendedError;
  /** What the error is about: what was sent. */
  readonly payload: Uint8Array;
  /** Linux loops the packet itself back, which nobody here has any more: the reader is told that it does not get all (SOF_TIMESTAMPING_OPT_TSONLY: does not want it). */
  readonly isCut?: boolean;
  /** Who it was sent to. */
  readonly from: Received["from"];
  readonly control: readonly ControlMessage[];
}

export class ErrorQueue {
  dropped = 0;
  /** How often there was news, dropped or not: each is an edge for whoever waits for POLLERR. */
  reports = 0;
  private readonly entries: Fifo<QueuedError> = new Fifo();
  private last: QueuedError | undefined;

  get length(): number {
    return this.entries.length;
  }

  push(entry: QueuedError): void {
    this.reports += 1;
    if (this.entries.length >= LONGEST_ERROR_QUEUE) {
      this.dropped += 1;
      return;
    }
    this.entries.push(entry);
    this.last = entry;
  }

  /** The newest, if it still waits. */
  get newest(): QueuedError | undefined {
    return this.entries.length === 0 ? undefined : this.last;
  }

  /** The newest entry takes in what has happened now. */
  extendNewest(error: ExtendedError): void {
    this.reports += 1;
    if (this.last !== undefined) this.last.error = error;
  }

  clear(): void {
    this.entries.clear();
  }

  /** `recvmsg` with MSG_ERRQUEUE; it never waits. */
  receive(target: readonly Uint8Array[], domain: number): Received | "EAGAIN" {
    const entry = this.entries.shift();
    if (entry === undefined) return "EAGAIN";
    const { payload, from, error, isCut = false } = entry;
    let filled = 0;
    for (const each of target) {
      const count = Math.min(each.length, payload.length - filled);
      each.set(payload.subarray(filled, filled + count));
      filled += count;
    }
    const [level, type] = domain === AF_INET ? [SOL_IP, IP_RECVERR] : [SOL_IPV6, IPV6_RECVERR];
    return {
      length: filled,
      flags: MSG_ERRQUEUE | (isCut || filled < payload.length ? MSG_TRUNC : 0),
      from,
      control: [...entry.control, { level, type, value: error }],
    };
  }
}
