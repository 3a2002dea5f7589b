// What became of what was written: timestamps of its last octet (SO_TIMESTAMPING), and its buffer back (MSG_ZEROCOPY).
import type { TcpConnection } from "@netstrata/transport";
import { Fifo } from "../fifo.ts";
import { LINUX_ERRNO } from "./errno.ts";
import type { ErrorQueue } from "./error-queue.ts";
import * as c from "./linux-numbers.ts";
import { type ExtendedError, timeSpec } from "./option-value.ts";

/** A write of which news is wanted; octets are counted from the start of the stream. */
interface WatchedWrite {
  readonly end: number;
  /** SOF_TIMESTAMPING_* flags of the socket, when it was written. */
  readonly timestamping: number;
  /** Its number, when it was one with MSG_ZEROCOPY. */
  readonly zeroCopy: number | undefined;
  wasSent: boolean;
}

const NOTHING = new Uint8Array(0);
const NO_TIME = { tv_sec: 0, tv_nsec: 0 } as const;

export class TransmitProgress {
  private readonly writes: Fifo<WatchedWrite> = new Fifo();
  /** Those at the front of `writes` of which it is not known that they were sent. */
  private readonly unsent: Fifo<WatchedWrite> = new Fifo();
  private readonly errors: ErrorQueue;
  private readonly now: () => number;
  private written = 0;
  private zeroCopies = 0;
  /** SOF_TIMESTAMPING_OPT_ID counts octets from here. */
  private keyBase = 0;

  constructor(errors: ErrorQueue, now: () => number) {
    this.errors = errors;
    this.now = now;
  }

  get isWatching(): boolean {
    return this.writes.length > 0;
  }

  /** @param isFromWritten from what has been written, not from what was acknowledged */
  countFromHere(connection: TcpConnection | undefined, isFromWritten: boolean): void {
    const unacknowledged = isFromWritten ? 0 : (connection?.unacknowledgedLength ?? 0);
    this.keyBase = this.written - unacknowledged;
  }

  /** `octets` were given to TCP. */
  wrote(octets: number): void {
    this.written += octets;
  }

  /** News is wanted of what was written last. */
  watch(timestamping: number, isZeroCopy: boolean): void {
    const wanted = timestamping & (c.SOF_TIMESTAMPING_TX_SOFTWARE | c.SOF_TIMESTAMPING_TX_SCHED | c.SOF_TIMESTAMPING_TX_ACK);
    if (wanted === 0 && !isZeroCopy) return;
    const write = { end: this.written, timestamping, zeroCopy: isZeroCopy ? this.zeroCopies : undefined, wasSent: false };
    if (isZeroCopy) this.zeroCopies = (this.zeroCopies + 1) >>> 0;
    this.writes.push(write);
    this.unsent.push(write);
  }

  /** TCP has come further. @returns whether there is news in the error queue */
  look(connection: TcpConnection): boolean {
    const before = this.errors.reports;
    const fin = connection.state === "ESTABLISHED" || connection.state === "CLOSE-WAIT" || connection.unacknowledgedLength === 0 ? 0 : 1;
    const sent = this.written - Math.max(0, connection.unsentLength - fin);
    const acknowledged = this.written - Math.max(0, connection.unacknowledgedLength - fin);
    for (let write = this.unsent.peek(); write !== undefined && write.end <= sent; write = this.unsent.peek()) {
      this.unsent.shift();
      write.wasSent = true;
      if ((write.timestamping & c.SOF_TIMESTAMPING_TX_SCHED) !== 0) this.report(write, c.SCM_TSTAMP_SCHED);
      if ((write.timestamping & c.SOF_TIMESTAMPING_TX_SOFTWARE) !== 0) this.report(write, c.SCM_TSTAMP_SND);
    }
    for (let write = this.writes.peek(); write !== undefined && write.end <= acknowledged; write = this.writes.peek()) {
      this.writes.shift();
      if ((write.timestamping & c.SOF_TIMESTAMPING_TX_ACK) !== 0) this.report(write, c.SCM_TSTAMP_ACK);
      if (write.zeroCopy !== undefined) this.completeZeroCopy(write.zeroCopy);
    }
    return this.errors.reports > before;
  }

  /** The connection is gone: buffers are free, and nothing more is known. */
  end(): void {
    for (const { zeroCopy } of this.writes.takeAll()) if (zeroCopy !== undefined) this.completeZeroCopy(zeroCopy);
    this.unsent.clear();
  }

  private report({ end, timestamping }: WatchedWrite, type: number): void {
    const key = (timestamping & c.SOF_TIMESTAMPING_OPT_ID) !== 0 ? end - 1 - this.keyBase : 0;
    const value = { ts: [timeSpec(this.now()), NO_TIME, NO_TIME] as const };
    this.errors.push({
      error: extended(LINUX_ERRNO.ENOMSG, c.SO_EE_ORIGIN_TIMESTAMPING, 0, type, key >>> 0),
      payload: NOTHING,
      isCut: (timestamping & c.SOF_TIMESTAMPING_OPT_TSONLY) === 0,
      from: undefined,
      control: (timestamping & c.SOF_TIMESTAMPING_SOFTWARE) !== 0 ? [{ level: c.SOL_SOCKET, type: c.SCM_TIMESTAMPING, value }] : [],
    });
  }

  /** Writes that end one after the other are told in one message, from `ee_info` to `ee_data`. */
  private completeZeroCopy(id: number): void {
    const { newest } = this.errors;
    if (newest?.error.ee_origin === c.SO_EE_ORIGIN_ZEROCOPY && newest.error.ee_data + 1 === id) {
      this.errors.extendNewest({ ...newest.error, ee_data: id });
      return;
    }
    // What is sent here has been copied, and programs are told so: they may save themselves the trouble.
    const error = extended(0, c.SO_EE_ORIGIN_ZEROCOPY, c.SO_EE_CODE_ZEROCOPY_COPIED, id, id);
    this.errors.push({ error, payload: NOTHING, from: undefined, control: [] });
  }
}

function extended(ee_errno: number, ee_origin: number, ee_code: number, ee_info: number, ee_data: number): ExtendedError {
  return { ee_errno, ee_origin, ee_type: 0, ee_code, ee_info, ee_data, offender: undefined };
}
