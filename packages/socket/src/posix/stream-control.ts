// What recvmsg tells of a TCP socket beside the octets, and what ioctl asks it.
import type { Result } from "./call.ts";
import { type ControlMessage, NO_CONTROL } from "./control-message.ts";
import * as c from "./linux-numbers.ts";
import { timestampMessages } from "./receive-timestamps.ts";
import type { StreamFile } from "./stream-file.ts";
import { isAtUrgentMark, urgentOffset } from "./stream-urgent.ts";

export function streamControl(file: StreamFile): readonly ControlMessage[] {
  if (file.settings === undefined) return NO_CONTROL;
  const control = timestampMessages(file, file.arrivedAt);
  if (file.setting(c.SOL_TCP, c.TCP_INQ) !== 1) return control;
  const unread = readableOctets(file);
  // The end counts as one, so that whoever reads by this number comes to see it.
  const value = unread === 0 && file.connection?.peerClosed === true ? 1 : unread;
  return [...control, { level: c.SOL_TCP, type: c.TCP_CM_INQ, value }];
}

/** ioctl's questions about a stream; undefined when it is none of them. */
export function streamQuestion(file: StreamFile, request: number): Result | undefined {
  const { state, connection } = file;
  const isOpening = state === "SYN-SENT" || state === "SYN-RECEIVED";
  switch (request) {
    case c.SIOCINQ:
      if (state === "LISTEN") return "EINVAL";
      return isOpening ? 0 : readableOctets(file);
    case c.SIOCATMARK:
      return isAtUrgentMark(file) ? 1 : 0;
    case c.SIOCOUTQ:
      if (state === "LISTEN") return "EINVAL";
      return isOpening ? 0 : (connection?.unacknowledgedLength ?? 0);
    case c.SIOCOUTQNSD:
      if (state === "LISTEN") return "EINVAL";
      return isOpening ? 0 : (connection?.unsentLength ?? 0);
    default:
      return undefined;
  }
}

/** Up to the urgent octet, when that is not read with the others. */
function readableOctets(file: StreamFile): number {
  const readable = file.connection?.readableLength ?? 0;
  const mark = urgentOffset(file);
  return file.urgentInline || mark < 0 || mark >= readable ? readable : mark;
}
