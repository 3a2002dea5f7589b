// getsockopt and setsockopt: the tables by level, and what Linux says before and beside them.
import type { Outcome, Result } from "../call.ts";
import { AF_INET6, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, SOCK_STREAM, SOL_SOCKET } from "../linux-numbers.ts";
import type { SocketFile } from "../open-file.ts";
import type { OptionValue } from "../option-value.ts";
import { IP_LEVEL } from "./ip-level.ts";
import { IPV6_LEVEL } from "./ipv6-level.ts";
import { type GotOption, INT_LENGTH, type OptionTable } from "./option.ts";
import { SOCKET_LEVEL } from "./socket-level.ts";
import { TCP_LEVEL } from "./tcp-level.ts";

/** Room that no value needs. */
const PLENTY = 65536;
const STRUCT_LENGTH = 16;

export function getOption(file: SocketFile, level: number, name: number, length: number = PLENTY): Outcome<GotOption> {
  const table = tableOf(file, level);
  // IPv4 sockets say that the level is not theirs, IPv6 sockets that there is no such option.
  if (table === undefined) return file.domain === AF_INET6 ? "ENOPROTOOPT" : "EOPNOTSUPP";
  if (length < 0) return "EINVAL";
  return table.get(name)?.get(file, length) ?? "ENOPROTOOPT";
}

export function setOption(file: SocketFile, level: number, name: number, value: OptionValue, length: number = lengthOf(value)): Result {
  const table = tableOf(file, level);
  const option = table?.get(name);
  // What is shorter than an int is refused before anybody looks at what it is for; IP takes an octet, too.
  const needsInt = table === SOCKET_LEVEL || (table === TCP_LEVEL && typeof value !== "string");
  if (needsInt && length < INT_LENGTH) return "EINVAL";
  return option?.set?.(file, value, length) ?? "ENOPROTOOPT";
}

function tableOf(file: SocketFile, level: number): OptionTable | undefined {
  switch (level) {
    case SOL_SOCKET:
      return SOCKET_LEVEL;
    case IPPROTO_TCP:
      return file.type === SOCK_STREAM ? TCP_LEVEL : undefined;
    case IPPROTO_IP:
      return IP_LEVEL;
    case IPPROTO_IPV6:
      return file.domain === AF_INET6 ? IPV6_LEVEL : undefined;
    default:
      return undefined;
  }
}

/** Of C's form of a value, in octets. */
function lengthOf(value: OptionValue): number {
  if (typeof value === "number") return INT_LENGTH;
  if (typeof value === "string" || value instanceof Uint8Array) return value.length;
  return STRUCT_LENGTH;
}
