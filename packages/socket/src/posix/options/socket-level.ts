// The options of SOL_SOCKET, with Linux's ranges and errors.
import { DatagramFile } from "../datagram-file.ts";
import { errnoNumber } from "../errno.ts";
import * as c from "../linux-numbers.ts";
import type { SocketFile } from "../open-file.ts";
import type { OptionValue } from "../option-value.ts";
import { StreamFile } from "../stream-file.ts";
import { receiveBufferOption, sendBufferOption } from "./buffer-options.ts";
import { flag, int, kept, type OptionTable, property, readOnly, type SocketOption, toInteger } from "./option.ts";
import { timestamp, timestamping } from "./timestamp-options.ts";

const { SOL_SOCKET } = c;
const MAX_INT = 2 ** 31 - 1;
/** Of `struct linger`, and of `struct timeval` where time_t has 64 bits. */
const LINGER_LENGTH = 8;
const TIMEVAL_LENGTH = 16;
const UNLIMITED_RATE = 2 ** 32 - 1;

export const SOCKET_LEVEL: OptionTable = new Map<number, SocketOption>([
  [c.SO_DEBUG, flag(SOL_SOCKET, c.SO_DEBUG)],
  [
    c.SO_REUSEADDR,
    property(
      (file) => file.reuseAddress,
      (file, isSet) => void (file.reuseAddress = isSet),
    ),
  ],
  [
    c.SO_REUSEPORT,
    property(
      (file) => file.reusePort,
      (file, isSet) => void (file.reusePort = isSet),
    ),
  ],
  [c.SO_TYPE, readOnly((file) => file.type)],
  [c.SO_DOMAIN, readOnly((file) => file.domain)],
  [c.SO_PROTOCOL, readOnly((file) => file.protocol)],
  [c.SO_ERROR, readOnly((file) => errnoNumber(file.takeError()))],
  [c.SO_ACCEPTCONN, readOnly((file) => (file instanceof StreamFile && file.isListening ? 1 : 0))],
  [c.SO_DONTROUTE, flag(SOL_SOCKET, c.SO_DONTROUTE)],
  [c.SO_BROADCAST, flag(SOL_SOCKET, c.SO_BROADCAST, setBroadcast)],
  [c.SO_SNDBUF, sendBufferOption(true)],
  [c.SO_SNDBUFFORCE, { ...sendBufferOption(false), get: () => "ENOPROTOOPT" }],
  [c.SO_RCVBUF, receiveBufferOption(true)],
  [c.SO_RCVBUFFORCE, { ...receiveBufferOption(false), get: () => "ENOPROTOOPT" }],
  [c.SO_KEEPALIVE, flag(SOL_SOCKET, c.SO_KEEPALIVE, setKeepAlive)],
  [c.SO_OOBINLINE, flag(SOL_SOCKET, c.SO_OOBINLINE, setUrgentInline)],
  [c.SO_NO_CHECK, flag(SOL_SOCKET, c.SO_NO_CHECK, setNoChecksum)],
  [c.SO_PRIORITY, kept(SOL_SOCKET, c.SO_PRIORITY)],
  [c.SO_LINGER, { get: (file) => ({ value: file.linger, length: LINGER_LENGTH }), set: setLinger }],
  [c.SO_BSDCOMPAT, { get: () => int(0), set: () => 0 }],
  [c.SO_RCVLOWAT, { get: (file) => int(file.receiveLowWater), set: setReceiveLowWater }],
  [c.SO_SNDLOWAT, readOnly(() => 1)],
  [c.SO_RCVTIMEO, timeOption("receiveTimeout")],
  [c.SO_RCVTIMEO_NEW, timeOption("receiveTimeout")],
  [c.SO_SNDTIMEO, timeOption("sendTimeout")],
  [c.SO_SNDTIMEO_NEW, timeOption("sendTimeout")],
  [c.SO_TIMESTAMP, timestamp(c.SO_TIMESTAMP)],
  [c.SO_TIMESTAMP_NEW, timestamp(c.SO_TIMESTAMP_NEW)],
  [c.SO_TIMESTAMPNS, timestamp(c.SO_TIMESTAMPNS)],
  [c.SO_TIMESTAMPNS_NEW, timestamp(c.SO_TIMESTAMPNS_NEW)],
  [c.SO_TIMESTAMPING, timestamping],
  [c.SO_TIMESTAMPING_NEW, timestamping],
  [c.SO_MARK, kept(SOL_SOCKET, c.SO_MARK)],
  [c.SO_RCVMARK, flag(SOL_SOCKET, c.SO_RCVMARK)],
  [c.SO_RXQ_OVFL, flag(SOL_SOCKET, c.SO_RXQ_OVFL)],
  [c.SO_SELECT_ERR_QUEUE, flag(SOL_SOCKET, c.SO_SELECT_ERR_QUEUE)],
  [c.SO_BUSY_POLL, kept(SOL_SOCKET, c.SO_BUSY_POLL, { low: 0 })],
  [c.SO_PREFER_BUSY_POLL, flag(SOL_SOCKET, c.SO_PREFER_BUSY_POLL)],
  [c.SO_MAX_PACING_RATE, { get: pacingRate, set: setPacingRate }],
  [c.SO_INCOMING_CPU, kept(SOL_SOCKET, c.SO_INCOMING_CPU, { initial: -1 })],
  [c.SO_INCOMING_NAPI_ID, readOnly(() => 0)],
  [c.SO_ZEROCOPY, kept(SOL_SOCKET, c.SO_ZEROCOPY, { low: 0, high: 1 })],
  [c.SO_BUF_LOCK, kept(SOL_SOCKET, c.SO_BUF_LOCK, { low: 0, high: 3 })],
  [c.SO_TXREHASH, forStreamsOnly(kept(SOL_SOCKET, c.SO_TXREHASH, { low: -1, high: 1, initial: 1 }))],
]);

