// send on a TCP socket, in the order in which Linux looks (`tcp_sendmsg`).
import type { SendMarks, TcpConnection } from "@netstrata/transport";
import { copyOf } from "../byte-slab.ts";
import type { Attempt } from "./call.ts";
import * as c from "./linux-numbers.ts";
import type { Outgoing } from "./open-file.ts";
import type { StreamFile } from "./stream-file.ts";

/** TCP_NOTSENT_LOWAT is looked at between pieces of this size, in octets: Linux fills as large a segment (GSO) before it looks again. */
const LARGEST_PIECE = 65_483;

/** Buffers that Linux sends from where they lie (MSG_ZEROCOPY), at most, in what it hands to a device as one (MAX_SKB_FRAGS). */
const MOST_FRAGMENTS = 17;

export function sendStream(file: StreamFile, { bytes, flags, pieces = [] }: Outgoing): Attempt<number> {
  let sent = 0;
  const ends = isZeroCopy(file, flags) ? fragmentedEnds(pieces) : [];
  const returned = (): number => {
    if (sent > 0) file.watchWrite(isZeroCopy(file, flags));
    return sent;
  };
  return (mayWait) => {
    const { connection, state } = file;
    // What has been sent is told before what went wrong then: that waits for the next call.
    const isFast = state === "SYN-RECEIVED" && file.isConnected;
    if (state !== "ESTABLISHED" && state !== "CLOSE-WAIT" && !isFast) {
      if (sent > 0) return returned();
      const error = file.takeError();
      if (error !== undefined) return error;
      if (state !== "SYN-SENT" && state !== "SYN-RECEIVED") return "EPIPE";
      return mayWait ? undefined : "EAGAIN";
    }
    if (connection === undefined || file.error !== undefined || file.sendIsShut)
      return sent > 0 ? returned() : (file.takeError() ?? "EPIPE");
    while (sent < bytes.length && isBelowLowWater(file, connection)) {
      const end = ends.find((each) => each > sent) ?? bytes.length;
      const piece = bytes.subarray(sent, file.notSentLowWater === undefined ? end : Math.min(end, sent + LARGEST_PIECE));
      const isLast = sent + piece.length === bytes.length;
      const isFull = sent + piece.length === end && end < bytes.length;
      const marks = { push: !isLast || (flags & c.MSG_MORE) === 0, endOfRecord: isFull || (isLast && (flags & c.MSG_EOR) !== 0) };
      const taken = offer(connection, piece, marks, (flags & c.MSG_OOB) !== 0);
      file.wrote(taken);
      sent += taken;
      if (taken < piece.length) break;
    }
    if (sent === bytes.length) return returned();
    file.awaitsLowWater = true;
    if (mayWait) return undefined;
    return sent > 0 ? returned() : "EAGAIN";
  };
}

/** Where what is made of so many buffers is full, and nothing more is put together with it. */
function fragmentedEnds(pieces: readonly number[]): number[] {
  const ends: number[] = [];
  let end = 0;
  for (const [index, length] of pieces.entries()) {
    end += length;
    if ((index + 1) % MOST_FRAGMENTS === 0) ends.push(end);
  }
  return ends;
}

/** MSG_ZEROCOPY counts where SO_ZEROCOPY has allowed it. */
export function isZeroCopy(file: StreamFile, flags: number): boolean {
  return (flags & c.MSG_ZEROCOPY) !== 0 && file.setting(c.SOL_SOCKET, c.SO_ZEROCOPY) === 1;
}

/** TCP_NOTSENT_LOWAT: nothing more is taken while so much waits to be sent. */
function isBelowLowWater({ notSentLowWater }: StreamFile, connection: TcpConnection): boolean {
  return notSentLowWater === undefined || connection.unsentLength < notSentLowWater;
}

/** Gives TCP a copy of what it has room for; what is left over makes TCP tell when there is room again. */
function offer(connection: TcpConnection, bytes: Uint8Array, marks: SendMarks, isUrgent: boolean): number {
  const room = Math.min(bytes.length, connection.writableLength);
  if (room < bytes.length) connection.wantRoom();
  if (room === 0) return 0;
  const copy = copyOf(room === bytes.length ? bytes : bytes.subarray(0, room));
  const taken = isUrgent ? connection.sendUrgent(copy) : connection.send(copy, copy.length === bytes.length ? marks : undefined);
  return typeof taken === "string" ? 0 : taken;
}
