// Urgent data as Linux hands it out: the last urgent octet beside the stream, or in it with SO_OOBINLINE (RFC 6093 §3.1, §3.2).
import type { Outcome } from "./call.ts";
import { NO_CONTROL } from "./control-message.ts";
import { MSG_OOB, MSG_PEEK, MSG_TRUNC } from "./linux-numbers.ts";
import type { Received } from "./open-file.ts";
import type { StreamFile } from "./stream-file.ts";

/** Where the urgent octet stands, counted from the next to read; -1 when there is none. TCP's mark points behind it (RFC 6093 §2.1). */
export function urgentOffset({ connection }: StreamFile): number {
  return (connection?.urgentLength ?? 0) - 1;
}

/** SIOCATMARK: the next octet is the urgent one. */
export function isAtUrgentMark(file: StreamFile): boolean {
  return urgentOffset(file) === 0;
}

/** It has arrived; the mark alone may come long before. */
export function urgentOctetIsHere(file: StreamFile): boolean {
  const offset = urgentOffset(file);
  return offset >= 0 && (file.connection?.readableLength ?? 0) > offset;
}

/** `recv` with MSG_OOB; it never waits. */
export function receiveUrgent(file: StreamFile, target: readonly Uint8Array[], flags: number): Outcome<Received> {
  const { connection } = file;
  const offset = urgentOffset(file);
  if (file.urgentInline || offset < 0 || file.urgentTaken) return "EINVAL";
  if (connection === undefined) return "ENOTCONN";
  if (urgentOctetIsHere(file)) {
    const first = target.find(({ length }) => length > 0);
    if ((flags & MSG_PEEK) === 0) file.urgentTaken = true;
    if (first === undefined) return { length: 0, flags: MSG_OOB | MSG_TRUNC, from: undefined, control: NO_CONTROL };
    if ((flags & MSG_TRUNC) === 0) connection.peekInto(first.subarray(0, 1), offset);
    return { length: 1, flags: MSG_OOB, from: undefined, control: NO_CONTROL };
  }
  if (file.receiveIsShut) return { length: 0, flags: 0, from: undefined, control: NO_CONTROL };
  return "EAGAIN";
}
