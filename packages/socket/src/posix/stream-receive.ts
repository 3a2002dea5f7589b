// recv on a TCP socket, in the order in which Linux looks (`tcp_recvmsg`): octets first, then the end, then errors.
import type { TcpConnection } from "@netstrata/transport";
import type { Attempt } from "./call.ts";
import { MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_WAITALL } from "./linux-numbers.ts";
import type { Received } from "./open-file.ts";
import { streamControl } from "./stream-control.ts";
import type { StreamFile } from "./stream-file.ts";
import { receiveUrgent, urgentOffset } from "./stream-urgent.ts";

export function receiveStream(file: StreamFile, target: readonly Uint8Array[], flags: number): Attempt<Received> {
  const space = target.reduce((sum, { length }) => sum + length, 0);
  const isPeek = (flags & MSG_PEEK) !== 0;
  // Even a read of nothing waits until there is something.
  const lowWater = Math.max(1, Math.min(space, (flags & MSG_WAITALL) !== 0 ? space : file.receiveLowWater));
  let length = 0;
  const done = (): Received => ({ length, flags: 0, from: undefined, control: streamControl(file) });
  return (mayWait) => {
    const { connection } = file;
    if (file.isListening) return "ENOTCONN";
    if ((flags & MSG_OOB) !== 0) return receiveUrgent(file, target, flags);
    if (connection !== undefined) {
      // What was peeked at is there still: each attempt shows it from the start.
      if (isPeek) length = peek(file, connection, target, space);
      else length += take(file, connection, target, length, space, (flags & MSG_TRUNC) !== 0);
      if (length >= lowWater || (space === 0 && connection.readableLength > 0)) return done();
      if (length > 0 && (urgentOffset(file) === 0 || file.error !== undefined || file.receiveIsShut || !mayWait)) return done();
    }
    if (length === 0) {
      if (connection?.peerClosed === true) return done();
      const error = file.takeError();
      if (error !== undefined) return error;
      if (file.receiveIsShut) return done();
      if (file.state === "CLOSED") return "ENOTCONN";
      if (!mayWait) return "EAGAIN";
    }
    return undefined;
  };
}

/** Reads behind the first `filled` octets of `target`; with `isDiscarded` the octets go nowhere (MSG_TRUNC). Stops at the urgent mark. */
function take(
  file: StreamFile,
  connection: TcpConnection,
  target: readonly Uint8Array[],
  filled: number,
  space: number,
  isDiscarded: boolean,
): number {
  if (filled === 0) passOverUrgent(file, connection);
  let room = roomBeforeMark(file, space - filled);
  let skip = filled;
  let taken = 0;
  for (const each of target) {
    if (room === 0) break;
    if (skip >= each.length) {
      skip -= each.length;
      continue;
    }
    const part = each.subarray(skip, Math.min(each.length, skip + room));
    const count = isDiscarded ? discard(connection, part.length) : connection.receiveInto(part);
    taken += count;
    room -= count;
    skip = 0;
    if (count < part.length) break;
  }
  return taken;
}

function peek(file: StreamFile, connection: TcpConnection, target: readonly Uint8Array[], space: number): number {
  const isAtMark = !file.urgentInline && urgentOffset(file) === 0;
  let room = isAtMark ? space : roomBeforeMark(file, space);
  let at = isAtMark ? 1 : 0;
  let peeked = 0;
  for (const each of target) {
    const count = connection.peekInto(each.length > room ? each.subarray(0, room) : each, at);
    peeked += count;
    room -= count;
    at += count;
    if (count < each.length) break;
  }
  return peeked;
}

/** An octet that MSG_OOB is for, or was: the stream goes on behind it. */
function passOverUrgent(file: StreamFile, connection: TcpConnection): void {
  if (file.urgentInline || urgentOffset(file) !== 0) return;
  if (discard(connection, 1) === 1) file.urgentTaken = false;
}

/** One read never goes over the urgent mark: a program can ask where it is (SIOCATMARK). */
function roomBeforeMark(file: StreamFile, room: number): number {
  const offset = urgentOffset(file);
  return offset > 0 ? Math.min(room, offset) : room;
}

function discard(connection: TcpConnection, count: number): number {
  return connection.receive(count)?.length ?? 0;
}