function forStreamsOnly(option: SocketOption): SocketOption {
  return {
    get: (file, length) => (file instanceof StreamFile ? option.get(file, length) : "EOPNOTSUPP"),
    set: (file, value, length) => (file instanceof StreamFile && option.set !== undefined ? option.set(file, value, length) : "EOPNOTSUPP"),
  };
}

/** TCP has no use for it, and Linux lets it be set all the same. */
function setBroadcast(file: SocketFile, broadcast: boolean): void {
  if (file instanceof DatagramFile) file.configure({ broadcast });
}

function setKeepAlive(file: SocketFile, keepAlive: boolean): void {
  if (file instanceof StreamFile) file.configure({ keepAlive });
}

function setUrgentInline(file: SocketFile, isSet: boolean): void {
  if (file instanceof StreamFile) file.urgentInline = isSet;
}

function setNoChecksum(file: SocketFile, noChecksum: boolean): void {
  if (file instanceof DatagramFile) file.configure({ noChecksum });
}

function setLinger(file: SocketFile, value: OptionValue, length: number): 0 | "EINVAL" {
  if (typeof value !== "object" || !("onoff" in value) || length < LINGER_LENGTH || !Number.isInteger(value.linger)) return "EINVAL";
  // Switched off, it keeps the time of before.
  const linger = value.onoff === 0 ? file.linger.linger : value.linger;
  file.linger = { onoff: value.onoff === 0 ? 0 : 1, linger };
  return 0;
}

function setReceiveLowWater(file: SocketFile, given: OptionValue): 0 | "EINVAL" {
  const value = toInteger(given);
  if (value === undefined) return "EINVAL";
  const wanted = value < 0 ? MAX_INT : value;
  // TCP could never hold more than its window lets come.
  const most = file instanceof StreamFile ? file.tcpOption("receiveBuffer") : MAX_INT;
  file.setReceiveLowWater(Math.max(1, Math.min(wanted, most)));
  return 0;
}

function timeOption(name: "receiveTimeout" | "sendTimeout"): SocketOption {
  return {
    get: (file) => {
      const seconds = Math.floor(file[name] / 1000);
      return { value: { tv_sec: seconds, tv_usec: Math.round((file[name] - seconds * 1000) * 1000) }, length: TIMEVAL_LENGTH };
    },
    set: (file, value, length) => {
      if (typeof value !== "object" || !("tv_usec" in value) || length < TIMEVAL_LENGTH) return "EINVAL";
      if (value.tv_usec < 0 || value.tv_usec >= 1_000_000) return "EDOM";
      // A negative time is none: Linux does not wait at all then, and 0 waits for ever.
      file[name] = value.tv_sec < 0 ? Number.MIN_VALUE : value.tv_sec * 1000 + value.tv_usec / 1000;
      return 0;
    },
  };
}

function pacingRate(file: SocketFile, length: number): ReturnType<SocketOption["get"]> {
  const rate = file instanceof StreamFile ? file.tcpOption("maximumPacingRate") : Number.POSITIVE_INFINITY;
  return { value: Math.min(rate, UNLIMITED_RATE), length: length >= 8 ? 8 : 4 };
}

function setPacingRate(file: SocketFile, given: OptionValue): 0 | "EINVAL" {
  if (typeof given !== "number") return "EINVAL";
  const isUnlimited = given < 0 || given >= UNLIMITED_RATE;
  if (file instanceof StreamFile) file.configure({ maximumPacingRate: isUnlimited ? Number.POSITIVE_INFINITY : given });
  return 0;
}
