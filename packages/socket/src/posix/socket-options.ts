// getsockopt and setsockopt as a table: which option is what in TCP, UDP or the file itself.
import type { ResolvedTcpOptions, UdpOptions } from "@netstrata/transport";
import { SystemError } from "../system-error.ts";
import { DatagramFile } from "./datagram-file.ts";
import { errnoNumber } from "./errno.ts";
import * as constant from "./linux-numbers.ts";
import type { SocketFile as OpenFile } from "./open-file.ts";
import type { OptionValue } from "./option-value.ts";
import { StreamFile } from "./stream-file.ts";

/** What TCP and the network layer do when nothing was chosen. */
export interface OptionDefaults {
  readonly tcp: Pick<ResolvedTcpOptions, NumberOption | FlagOption>;
  readonly timeToLive: number;
}

type NumberOption = "receiveBuffer" | "sendBuffer" | "keepAliveIdle" | "keepAliveInterval" | "keepAliveProbes" | "userTimeout";
type FlagOption = "noDelay" | "keepAlive";

interface Option {
  get(file: OpenFile, defaults: OptionDefaults): OptionValue;
  /** Absent where an option can only be read. Throws EINVAL through `requireNumber` for a value out of range. */
  set?(file: OpenFile, value: OptionValue): void;
}

const { SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP } = constant;

/** By level and name; what stands in neither table is ENOPROTOOPT. */
const OPTIONS: ReadonlyMap<string, Option> = new Map<string, Option>([
  [key(SOL_SOCKET, constant.SO_TYPE), { get: (file) => file.type }],
  [key(SOL_SOCKET, constant.SO_DOMAIN), { get: (file) => file.domain }],
  [
    key(SOL_SOCKET, constant.SO_PROTOCOL),
    { get: (file) => (file.type === constant.SOCK_STREAM ? constant.IPPROTO_TCP : constant.IPPROTO_UDP) },
  ],
  [key(SOL_SOCKET, constant.SO_ERROR), { get: (file) => errnoNumber(file.takeError()) }],
  [key(SOL_SOCKET, constant.SO_ACCEPTCONN), { get: (file) => Number(file instanceof StreamFile && file.isListening) }],
  [
    key(SOL_SOCKET, constant.SO_REUSEADDR),
    {
      get: (file) => Number(file.reuseAddress),
      set: (file, value) => {
        file.reuseAddress = requireNumber(value) !== 0;
      },
    },
  ],
  [
    key(SOL_SOCKET, constant.SO_BROADCAST),
    {
      get: (file) => Number(file instanceof DatagramFile && file.options.broadcast === true),
      // TCP has no use for it, and Linux lets it be set all the same.
      set: (file, value) => {
        if (file instanceof DatagramFile) file.configure({ broadcast: requireNumber(value) !== 0 });
      },
    },
  ],
  [
    key(SOL_SOCKET, constant.SO_RCVBUF),
    {
      get: (file, defaults) => (file instanceof DatagramFile ? file.queue.limit : streamOption(file, "receiveBuffer", defaults)),
      set: (file, value) => {
        const receiveBuffer = requireNumber(value, 1);
        if (file instanceof DatagramFile) file.queue.limit = receiveBuffer;
        else stream(file).configure({ receiveBuffer });
      },
    },
  ],
  [
    key(SOL_SOCKET, constant.SO_SNDBUF),
    {
      get: (file, defaults) => (file instanceof DatagramFile ? 0 : streamOption(file, "sendBuffer", defaults)),
      // Datagrams are never kept, so there is no buffer to size.
      set: (file, value) => {
        const sendBuffer = requireNumber(value, 1);
        if (file instanceof StreamFile) file.configure({ sendBuffer });
      },
    },
  ],
  [
    key(SOL_SOCKET, constant.SO_LINGER),
    {
      get: (file) => stream(file).linger,
      set: (file, value) => {
        if (typeof value !== "object" || !("linger" in value) || !(value.linger >= 0)) throw new SystemError("EINVAL", "setsockopt");
        stream(file).linger = { onoff: value.onoff, linger: value.linger };
      },
    },
  ],
  [key(SOL_SOCKET, constant.SO_KEEPALIVE), streamFlag("keepAlive")],
  [key(IPPROTO_TCP, constant.TCP_NODELAY), streamFlag("noDelay")],
  [
    key(IPPROTO_TCP, constant.TCP_MAXSEG),
    {
      get: (file) => stream(file).connection?.info().sendMaximumSegmentSize ?? stream(file).options.maximumSegmentSize ?? 536,
      set: (file, value) => stream(file).configure({ maximumSegmentSize: requireNumber(value, 88, 32767) }),
    },
  ],
  [key(IPPROTO_TCP, constant.TCP_KEEPIDLE), streamNumber("keepAliveIdle", 1000, 1, 32767)],
  [key(IPPROTO_TCP, constant.TCP_KEEPINTVL), streamNumber("keepAliveInterval", 1000, 1, 32767)],
  [key(IPPROTO_TCP, constant.TCP_KEEPCNT), streamNumber("keepAliveProbes", 1, 1, 127)],
  [key(IPPROTO_TCP, constant.TCP_USER_TIMEOUT), streamNumber("userTimeout", 1, 1, 2 ** 31 - 1)],
  [key(IPPROTO_IP, constant.IP_TTL), ipOption("timeToLive", 1)],
  [key(IPPROTO_IP, constant.IP_TOS), ipOption("trafficClass", 0)],
]);

