// What socket options and control messages carry: numbers, C's structures with their own field names, or octets.

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

export type OptionValue = number | string | Uint8Array | Linger | TimeValue;
