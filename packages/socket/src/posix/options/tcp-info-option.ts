// TCP_INFO: what Linux tells of a connection, with its field names.
import type { OptionValue } from "../option-value.ts";
import type { StreamFile } from "../stream-file.ts";
import type { SocketOption } from "./option.ts";

/** Of `struct tcp_info` in Linux 6.18, in octets. */
const TCP_INFO_LENGTH = 280;
/** TCP_CLOSE and TCP_LISTEN. */
const CLOSED_STATE = 7;
const LISTEN_STATE = 10;

export const tcpInfo: SocketOption = {
  get: (file, length) => ({ value: infoOf(file as StreamFile), length: Math.min(length, TCP_INFO_LENGTH) }),
};

function infoOf({ connection, state }: StreamFile): OptionValue {
  // What a connection has counted is there still when it is over.
  if (connection !== undefined) return { ...connection.tcpInfo(), ...(state === "CLOSED" && { tcpi_state: CLOSED_STATE }) };
  return { tcpi_state: state === "LISTEN" ? LISTEN_STATE : CLOSED_STATE };
}