export function getOption(file: OpenFile, level: number, name: number, defaults: OptionDefaults): OptionValue {
  return find(level, name, "getsockopt").get(file, defaults);
}

export function setOption(file: OpenFile, level: number, name: number, value: OptionValue): void {
  const { set } = find(level, name, "setsockopt");
  if (set === undefined) throw new SystemError("ENOPROTOOPT", "setsockopt");
  set(file, value);
}

function find(level: number, name: number, syscall: string): Option {
  const option = OPTIONS.get(key(level, name));
  if (option === undefined) throw new SystemError("ENOPROTOOPT", syscall);
  return option;
}

function key(level: number, name: number): string {
  return `${level}:${name}`;
}

function requireNumber(value: OptionValue, low = 0, high: number = 2 ** 31 - 1): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < low || value > high) throw new SystemError("EINVAL", "setsockopt");
  return value;
}

function stream(file: OpenFile): StreamFile {
  if (file instanceof StreamFile) return file;
  throw new SystemError("ENOPROTOOPT", "setsockopt");
}

function streamOption<Name extends NumberOption | FlagOption>(file: OpenFile, name: Name, defaults: OptionDefaults): number {
  const { connection, options } = stream(file);
  return Number(connection?.options[name] ?? options[name] ?? defaults.tcp[name]);
}

function streamFlag(name: FlagOption): Option {
  return {
    get: (file, defaults) => streamOption(file, name, defaults),
    set: (file, value) => stream(file).configure({ [name]: requireNumber(value) !== 0 }),
  };
}

/** @param unit milliseconds, or pieces, in one of the option's own units */
function streamNumber(name: NumberOption, unit: number, low: number, high: number): Option {
  return {
    get: (file, defaults) => streamOption(file, name, defaults) / unit,
    set: (file, value) => stream(file).configure({ [name]: requireNumber(value, low, high) * unit }),
  };
}

function ipOption(name: keyof Pick<UdpOptions, "timeToLive" | "trafficClass">, low: number): Option {
  return {
    get: (file, defaults) => {
      const { options } = file as StreamFile | DatagramFile;
      return options[name] ?? (name === "timeToLive" ? defaults.timeToLive : 0);
    },
    set: (file, value) => (file as StreamFile | DatagramFile).configure({ [name]: requireNumber(value, low, 255) }),
  };
}
