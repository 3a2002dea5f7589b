// The options of IPPROTO_TCP, with Linux's ranges and errors.
import type { TcpConnectionOptions } from "@netstrata/transport";
import * as c from "../linux-numbers.ts";
import type { SocketFile } from "../open-file.ts";
import type { OptionValue } from "../option-value.ts";
import type { StreamFile } from "../stream-file.ts";
import { congestion } from "./congestion-option.ts";
import { fastOpenBacklog, fastOpenKey, setDeferAccept } from "./fast-open-options.ts";
import { bytes, flag, type GotOption, int, kept, type OptionTable, readOnly, type SocketOption, toInteger } from "./option.ts";
import { tcpInfo } from "./tcp-info-option.ts";

const { SOL_TCP } = c;
const MAX_INT = 2 ** 31 - 1;
const NOTHING = new Uint8Array(0);
/** TCP_MIN_MSS and MAX_TCP_WINDOW. */
const LEAST_SEGMENT = 88;
const LARGEST_SEGMENT = 32767;
/** TCP_MSS_DEFAULT: what a socket without a connection says. */
const SEGMENT_WITHOUT_CONNECTION = 536;
/** TCP_FIN_TIMEOUT_MAX in s. */
const LONGEST_FIN_WAIT = 120;
/** RCVBUF's least, halved. */
const LEAST_CLAMP = 1152;

/** What a number means to TCP, and how far it may go. */
interface Scaled {
  readonly option: keyof TcpConnectionOptions;
  readonly low: number;
  readonly high: number;
  /** TCP's unit in one of the option's. @default 1 */
  readonly unit?: number;
  /** The option's number for "never", which is Infinity to TCP. */
  readonly never?: number;
}

const SCALED: readonly (readonly [number, Scaled])[] = [
  [c.TCP_KEEPIDLE, { option: "keepAliveIdle", low: 1, high: 32767, unit: 1000 }],
  [c.TCP_KEEPINTVL, { option: "keepAliveInterval", low: 1, high: 32767, unit: 1000 }],
  [c.TCP_KEEPCNT, { option: "keepAliveProbes", low: 1, high: 127 }],
  [c.TCP_SYNCNT, { option: "synRetries", low: 1, high: 127, never: 127 }],
  [c.TCP_USER_TIMEOUT, { option: "userTimeout", low: 0, high: MAX_INT, never: 0 }],
  [c.TCP_RTO_MAX_MS, { option: "rtoMaximum", low: 1000, high: 120_000 }],
  [c.TCP_RTO_MIN_US, { option: "rtoMinimum", low: 2000, high: 200_000, unit: 0.001 }],
];

export const TCP_LEVEL: OptionTable = new Map<number, SocketOption>([
  ...SCALED.map(([name, row]): [number, SocketOption] => [name, scaled(row)]),
  [c.TCP_NODELAY, tcpFlag("noDelay")],
  [c.TCP_CORK, tcpFlag("cork")],
  [
    c.TCP_QUICKACK,
    {
      get: (file) => int(stream(file).settings?.get(SOL_TCP * 256 + c.TCP_QUICKACK) ?? 1),
      set: flag(SOL_TCP, c.TCP_QUICKACK, setQuickAck).set,
    },
  ],
  [c.TCP_MAXSEG, { get: maximumSegment, set: setMaximumSegment }],
  [c.TCP_LINGER2, { get: (file) => int(finWait(stream(file))), set: setFinWait }],
  [c.TCP_DEFER_ACCEPT, { get: deferAccept, set: setDeferAccept.set }],
  [c.TCP_WINDOW_CLAMP, windowClamp()],
  [c.TCP_INFO, tcpInfo],
  [c.TCP_CONGESTION, congestion],
  [c.TCP_CC_INFO, { get: () => bytes(NOTHING) }],
  [c.TCP_THIN_LINEAR_TIMEOUTS, kept(SOL_TCP, c.TCP_THIN_LINEAR_TIMEOUTS, { low: 0, high: 1 })],
  [c.TCP_THIN_DUPACK, { get: () => int(0), set: kept(SOL_TCP, c.TCP_THIN_DUPACK, { low: 0, high: 1 }).set }],
  // Repair mode puts words into a connection's mouth; nobody here has that power.
  [c.TCP_REPAIR, { get: () => int(0), set: () => "EPERM" }],
  [c.TCP_REPAIR_QUEUE, { get: () => "EINVAL", set: () => "EPERM" }],
  [c.TCP_QUEUE_SEQ, { get: () => "EINVAL", set: () => "EPERM" }],
  [c.TCP_REPAIR_OPTIONS, { get: () => "ENOPROTOOPT", set: () => "EINVAL" }],
  [c.TCP_REPAIR_WINDOW, { get: () => "EPERM", set: () => "EPERM" }],
  [c.TCP_TIMESTAMP, { get: (file) => int(Math.floor(file.owner.now()) >>> 0), set: () => "EPERM" }],
  [c.TCP_NOTSENT_LOWAT, kept(SOL_TCP, c.TCP_NOTSENT_LOWAT, { apply: (file) => stream(file).roomChanged() })],
  [c.TCP_SAVE_SYN, kept(SOL_TCP, c.TCP_SAVE_SYN, { low: 0, high: 2 })],
  [c.TCP_SAVED_SYN, { get: () => bytes(NOTHING) }],
  [c.TCP_FASTOPEN, fastOpenBacklog],
  [c.TCP_FASTOPEN_CONNECT, kept(SOL_TCP, c.TCP_FASTOPEN_CONNECT, { low: 0, high: 1, refuse: unlessClosed })],
  [c.TCP_FASTOPEN_NO_COOKIE, kept(SOL_TCP, c.TCP_FASTOPEN_NO_COOKIE, { low: 0, high: 1, refuse: unlessIdle })],
  [c.TCP_FASTOPEN_KEY, fastOpenKey],
  [c.TCP_ULP, { get: () => bytes(NOTHING), set: () => "ENOENT" }],
  [c.TCP_INQ, kept(SOL_TCP, c.TCP_INQ, { low: 0, high: 1 })],
  [c.TCP_TX_DELAY, kept(SOL_TCP, c.TCP_TX_DELAY, { low: 0 })],
  [c.TCP_DELACK_MAX_US, kept(SOL_TCP, c.TCP_DELACK_MAX_US, { low: 2000, high: 200_000, initial: 200_000, apply: boundDelayedAck })],
  [c.TCP_MD5SIG, { get: () => "ENOPROTOOPT", set: () => "ENOPROTOOPT" }],
  [c.TCP_ZEROCOPY_RECEIVE, readOnlyError("EINVAL")],
]);

