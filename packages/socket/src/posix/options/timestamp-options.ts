// SO_TIMESTAMP and its kind: when what is read has arrived; SO_TIMESTAMPING: also when what was written has left.
import * as c from "../linux-numbers.ts";
import { StreamFile } from "../stream-file.ts";
import { int, type SocketOption, settingKey, toInteger } from "./option.ts";

const { SOL_SOCKET } = c;
/** One setting for all of them: the number of the one that was switched on last, or 0. */
export const TIMESTAMP_KEY: number = settingKey(SOL_SOCKET, c.SO_TIMESTAMP);
export const TIMESTAMPING_KEY: number = settingKey(SOL_SOCKET, c.SO_TIMESTAMPING);
const ALL_FLAGS = 0x7ffff;
/** Of `struct so_timestamping`. */
const TIMESTAMPING_LENGTH = 8;

export function timestamp(name: number): SocketOption {
  return {
    get: (file) => int(file.settings?.get(TIMESTAMP_KEY) === name ? 1 : 0),
    set: (file, given) => {
      const value = toInteger(given);
      if (value === undefined) return "EINVAL";
      file.keep(TIMESTAMP_KEY, value === 0 ? 0 : name);
      return 0;
    },
  };
}

export const timestamping: SocketOption = {
  get: (file) => ({ value: file.settings?.get(TIMESTAMPING_KEY) ?? 0, length: TIMESTAMPING_LENGTH }),
  set: (file, given) => {
    const flags = toInteger(given);
    if (flags === undefined || (flags & ~ALL_FLAGS) !== 0) return "EINVAL";
    if ((flags & c.SOF_TIMESTAMPING_OPT_ID_TCP) !== 0 && (flags & c.SOF_TIMESTAMPING_OPT_ID) === 0) return "EINVAL";
    const before = file.settings?.get(TIMESTAMPING_KEY) ?? 0;
    if ((flags & c.SOF_TIMESTAMPING_OPT_ID) !== 0 && (before & c.SOF_TIMESTAMPING_OPT_ID) === 0 && file instanceof StreamFile) {
      // Octets are counted from here on, so there has to be a stream.
      if (file.state === "CLOSED" || file.state === "LISTEN") return "EINVAL";
      file.transmitProgress.countFromHere(file.connection, (flags & c.SOF_TIMESTAMPING_OPT_ID_TCP) !== 0);
    }
    if ((flags & c.SOF_TIMESTAMPING_OPT_STATS) !== 0 && (flags & c.SOF_TIMESTAMPING_OPT_TSONLY) === 0) return "EINVAL";
    file.keep(TIMESTAMPING_KEY, flags);
    return 0;
  },
};
