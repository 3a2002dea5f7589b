// send on a TCP socket, in the order in which Linux looks (`tcp_sendmsg`).
import type { SendMarks, TcpConnection } from "@netstrata/transport";
import { copyOf } from "../byte-slab.ts";
import type { Attempt } from "./call.ts";
import * as c from "./linux-numbers.ts";
import type { Outgoing } from "./open-file.ts";
import type { StreamFile } from "./stream-file.ts";

/** TCP_NOTSENT_LOWAT is looked at between pieces of this size, in octets: Linux fills as large a segment (GSO) before it looks again. */
const LARGEST_PIECE = 65_483;

export function sendStream(file: StreamFile, { bytes, flags }: Outgoing): Attempt<number> {
  let sent = 0;
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
      const piece = bytes.subarray(sent, file.notSentLowWater === undefined ? bytes.length : sent + LARGEST_PIECE);
      const isLast = sent + piece.length === bytes.length;
      const marks = { push: !isLast || (flags & c.MSG_MORE) === 0, endOfRecord: isLast && (flags & c.MSG_EOR) !== 0 };
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
