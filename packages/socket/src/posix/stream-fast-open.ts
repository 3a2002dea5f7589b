// Fast Open as a client (RFC 7413 §4.2.1): MSG_FASTOPEN and TCP_FASTOPEN_CONNECT, as Linux has them.
import type { Endpoint, TcpOpenOptions } from "@netstrata/transport";
import { copyOf } from "../byte-slab.ts";
import type { Attempt, Outcome } from "./call.ts";
import { SOL_TCP, TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_NO_COOKIE } from "./linux-numbers.ts";
import type { Outgoing } from "./open-file.ts";
import type { StreamFile } from "./stream-file.ts";
import { isZeroCopy, sendStream } from "./stream-send.ts";

const NO_TEXT = new Uint8Array(0);

/** TCP_FASTOPEN_CONNECT with a cookie, or where none is needed: the connection begins with the first write, which goes with its SYN. */
export function isDeferred(file: StreamFile, remote: Endpoint): boolean {
  return asksForFastOpen(file) && (needsNoCookie(file) || file.streams.tcp.canFastOpen(remote.address));
}

/** How a socket opens. */
export function fastOpenOptions(file: StreamFile): Pick<TcpOpenOptions, "fastOpenSynOnly" | "fastOpenWithoutCookie"> {
  return { fastOpenSynOnly: true, fastOpenWithoutCookie: needsNoCookie(file) };
}

function needsNoCookie(file: StreamFile): boolean {
  return file.setting(SOL_TCP, TCP_FASTOPEN_NO_COOKIE) === 1;
}

/** What a `connect` gives to the SYN: without a cookie the SYN asks for one. */
export function textOfConnect(file: StreamFile): Uint8Array | undefined {
  return asksForFastOpen(file) ? NO_TEXT : undefined;
}

function asksForFastOpen(file: StreamFile): boolean {
  return file.setting(SOL_TCP, TCP_FASTOPEN_CONNECT) === 1 && file.streams.tcp.fastOpen.options.client;
}

/** Connects and sends in one: what goes with the SYN is sent at once, the rest when the handshake is complete. */
export function sendFast(file: StreamFile, message: Outgoing): Attempt<number> | Outcome<never> {
  const remote = file.deferred ?? message.to;
  if (!file.streams.tcp.fastOpen.options.client) return "EOPNOTSUPP";
  if (remote === undefined) return "EINVAL";
  const refusal = file.begin(remote, copyOf(message.bytes));
  if (refusal !== undefined) return refusal;
  const inSyn = file.connection?.unacknowledgedLength ?? 0;
  let connecting: Attempt<number> | undefined = file.untilConnected("EINPROGRESS");
  const rest = sendStream(file, { ...message, bytes: message.bytes.subarray(inSyn) });
  file.wrote(inSyn);
  // One call, and one piece of news of it: the rest tells of itself.
  const returned = (): number => {
    if (inSyn > 0) file.watchWrite(isZeroCopy(file, message.flags));
    return inSyn;
  };
  return (mayWait) => {
    if (connecting !== undefined) {
      const outcome = connecting(mayWait);
      if (outcome === undefined) return undefined;
      if (typeof outcome === "string") return outcome === "EINPROGRESS" && inSyn > 0 ? returned() : outcome;
      connecting = undefined;
    }
    if (inSyn === message.bytes.length) return returned();
    const outcome = rest(mayWait);
    if (typeof outcome === "number") return inSyn + outcome;
    return outcome === undefined || inSyn === 0 ? outcome : returned();
  };
}
