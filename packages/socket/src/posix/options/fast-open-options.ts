// TCP_FASTOPEN, TCP_FASTOPEN_KEY and TCP_DEFER_ACCEPT: what a listening socket does before a handshake is complete (tcp(7), RFC 7413).
import * as c from "../linux-numbers.ts";
import type { SocketFile } from "../open-file.ts";
import type { OptionValue } from "../option-value.ts";
import type { StreamFile } from "../stream-file.ts";
import { bytes, kept, type SocketOption } from "./option.ts";

const { SOL_TCP } = c;
/** One key, or this one and the one before. */
const KEY_LENGTHS = [16, 32];

/** The most connections that may work by Fast Open alone. */
export const fastOpenBacklog: SocketOption = kept(SOL_TCP, c.TCP_FASTOPEN, {
  low: 0,
  refuse: (file) => (isIdle(file) ? undefined : "EINVAL"),
  apply: (file, value) => {
    const { listener } = file as StreamFile;
    if (listener !== undefined) listener.fastOpenBacklog = value;
  },
});

export const fastOpenKey: SocketOption = {
  get: (file) => bytes((file as StreamFile).fastOpenKeys ?? new Uint8Array(0)),
  set: (file, value: OptionValue) => {
    const octets = typeof value === "string" ? Uint8Array.from(value, (char) => char.charCodeAt(0)) : value;
    if (!(octets instanceof Uint8Array) || !KEY_LENGTHS.includes(octets.length)) return "EINVAL";
    const stream = file as StreamFile;
    stream.fastOpenKeys = octets.slice();
    stream.listener?.setFastOpenKeys(stream.fastOpenKeys);
    return 0;
  },
};

/** In s. */
export const setDeferAccept: SocketOption = kept(SOL_TCP, c.TCP_DEFER_ACCEPT, {
  apply: (file, value) => {
    const { listener } = file as StreamFile;
    if (listener !== undefined) listener.deferAccept = Math.max(0, value) * 1000;
  },
});

/** The same for a socket that begins to listen. */
export function listenOptions(file: StreamFile): { fastOpenBacklog: number | undefined; deferAccept: number } {
  return { fastOpenBacklog: file.setting(SOL_TCP, c.TCP_FASTOPEN), deferAccept: (file.setting(SOL_TCP, c.TCP_DEFER_ACCEPT) ?? 0) * 1000 };
}

function isIdle(file: SocketFile): boolean {
  const { state } = file as StreamFile;
  return state === "CLOSED" || state === "LISTEN";
}