function stream(file: SocketFile): StreamFile {
  // The table is only looked up for streams.
  return file as StreamFile;
}

function readOnlyError(error: "EINVAL"): SocketOption {
  return { ...readOnly(() => 0), get: () => error };
}

function scaled({ option, low, high, unit = 1, never }: Scaled): SocketOption {
  return {
    get: (file) => {
      const value = Number(stream(file).tcpOption(option));
      return int(value === Number.POSITIVE_INFINITY && never !== undefined ? never : Math.min(MAX_INT, Math.round(value / unit)));
    },
    set: (file, given) => {
      const value = toInteger(given);
      if (value === undefined || value < low || value > high) return "EINVAL";
      stream(file).configure({ [option]: value === never ? Number.POSITIVE_INFINITY : value * unit });
      return 0;
    },
  };
}

function tcpFlag(option: "noDelay" | "cork"): SocketOption {
  return {
    get: (file) => int(stream(file).tcpOption(option) ? 1 : 0),
    set: (file, given) => {
      const value = toInteger(given);
      if (value === undefined) return "EINVAL";
      stream(file).configure({ [option]: value !== 0 });
      return 0;
    },
  };
}

/** How long an acknowledgment waits at most; what it waits usually is less. */
function boundDelayedAck(file: SocketFile, microseconds: number): void {
  stream(file).configure({ delayedAck: Math.min(file.owner.defaults.tcp.delayedAck, microseconds / 1000) });
}

function setQuickAck(file: SocketFile, quickAck: boolean): void {
  stream(file).connection?.set({ quickAck });
}

function maximumSegment(file: SocketFile): GotOption {
  const { connection, options } = stream(file);
  return int(connection?.info().sendMaximumSegmentSize ?? options.maximumSegmentSize ?? SEGMENT_WITHOUT_CONNECTION);
}

function setMaximumSegment(file: SocketFile, given: OptionValue): 0 | "EINVAL" {
  const value = toInteger(given);
  if (value === undefined || (value !== 0 && (value < LEAST_SEGMENT || value > LARGEST_SEGMENT))) return "EINVAL";
  stream(file).configure({ maximumSegmentSize: value === 0 ? undefined : value });
  return 0;
}

/** In s; negative: not at all. */
function finWait(file: StreamFile): number {
  const time = Number(file.tcpOption("finWait2"));
  return time < 0 ? -1 : Math.floor(time / 1000);
}

function setFinWait(file: SocketFile, given: OptionValue): 0 | "EINVAL" {
  const value = toInteger(given);
  if (value === undefined) return "EINVAL";
  const { finWait2 } = file.owner.defaults.tcp;
  const chosen = value < 0 ? -1 : value === 0 ? finWait2 : Math.min(value, LONGEST_FIN_WAIT) * 1000;
  stream(file).configure({ finWait2: chosen });
  return 0;
}

/** Linux keeps a number of retransmissions of the SYN,ACK, and tells how long those take. */
function deferAccept(file: SocketFile): GotOption {
  const wanted = file.setting(SOL_TCP, c.TCP_DEFER_ACCEPT) ?? 0;
  let period = 0;
  let timeout = 1;
  while (period < wanted) {
    period += timeout;
    timeout = Math.min(120, timeout * 2);
  }
  return int(period);
}

function windowClamp(): SocketOption {
  const option = kept(SOL_TCP, c.TCP_WINDOW_CLAMP);
  return {
    get: option.get,
    set: (file, given, length) => {
      const value = toInteger(given);
      if (value === undefined || (value === 0 && stream(file).state !== "CLOSED")) return "EINVAL";
      return option.set?.(file, value === 0 ? 0 : Math.max(value, LEAST_CLAMP), length) ?? "EINVAL";
    },
  };
}

function unlessIdle(file: SocketFile): "EINVAL" | undefined {
  const { state } = stream(file);
  return state === "CLOSED" || state === "LISTEN" ? undefined : "EINVAL";
}

function unlessClosed(file: SocketFile): "EINVAL" | undefined {
  return stream(file).state === "CLOSED" ? undefined : "EINVAL";
}
