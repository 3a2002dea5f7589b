// When something arrived, as a control message, in the form that was asked for (SO_TIMESTAMP, SO_TIMESTAMPNS, SO_TIMESTAMPING).
import type { Milliseconds } from "@netstrata/core";
import type { ControlMessage } from "./control-message.ts";
import * as c from "./linux-numbers.ts";
import type { SocketFile } from "./open-file.ts";
import { timeSpec, timeValue } from "./option-value.ts";

const RECEIVE_SOFTWARE: number = c.SOF_TIMESTAMPING_RX_SOFTWARE | c.SOF_TIMESTAMPING_SOFTWARE;
const NO_TIME = { tv_sec: 0, tv_nsec: 0 } as const;

export function timestampMessages(file: SocketFile, at: Milliseconds): ControlMessage[] {
  const messages: ControlMessage[] = [];
  const level = c.SOL_SOCKET;
  const form = file.setting(level, c.SO_TIMESTAMP) ?? 0;
  const flags = file.setting(level, c.SO_TIMESTAMPING) ?? 0;
  if (form === c.SO_TIMESTAMP || form === c.SO_TIMESTAMP_NEW) messages.push({ level, type: form, value: timeValue(at) });
  else if (form !== 0) messages.push({ level, type: form, value: timeSpec(at) });
  if ((flags & RECEIVE_SOFTWARE) === RECEIVE_SOFTWARE) {
    messages.push({ level, type: c.SCM_TIMESTAMPING, value: { ts: [timeSpec(at), NO_TIME, NO_TIME] } });
  }
  return messages;
}
