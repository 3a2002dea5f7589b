// TCP_CONGESTION: algorithms by Linux's names.
import type { CongestionControlName } from "@netstrata/transport";
import type { StreamFile } from "../stream-file.ts";
import type { SocketOption } from "./option.ts";

/** TCP_CA_NAME_MAX. */
const NAME_LENGTH = 16;

const BY_LINUX_NAME: ReadonlyMap<string, CongestionControlName> = new Map<string, CongestionControlName>([
  ["reno", "newreno"],
  ["cubic", "cubic"],
  ["bbr", "bbr"],
]);

export const congestion: SocketOption = {
  get: (file) => {
    const chosen = (file as StreamFile).tcpOption("congestionControl");
    const name = [...BY_LINUX_NAME].find(([, ours]) => ours === chosen)?.[0];
    // One of the user's own has no name.
    return { value: name ?? (typeof chosen === "string" ? chosen : "custom"), length: NAME_LENGTH };
  },
  set: (file, value, length) => {
    if (length < 1) return "EINVAL";
    const name = value instanceof Uint8Array ? String.fromCharCode(...value).replace(/\0.*$/s, "") : value;
    const congestionControl = typeof name === "string" ? BY_LINUX_NAME.get(name) : undefined;
    if (congestionControl === undefined) return "ENOENT";
    (file as StreamFile).configure({ congestionControl });
    return 0;
  },
};
