// What socket options and control messages carry: numbers, C's structures with their own field names, or octets.
import type { Endpoint } from "@netstrata/transport";

/** `struct linger`. */
export interface Linger {
  readonly onoff: number;
  /** In seconds. */
  readonly linger: number;
}

/** `struct timeval`. */
export interface TimeValue {
  readonly tv_sec: number;
  readonly tv_usec: number;
}

/** `struct timespec`. */
export interface TimeSpec {
  readonly tv_sec: number;
  readonly tv_nsec: number;
}

/** `struct scm_timestamping`: the stack's own time in the first place; there is no hardware to fill in the last. */
export interface Timestamping {
  readonly ts: readonly [TimeSpec, TimeSpec, TimeSpec];
}

/** `struct sock_extended_err`, and who it is from. */
export interface ExtendedError {
  readonly ee_errno: number;
  readonly ee_origin: number;
  readonly ee_type: number;
  readonly ee_code: number;
  readonly ee_info: number;
  readonly ee_data: number;
  /** SO_EE_OFFENDER. */
  readonly offender: Endpoint | undefined;
}

/** `struct in_pktinfo` and `struct in6_pktinfo`: where a datagram was sent to. */
export interface PacketInfo {
  readonly destination: Endpoint;
}

/** `struct tcp_info`. */
export type TcpInfoFields = Readonly<Record<`tcpi_${string}`, number>>;

export type OptionValue =
  | number
  | string
  | Uint8Array
  | Linger
  | TimeValue
  | TimeSpec
  | Timestamping
  | ExtendedError
  | PacketInfo
  | TcpInfoFields;

export function timeSpec(milliseconds: number): TimeSpec {
  const tv_sec = Math.floor(milliseconds / 1000);
  return { tv_sec, tv_nsec: Math.round((milliseconds - tv_sec * 1000) * 1e6) };
}

export function timeValue(milliseconds: number): TimeValue {
  const tv_sec = Math.floor(milliseconds / 1000);
  return { tv_sec, tv_usec: Math.round((milliseconds - tv_sec * 1000) * 1000) };
}
