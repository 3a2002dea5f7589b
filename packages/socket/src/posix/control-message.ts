// Ancillary data of sendmsg and recvmsg (POSIX's cmsghdr).
import type { OptionValue } from "./option-value.ts";

export interface ControlMessage {
  /** SOL_SOCKET, IPPROTO_IP … */
  readonly level: number;
  /** SCM_TIMESTAMPING, IP_TTL … */
  readonly type: number;
  readonly value: OptionValue;
}

export const NO_CONTROL: readonly ControlMessage[] = [];
