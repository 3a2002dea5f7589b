// send on a TCP socket, in the order in which Linux looks (`tcp_sendmsg`).
import type { ErrorCode } from "@netstrata/core";
import type { TcpConnection } from "@netstrata/transport";
import { copyOf } from "../byte-slab.ts";
import type { Attempt } from "./call.ts";
import { MSG_OOB } from "./linux-numbers.ts";
import type { Outgoing } from "./open-file.ts";
import type { StreamFile } from "./stream-file.ts";

export function sendStream(file: StreamFile, { bytes, flags }: Outgoing): Attempt<number> {
  let sent = 0;
  return (mayWait) => {
    const { connection, state } = file;
    // What has been sent is told before what went wrong then: that waits for the next call.
    if (state !== "ESTABLISHED" && state !== "CLOSE-WAIT") {
      if (sent > 0) return sent;
      const error = file.takeError();
      if (error !== undefined) return error;
      if (state !== "SYN-SENT" && state !== "SYN-RECEIVED") return "EPIPE";
      return mayWait ? undefined : "EAGAIN";
    }
    if (connection === undefined || file.error !== undefined || file.sendIsShut) return sent > 0 ? sent : (file.takeError() ?? "EPIPE");
    sent += offer(connection, sent === 0 ? bytes : bytes.subarray(sent), (flags & MSG_OOB) !== 0);
    if (sent === bytes.length) return sent;
    if (mayWait) return undefined;
    return sent > 0 ? sent : "EAGAIN";
  };
}

/** Gives TCP a copy of what it has room for; what is left over makes TCP tell when there is room again. */
function offer(connection: TcpConnection, bytes: Uint8Array, isUrgent: boolean): number {
  const room = Math.min(bytes.length, connection.writableLength);
  // One octet more than there is room for: TCP takes note that somebody waits, and does not keep it.
  const copy = room === bytes.length ? copyOf(bytes) : room === 0 ? bytes.subarray(0, 1) : copyOf(bytes.subarray(0, room + 1));
  const taken: number | ErrorCode = isUrgent ? connection.sendUrgent(copy) : connection.send(copy);
  return typeof taken === "string" ? 0 : taken;
}
